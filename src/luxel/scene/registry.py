"""What a distribution of scenes is, and the registry of those that have a name: Luxel's and your own.

    @luxel.register
    def marbles(seed: int, index: int) -> Scene:
        ...

    @luxel.register
    @dataclass(frozen=True)
    class Towers:
        floors: int = 3

        def __call__(self, seed: int, index: int) -> Scene:
            ...

Both are then called by name: `luxel generate marbles --plugin MODULE`.
"""

import re
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from traceback import extract_tb
from typing import Any, ClassVar, TypeAlias, TypeVar

from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

from luxel import InputError, InputWarning
from luxel.configuration import Configuration, shortened
from luxel.scene.description import Scene

ENTRY_POINTS = "luxel.distributions"
"""The group in which an installed package names a module that registers distributions."""
NAME_ITS_MODULE = "give the module that registers it with --plugin"
Scenes: TypeAlias = Callable[[int, int], Scene] | type[Any]
Registered = TypeVar("Registered", bound=Scenes)


@dataclass(frozen=True)
class Distribution(Configuration, ABC):
    """Scenes by number: `scene = distribution(seed, index)`, a function of both alone, the same on every machine.

    Data sets take the numbers 0, 1, …; streams of fresh scenes very large ones, all of which should give different
    scenes. A distribution is a frozen dataclass; its fields, numbers or text with defaults, are its parameters. In
    JSON it is an object of its name and fields.
    """

    name: ClassVar[str]
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @abstractmethod
    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A field of type Distribution takes any that is registered when it is read."""
        if cls is not Distribution:
            return handler(source)
        to_json = core_schema.plain_serializer_function_ser_schema(parameters)
        return core_schema.no_info_plain_validator_function(_validated, serialization=to_json)


DISTRIBUTIONS: dict[str, type[Distribution]] = {}
"""All that are registered, by name; `known_distributions` loads those of installed packages first."""


def register(scenes: Registered) -> Registered:
    """Give a distribution of scenes a name, by which commands and configurations know it; return it unchanged.

    A function (seed, index) → Scene has its own name. A frozen dataclass with such a `__call__` has that of its
    class, in small letters, unless a class variable `name` says otherwise. Raises InputError for anything else, and
    for a name that is taken.
    """
    if isinstance(scenes, type):
        kind = _checked(scenes)
    elif callable(scenes) and hasattr(scenes, "__name__"):
        kind = _of_function(scenes)
    else:
        raise InputError(f"{shortened(scenes)} cannot be registered: it must be a function or a frozen dataclass")
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", kind.name):
        raise InputError(f"name of a distribution is {kind.name!r}, must be small letters, digits and _")
    there = DISTRIBUTIONS.get(kind.name, kind)
    if (there.__module__, there.__qualname__) != (kind.__module__, kind.__qualname__):  # else defined once more
        raise InputError(f"distribution {kind.name!r} is there already, of {there.__module__}; choose another name")
    DISTRIBUTIONS[kind.name] = kind
    return scenes


def _checked(kind: type[Any]) -> type[Distribution]:
    """The class as a distribution, with its name."""
    name = kind.__name__
    is_frozen = is_dataclass(kind) and vars(kind)["__dataclass_params__"].frozen
    if not is_frozen or not any("__call__" in vars(base) for base in kind.__mro__):
        raise InputError(f"{name} cannot be registered: it must be a frozen dataclass with __call__(self, seed, index)")
    for field in fields(kind):
        if field.name == "name" or not isinstance(field.default, str | int | float):
            raise InputError(
                f"{name}.{field.name}: a field of a distribution must have a number or text as its default, and "
                "another name than `name`, which is a class variable"
            )
    if not issubclass(kind, Distribution):
        Distribution.register(kind)
        kind.__pydantic_config__ = Distribution.__pydantic_config__
    if "name" not in vars(kind):
        kind.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return kind


def _of_function(function: Callable[[int, int], Scene]) -> type[Distribution]:
    """A class, without fields, whose instances call the function."""

    @dataclass(frozen=True)
    class OfFunction(Distribution):
        name: ClassVar[str] = function.__name__

        def __call__(self, seed: int, index: int) -> Scene:
            return function(seed, index)

        def __reduce__(self) -> tuple[Any, ...]:  # sent to another process as the function
            return _instance_of, (function,)

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(OfFunction, name, getattr(function, name))
    return OfFunction


def _instance_of(function: Callable[[int, int], Scene]) -> Distribution:
    return DISTRIBUTIONS[function.__name__]()


def distribution_type(name: Any) -> type[Distribution]:
    """The distribution of this name. Raises InputError for a name that there is not."""
    if name in DISTRIBUTIONS or name in known_distributions():
        return DISTRIBUTIONS[name]
    raise InputError(
        f"distribution {shortened(name)} is unknown; choose one of {', '.join(DISTRIBUTIONS)}, or {NAME_ITS_MODULE}"
    )


def parameters(distribution: Distribution) -> dict[str, str | int | float]:
    """Its name and the fields that decide its scenes: those which are not left out of comparisons."""
    values = {field.name: getattr(distribution, field.name) for field in fields(distribution) if field.compare}
    return {"name": distribution.name, **values}


def _validated(value: Any) -> Distribution:
    """The distribution that a JSON object describes, or `value` if it is one."""
    if isinstance(value, Distribution):
        return value
    if not isinstance(value, dict):
        raise InputError(
            f"distribution is {shortened(value)}, must be a distribution; one of your own after luxel.register"
        )
    kind = distribution_type(value.get("name"))
    return TypeAdapter(kind).validate_python({name: field for name, field in value.items() if name != "name"})


def known_distributions() -> dict[str, type[Distribution]]:
    """Every distribution by name, those of installed packages included."""
    _load_entry_points()
    return DISTRIBUTIONS


@cache
def _load_entry_points() -> None:
    """Import the modules that installed packages name, once; of one that cannot be, InputWarning says why."""
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as error:
            left_out = f"distributions of {entry.value} are left out: {_told(error)}; mend or uninstall the package"
            warnings.warn(left_out, InputWarning, stacklevel=2)


_plugins: list[str] = []


def loaded_plugins() -> list[str]:
    """The modules that `load_plugin` has imported, for other processes to import them too."""
    return list(_plugins)


def load_plugin(module: str) -> None:
    """Import a module that registers distributions, from the current folder or installed.

    Raises InputError, with its cause, if that fails.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        import_module(module)
    except Exception as error:
        remedy = "name a module of the current folder, or an installed one" if isinstance(error, ImportError) else ""
        told = "; ".join([f"--plugin {module}: cannot be imported: {_told(error)}", *filter(None, [remedy])])
        raise InputError(told) from error
    if module not in _plugins:
        _plugins.append(module)


def _told(error: Exception) -> str:
    """An error of somebody's module on one line, with its place there."""
    place = extract_tb(error.__traceback__)[-1]
    where = "" if "importlib" in place.filename else f" ({place.filename}, line {place.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
