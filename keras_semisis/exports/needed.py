"""Packages that exporting needs."""

from importlib.util import find_spec

import keras


def need(*packages: str) -> None:
    """That packages are installed.

    Raises:
        ModuleNotFoundError: Naming those that are not, and the extras that have them.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        of_onnx = "export-jax" if keras.backend.backend() == "jax" else "export"
        extras = {name if name == "tensorflow" else of_onnx: None for name in missing}
        raise ModuleNotFoundError(f"Exporting needs {', '.join(missing)}: pip install 'keras-semisis[{','.join(extras)}]'.")
