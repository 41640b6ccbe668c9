"""What XLA has compiled is kept for the next run: on JAX a training compiles for a minute before its first step."""

import os
import platform
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from keras_semisis.user_cache import user_cache


def keep_compiled() -> None:
    """Before JAX is imported: it is to keep compiled programs in the user's cache folder, unless it has been told what to do.

    ``JAX_COMPILATION_CACHE_DIR`` names another folder, ``JAX_ENABLE_COMPILATION_CACHE=false`` turns it off. JAX tells programs
    of other versions, devices and flags from each other; those of other processors, whose instructions they may have, are in
    folders of their own. Where no folder can be made, nothing is kept.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        folder = user_cache() / "compiled" / _processor()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)


def _processor():
    """What the processor can do, in a few letters."""
    found = platform.processor()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found = next((line for line in lines if line.startswith(("flags", "Features"))), found)
    return f"{platform.machine()}-{sha256(found.encode()).hexdigest()[:8]}"
