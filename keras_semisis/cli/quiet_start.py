"""Keeps the lines that TensorFlow and XLA write about themselves as they start out of what a user reads.

They come from C++, straight to file descriptor 2, some of them before any setting of TensorFlow's is read; no environment
variable turns all of them off. So descriptor 2 leads to a small process of its own, this file run as a script, which drops the
lines that it knows and passes on everything else. A process and not a thread, because a thread would die with a program that
crashes, and what the program said last with it. Python's own ``sys.stderr``, tracebacks and warnings, goes past it.

``TF_CPP_MIN_LOG_LEVEL=0`` shows all lines.
"""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# A line in whole that says nothing about the user's data, options or machine that the user could act upon
_DROPPED = re.compile(
    rb"""
      WARNING:\ All\ log\ messages\ before\ absl::InitializeLog\(\)
    | To\ enable\ the\ following\ instructions:
    | I\d{4}\ [\d:.]+\s+\d+\ \S+:\d+\]                                 # absl: severity INFO
    | \d{4}-\d\d-\d\d\ [\d:.]+:\ I\                                    # the same before TensorFlow 2.17
    | ([EW]\d{4}\ [\d:.]+\s+\d+\ |\d{4}-\d\d-\d\d\ [\d:.]+:\ [EW]\ )\S+:\d+\]\ (
          remapper\ failed:                                            # a graph stays as it is
        | failed\ call\ to\ cuInit:.*(\(303\)|no\ CUDA-capable\ device)  # there is no GPU
        | Unable\ to\ register\ cu(DNN|FFT|BLAS)\ factory
        | computation\ placer\ already\ registered
        | TF-TRT\ Warning:\ Could\ not\ find\ TensorRT
      )
    """,
    re.VERBOSE,
)
# A line that does not end is somebody's prompt
_SECONDS_OF_A_LINE = 0.5
_SECONDS_OF_THE_END = 5.0


def is_dropped(line: bytes) -> bool:
    """Whether a line is one that TensorFlow writes about itself.

    >>> is_dropped(b"I0000 00:00:1795861410.319828    3089 cudart_stub.cc:31] Could not find cuda drivers on your machine.")
    True
    >>> is_dropped(b"E0000 00:00:1795861410.319828    3089 cuda_dnn.cc:31] Could not create cudnn handle: NOT_INITIALIZED")
    False
    """
    return _DROPPED.match(line) is not None


@contextmanager
def quiet_start() -> Iterator[None]:
    """Within ``with``: descriptor 2 is filtered. Where it is closed, or no process can be started, it stays as it is."""
    if os.name != "posix" or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0" or sys.stderr is None:
        yield
        return
    try:
        sys.stderr.flush()
        whole = os.dup(2)
    except (OSError, ValueError):
        yield
        return
    reading, writing = os.pipe()
    try:
        # in a session of its own: Ctrl-C is for the program, whose last words are still to be read
        line = [sys.executable, "-I", "-S", __file__]
        process = subprocess.Popen(line, stdin=reading, stdout=subprocess.DEVNULL, stderr=whole, start_new_session=True)
    except OSError:
        for descriptor in (reading, writing, whole):
            os.close(descriptor)
        yield
        return
    os.close(reading)
    os.dup2(writing, 2)
    os.close(writing)
    python_stderr = sys.stderr
    sys.stderr = open(whole, "w", buffering=1, encoding=python_stderr.encoding, errors=python_stderr.errors, closefd=False)  # noqa: SIM115
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = python_stderr
        os.dup2(whole, 2)  # which stays open: what has taken ``sys.stderr`` meanwhile, as loggers do, may write at exit
        with suppress(subprocess.TimeoutExpired):  # a process that the program has left behind still writes
            process.wait(_SECONDS_OF_THE_END)


def pass_on(source: int, write: Callable[[bytes], object]) -> None:
    """Reads lines until the last writer has closed, and writes those that are not dropped."""
    kept, passing = b"", False  # the begin of a line, and whether it was written
    while True:
        ready, _, _ = select.select([source], [], [], _SECONDS_OF_A_LINE if kept and not passing else None)
        if not ready:
            if not is_dropped(kept):
                write(kept)
                kept, passing = b"", True
                continue
            ready, _, _ = select.select([source], [], [])
        read = os.read(source, 65536)
        *lines, kept = (kept + read).split(b"\n")
        for line in lines:
            if passing or not is_dropped(line):
                write(line + b"\n")
            passing = False
        if passing or not read:
            if passing or not is_dropped(kept):
                write(kept)
            kept = b""
        if not read:
            return


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pass_on(0, lambda data: os.write(2, data))
