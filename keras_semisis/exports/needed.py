"""Packages that exporting needs."""

from importlib.util import find_spec

import keras


def need(*packages: str) -> None:
    """That packages are installed.

    Raises:
        ModuleNotFoundError: Naming those that are not, and the extra that has them.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        extra = "export-jax" if keras.backend.backend() == "jax" else "export"
        raise ModuleNotFoundError(f"Exporting needs {', '.join(missing)}: pip install 'keras-semisis[{extra}]'.")
