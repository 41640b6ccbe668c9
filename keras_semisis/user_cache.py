"""The folder of what is quicker to keep than to compute again."""

import os
from pathlib import Path


def user_cache() -> Path:
    """``keras_semisis`` in the user's cache folder, ``XDG_CACHE_HOME`` or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keras_semisis"
