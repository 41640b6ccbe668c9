"""What a change in one region of photos did there, and elsewhere."""

from typing import Any

import numpy as np


def region_difference(photos: Any, others: Any, mask: Any) -> dict[str, float]:
    """Mean difference of photos inside and outside of a region, in gray levels.

    Args:
        photos, others: uint8 ``(B, H, W, 3)``, such as `Sampler.generate` draws without and with ``resample``.
        mask: bool ``(B, H, W)`` or ``(H, W)``.

    Returns:
        ``{"inside": ..., "outside": ...}``; NaN where no pixel is.

    Raises:
        ValueError: If photos are not uint8, or the two are not of one shape.

    Example:

    >>> photos, mask = np.zeros((1, 2, 2, 3), "uint8"), np.array([[True, False], [False, False]])
    >>> others = photos + np.where(mask, 9, 1)[..., None].astype("uint8")
    >>> region_difference(photos, others, mask)
    {'inside': 9.0, 'outside': 1.0}
    """
    photos, others = np.asarray(photos), np.asarray(others)
    for array in (photos, others):
        if array.dtype != np.uint8:
            raise ValueError(
                f"photos are {array.dtype}, expected uint8, as generate draws them. Of floats in [-1, 1] take "
                'np.rint((photos + 1) * 127.5).astype("uint8").'
            )
    if photos.shape != others.shape:
        raise ValueError(f"photos have the shape {photos.shape}, others {others.shape}: give two of each, at one size.")
    difference = np.abs(photos.astype("int16") - others).mean(-1)
    inside = np.broadcast_to(np.asarray(mask, bool), difference.shape)
    return {"inside": _mean(difference[inside]), "outside": _mean(difference[~inside])}


def _mean(values):
    return float(values.mean()) if values.size else float("nan")
