"""The program `keras-semisis`: it reads its options before a backend is loaded.

``import keras_semisis`` imports Keras and so a backend, some seconds, because every class that a file may hold has to be
registered after it. Help and a mistyped option need none of that. So the program alone puts a package that has not run yet
in the place of the imported one: modules below it can be imported one by one, and `keras_semisis.cli.whole_package` runs it
when a command begins.
"""

import sys
from importlib.util import find_spec, module_from_spec

_PACKAGE = "keras_semisis"


def main() -> None:
    """Entry point of the console script."""
    if _PACKAGE not in sys.modules:
        sys.modules[_PACKAGE] = module_from_spec(find_spec(_PACKAGE))
    from keras_semisis.cli import main as run

    run()


if __name__ == "__main__":
    main()
