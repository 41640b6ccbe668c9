"""What the tests share: where the reference tensors and the sample photos are."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def needs_shared(name: str):
    """Skips a test where `../shared/<name>` is missing."""
    return pytest.mark.skipif(not (SHARED / name).exists(), reason=f"../shared/{name} is not beside this checkout")
