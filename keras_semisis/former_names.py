"""Public names of an earlier version, which stay for one version with a warning."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable)


def former_argument(**names: str) -> Callable[[Function], Function]:
    """Lets a function take arguments by the names that they had.

    Example:

    >>> @former_argument(colour="color")
    ... def paint(color):
    ...     return color
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DeprecationWarning)
    ...     paint(colour="red")
    'red'
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args, **kwargs):
            for former, name in names.items():
                if former in kwargs:
                    if name in kwargs:
                        raise TypeError(f"{function.__qualname__}: {former} is the former name of {name}. Give {name} alone.")
                    _warn(f"{function.__qualname__}: the argument {former}", name)
                    kwargs[name] = kwargs.pop(former)
            return function(*args, **kwargs)

        return cast(Function, call)

    return decorate


def former_method(former: str, name: str) -> Callable:
    """A method by the name that it had, to be an attribute of that name in the class."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _warn(f"{type(self).__name__}.{former}", name)
        return getattr(self, name)(*args, **kwargs)

    method.__name__, method.__doc__ = former, f"`{name}`, as it was called before."
    return method


def _warn(what, name):
    warnings.warn(f"{what} is called {name} now; the former name goes with the next version.", DeprecationWarning, stacklevel=3)
