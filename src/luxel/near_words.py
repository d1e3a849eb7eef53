"""Functions whose complaint about a misspelt argument names the one that was meant, which Python does from 3.13 on."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from luxel.configuration import did_you_mean

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def naming_near_words(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function; TypeError for an argument by a name that it has not ends in the nearest that it has."""
    known = signature(function).parameters

    @wraps(function)
    def checked(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        for name in named:
            if name not in known:
                said = f"{function.__qualname__}() got an unexpected keyword argument {name!r}"
                raise TypeError(said + did_you_mean(name, known))
        return function(*arguments, **named)

    return checked
