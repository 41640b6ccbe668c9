"""Options that are written as text of a form of their own."""

import re

from keras_semisis.options.form import Form


def parse_size(text: str, option: str = "--image-size") -> tuple[int, int]:
    """``"64x96"`` to (height, width).

    >>> parse_size("64x96")
    (64, 96)
    """
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"{option} {text}: expected HEIGHTxWIDTH in pixels, such as 64x96.")
    return int(parts[0]), int(parts[1])


def parse_size_or_own(text: str, option: str = "--image-size") -> tuple[int, int] | str:
    """A size, or ``"own"`` for that of each label map.

    >>> parse_size_or_own("64x96"), parse_size_or_own("own")
    ((64, 96), 'own')
    """
    if text == "own":
        return text
    try:
        return parse_size(text, option)
    except ValueError:
        raise ValueError(f"{option} {text}: expected own, or HEIGHTxWIDTH in pixels, such as 64x96.") from None


def parse_channels(text: str, option: str = "--channels") -> tuple[int, ...]:
    """``"32,32,64"`` to widths.

    >>> parse_channels("32,32,64", "--discriminator-channels")
    (32, 32, 64)
    """
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"{option} {text}: expected widths from the first block to the deepest, such as 32,32,64.")
    return tuple(int(part) for part in parts)


def parse_unconditional_channels(text: str, option: str = "--unconditional-channels") -> dict[int, int] | float:
    """A factor on the published widths, or a width for each resolution.

    >>> parse_unconditional_channels("0.125"), parse_unconditional_channels("4:32,8:16")
    (0.125, {4: 32, 8: 16})
    """
    try:
        if ":" not in text:
            factor = float(text)
            if factor <= 0:
                raise ValueError
            return factor
        return {int(key): int(value) for key, value in (pair.split(":") for pair in text.split(","))}
    except ValueError:
        raise ValueError(
            f"{option} {text}: expected a factor on the published widths, such as 0.125, or "
            "resolution:width pairs, such as 4:64,8:64,16:32,32:32,64:16."
        ) from None


def parse_betas(text: str, option: str = "--unconditional-betas") -> tuple[float, float]:
    """β_1 and β_2 of Adam.

    >>> parse_betas("0.5,0.99")
    (0.5, 0.99)
    """
    try:
        first, second = (float(part) for part in text.split(","))
        if not (0 <= first < 1 and 0 <= second < 1):
            raise ValueError
    except ValueError:
        raise ValueError(f"{option} {text}: expected two numbers of at least 0 and below 1, such as 0.5,0.99.") from None
    return first, second


def parse_id_map(pairs: tuple[str, ...]) -> dict[int, int]:
    """``("255=11",)`` to {255: 11}.

    >>> parse_id_map(("255=11",))
    {255: 11}
    """
    try:
        return {int(old): int(new) for old, new in (pair.split("=") for pair in pairs)}
    except ValueError:
        raise ValueError(f"--id-map {' '.join(pairs)}: expected STORED=CLASS, such as 255=11.") from None


def parse_class_thresholds(pairs: tuple[str, ...]) -> dict[str, float]:
    """``("pole=0.1",)`` to {"pole": 0.1}.

    >>> parse_class_thresholds(("pole=0.1", "traffic sign=0.2"))
    {'pole': 0.1, 'traffic sign': 0.2}
    """
    try:
        return {name: float(least) for name, _, least in (pair.rpartition("=") for pair in pairs)}
    except ValueError:
        raise ValueError(f"--class-threshold {' '.join(pairs)}: expected CLASS=LEAST, such as pole=0.1.") from None


def parse_range(text: str, option: str = "--image-range") -> tuple[float, float]:
    """The values of black and white.

    >>> parse_range("0:4095"), parse_range("-0.5:1")
    ((0, 4095), (-0.5, 1))
    """
    try:
        first, last = (int(part) if re.fullmatch(r"-?\d+", part) else float(part) for part in text.split(":"))
    except ValueError:
        raise ValueError(f"{option} {text}: expected BLACK:WHITE, such as 0:4095 or 0:1.") from None
    from keras_semisis.data.pictures.image_range import checked_range

    return checked_range((first, last))


def _joined_by(mark):
    return lambda values: mark.join(map(str, values))


def _write_unconditional_channels(channels):
    return ",".join(f"{key}:{width}" for key, width in channels.items()) if isinstance(channels, dict) else str(channels)


SIZE = Form(parse_size, _joined_by("x"))
SIZE_OR_OWN = Form(parse_size_or_own, lambda size: size if isinstance(size, str) else SIZE.write(size))
CHANNELS = Form(parse_channels, _joined_by(","))
UNCONDITIONAL_CHANNELS = Form(parse_unconditional_channels, _write_unconditional_channels)
BETAS = Form(parse_betas, _joined_by(","))
RANGE = Form(parse_range, _joined_by(":"))
