"""Choosing a backend that is installed, before Keras is imported."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

BACKENDS = ("tensorflow", "torch", "jax")


def choose_backend() -> None:
    """Sets ``KERAS_BACKEND`` where it is unset and the backend that Keras would take is not installed.

    Raises:
        ValueError: If no backend is installed, or not the one that ``KERAS_BACKEND`` names.
    """
    if "keras" in sys.modules:
        return
    installed = [name for name in BACKENDS if find_spec(name) is not None]
    if not installed:
        raise ValueError(
            'No backend is installed. Install one of the three: pip install "keras-semisis[tensorflow]" (or [torch], or [jax]).'
        )
    wanted = os.environ.get("KERAS_BACKEND")
    if wanted is None:
        if _configured() not in installed:
            os.environ["KERAS_BACKEND"] = installed[0]
    elif wanted in BACKENDS and wanted not in installed:
        raise ValueError(
            f'KERAS_BACKEND={wanted}, which is not installed. pip install "keras-semisis[{wanted}]", or '
            f"set it to one that is: {', '.join(installed)}."
        )


def _configured():
    """The backend of Keras's own settings file; TensorFlow where there is none."""
    path = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    try:
        return json.loads(path.read_text()).get("backend", "tensorflow")
    except (OSError, ValueError):
        return "tensorflow"
