"""What `keras_semisis_program` has put off."""

import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import cast


def import_whole_package() -> None:
    """Runs the package itself, which imports Keras and registers its classes; once, and not where it was imported as usual.

    Raises:
        ValueError: If no backend is installed, or not the one that ``KERAS_BACKEND`` names.
    """
    package = sys.modules["keras_semisis"]
    if "__version__" not in vars(package):
        cast(Loader, cast(ModuleSpec, package.__spec__).loader).exec_module(package)
