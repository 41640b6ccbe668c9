"""How many devices, of how many processes, a command trains or draws on."""

from dataclasses import asdict

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.distribution import distribute
from keras_semisis.joining import coordinator_of_environment
from keras_semisis.options.hosts import HostOptions


def use_devices(devices: str | None, hosts: HostOptions | None = None) -> None:
    """Splits the batches of what is built or loaded after it, as `keras_semisis.distribute` does.

    Args:
        devices: A number, ``"all"``, or None, which is all where there are several processes, and else leaves all as it is.
        hosts: Of a command that several processes may share: what it is told of them.

    Raises:
        ValueError: If it is neither, there are not as many, or the processes are not named as `distribute` needs it.
    """
    if devices not in (None, "all") and not devices.isdecimal():
        raise ArgumentError("{}: expected a number, or all.", {"devices": devices})
    number = None if devices in (None, "all") else int(devices)
    if hosts is not None and (coordinator_of_environment() or hosts != HostOptions()):
        distribute(number, **asdict(hosts))
    elif devices is not None:
        if hosts is None and coordinator_of_environment():
            raise ArgumentError(
                "{}: several processes train together, and what is trained is drawn and scored by one. Unset "
                "KERAS_DISTRIBUTION_JOB_ADDRESSES.",
                {"devices": devices},
            )
        distribute(number)
