"""What threads compute not far ahead of the one that asks."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_MOST_THREADS = 16
_T = TypeVar("_T")


def in_order(function: Callable[[int], _T], first: int, stop: int, chunk: int = 1) -> Iterator[_T]:
    """Yields ``function(first)`` to ``function(stop - 1)``, computed by threads not far ahead.

    (`Executor.map` would begin all of them at once, and hold what nobody has asked for yet.)

    Args:
        function: Called from threads; what it raises is raised here.
        first, stop: The range of its argument.
        chunk: How many calls a thread makes in a row.
    """
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    pool = ThreadPoolExecutor(threads)
    ahead: deque[Future[list[_T]]] = deque()
    try:
        for begin in range(first, stop, chunk):
            ahead.append(pool.submit(lambda part: [function(i) for i in part], range(begin, min(begin + chunk, stop))))
            if len(ahead) > 2 * threads:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
