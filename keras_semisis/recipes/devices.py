"""How many devices a command trains or draws on."""

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.distribution import distribute


def use_devices(devices: str | None) -> None:
    """Splits the batches of what is built or loaded after it, as `keras_semisis.distribute` does.

    Args:
        devices: A number, ``"all"``, or None, which leaves all as it is.

    Raises:
        ValueError: If it is neither, or there are not as many.
    """
    if devices is None:
        return
    if devices != "all" and not devices.isdecimal():
        raise ArgumentError("{}: expected a number, or all.", {"devices": devices})
    distribute(None if devices == "all" else int(devices))
