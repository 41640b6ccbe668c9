"""How several processes that train one model find each other."""

import logging
import os
import socket
import time
from contextlib import suppress

import keras

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.processes import engine_of_backend

logger = logging.getLogger("keras_semisis")
# Where an argument is not given: what `keras.distribution.initialize` reads, or what SLURM and Kubernetes set themselves
_ENVIRONMENT = {
    "coordinator": ("KERAS_DISTRIBUTION_JOB_ADDRESSES",),
    "processes": ("KERAS_DISTRIBUTION_NUM_PROCESSES", "SLURM_NTASKS"),
    "process": ("KERAS_DISTRIBUTION_PROCESS_ID", "SLURM_PROCID", "JOB_COMPLETION_INDEX"),
}
# How long the others wait for the first process, and all for the last
SECONDS_TO_JOIN = 300


def join(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> bool:
    """Joins the other processes of a training, if there are any; the second time it does nothing.

    Args:
        coordinator: ``HOST:PORT`` of the first process; None is ``KERAS_DISTRIBUTION_JOB_ADDRESSES``.
        processes: How many there are; None is ``KERAS_DISTRIBUTION_NUM_PROCESSES``, or SLURM's.
        process: Which of them this is, from 0; None is ``KERAS_DISTRIBUTION_PROCESS_ID``, or SLURM's or Kubernetes's.

    Returns:
        Whether there are several.

    Raises:
        ValueError: If an argument cannot be, or the backend is not JAX.
        ConnectionError: If nobody answers.
    """
    if keras.backend.backend() == "jax" and engine_of_backend().has_joined():
        return True
    given = {"coordinator": coordinator, "processes": processes, "process": process}
    address = _found("coordinator", coordinator)
    if address is None:
        if processes is None and process is None:
            return False
        raise ArgumentError(
            "{}: several processes find each other by the first one's address. Give coordinator=HOST:PORT, or set "
            "KERAS_DISTRIBUTION_JOB_ADDRESSES.",
            {name: value for name, value in given.items() if value is not None},
        )
    if keras.backend.backend() != "jax":
        raise ArgumentError(
            "{}: several processes need JAX (KERAS_BACKEND=jax), whose training goes on from the .keras file of any backend; "
            f"on {keras.backend.backend()} there is one.",
            {"coordinator": address},
        )
    address = address.split(",")[0]  # of the addresses of all, which Keras takes as well
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ArgumentError("{}: expected HOST:PORT, such as 10.0.0.1:8476.", {"coordinator": address})
    count, number = _number("processes", processes), _number("process", process)
    if count < 1:
        raise ArgumentError("{}: expected at least 1.", {"processes": count})
    if not 0 <= number < count:
        raise ArgumentError(f"{{}}: there are {count}, from 0 to {count - 1}.", {"process": number})
    if count == 1:
        return False
    logger.info("Process %d of %d: waiting up to %d seconds for the others at %s.", number, count, SECONDS_TO_JOIN, address)
    _check_reachable(host.strip("[]"), int(port), number)
    engine_of_backend().join(address, count, number, SECONDS_TO_JOIN)
    return True


def coordinator_of_environment() -> str | None:
    """The address of the first process, where the environment has it."""
    return _found("coordinator", None)


def _found(name, value):
    if value is None:
        return next((os.environ[variable] for variable in _ENVIRONMENT[name] if os.environ.get(variable)), None)
    return value


def _number(name, value) -> int:
    found = _found(name, value)
    if found is None:
        raise ArgumentError(f"{{}} is missing: give it, or set {_ENVIRONMENT[name][0]}.", {name: ...})
    try:
        return int(found)
    except ValueError:
        raise ArgumentError("{}: expected a number.", {name: found}) from None


def _check_reachable(host, port, number):
    """What JAX would end the program for, without a word that can be understood."""
    address = f"{host}:{port}"
    if number == 0:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        try:
            socket.create_server(("", port), family=family, dualstack_ipv6=family == socket.AF_INET6).close()
        except OSError as error:
            raise ArgumentError(
                f"{{}}: this port cannot be used here ({error.strerror or error}). Give another one.", {"coordinator": address}
            ) from None
        return
    end = time.monotonic() + SECONDS_TO_JOIN
    while True:
        with suppress(OSError):
            socket.create_connection((host, port), timeout=5.0).close()
            return
        if time.monotonic() > end:
            raise ConnectionError(
                f"coordinator {address}: nobody has answered for {SECONDS_TO_JOIN} seconds. Start process 0 there, and let "
                "its port be reached from here."
            )
        time.sleep(0.5)
