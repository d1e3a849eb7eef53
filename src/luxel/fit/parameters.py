"""Names of a scene's numbers, "objects[2].material.base_color", and vectors of those that are free.

A leaf is a field of floats: a colour, a centre, a roughness, one of the camera's. `leaf[0]` is one component of it. The
choice of objects, shapes and outlines has no derivative and no leaf.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from jaxtyping import Float64
from pydantic import AfterValidator, BaseModel

from luxel import InputError
from luxel.configuration import did_you_mean, shortened
from luxel.scene.description import Between, Camera, Panel, Scene
from luxel.scene.errors import SceneError

Path = tuple[str | int, ...]
Vector = Float64[np.ndarray, " numbers"]


@dataclass(frozen=True)
class Views:
    """A scene and the cameras that see it, one a picture.

    Of one camera the leaves are `camera.position` and so on, of several `cameras[0].position` …
    """

    scene: Scene
    cameras: tuple[Camera, ...]

    @staticmethod
    def of(scene: Scene, cameras: Sequence[Camera] | None = None) -> "Views":
        """The scene as its own camera sees it, or as `cameras` do."""
        return Views(scene, (scene.camera,) if cameras is None else tuple(cameras))

    @cached_property
    def scenes(self) -> list[Scene]:
        """The scene, once for each camera."""
        return [self.scene.model_copy(update={"camera": camera}) for camera in self.cameras]

    @property
    def roots(self) -> dict[str, Any]:
        """Where names begin."""
        cameras = {"camera": self.cameras[0]} if len(self.cameras) == 1 else {"cameras": self.cameras}
        far = {"sky": self.scene.sky, "sun": self.scene.sun}
        there = {name: value for name, value in far.items() if value is not None}
        return {"objects": self.scene.objects, **cameras, "background": self.scene.background, **there}

    def at(self, path: Path) -> Any:
        """What stands there."""
        found: Any = self.roots[str(path[0])]
        for part in path[1:]:
            found = found[part] if isinstance(part, int) else getattr(found, part)
        return found

    def changed(self, path: Path, value: Any) -> "Views":
        """These with another value there. Raises SceneError for one that may not be."""
        root = str(path[0])
        changed = _changed(self.roots[root], path[1:], value)
        if root == "camera":
            return replace(self, cameras=(changed,))
        if root == "cameras":
            return replace(self, cameras=changed)
        return replace(self, scene=self.scene.model_copy(update={root: changed}))


def _changed(node: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        return (*node[:head], _changed(node[head], rest, value), *node[head + 1 :])
    return node.model_copy(update={head: _changed(getattr(node, head), rest, value)})


@dataclass(frozen=True)
class Leaf:
    """A field of floats, or one component of it."""

    name: str
    path: Path
    shape: tuple[int, ...]
    """() of a number, (3,) of a colour."""
    low: tuple[float, ...]
    """The least that each number may be, as the field declares it or the user does."""
    high: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return len(self.low)

    def read(self, views: Views) -> tuple[float, ...]:
        """Its numbers."""
        value = views.at(self.path)
        return value if isinstance(value, tuple) else (value,)

    def written(self, views: Views, numbers: Sequence[float]) -> Views:
        """The views with its numbers changed; SceneError if they may not be these."""
        values = tuple(map(float, numbers))
        return views.changed(self.path, values if self.shape else values[0])

    @property
    def numbers(self) -> list[str]:
        """A name for each of its numbers."""
        return [f"{self.name}[{index}]" for index in range(self.size)] if self.shape else [self.name]


@dataclass(frozen=True)
class Parameters:
    """The free leaves of views, as one vector of float64."""

    start: Views
    leaves: tuple[Leaf, ...]

    @staticmethod
    def of(views: Views, names: Sequence[str], bounds: Mapping[str, tuple[float, float]] | None = None) -> "Parameters":
        """The leaves of these names; `bounds` are (low, high) of some of them, within what their fields declare.

        Raises InputError for a name that there is not, or that is free twice, and for bounds that leave out the start.
        """
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise InputError(f'free is {shortened(names)}, must be a list of names, ["objects[0].center"]')
        if not names:
            raise InputError("nothing is free: name at least one parameter, such as objects[0].center")
        leaves = [find_leaf(views, name) for name in names]
        taken: dict[Path, str] = {}
        for leaf in leaves:
            for prefix in (leaf.path[:end] for end in range(1, len(leaf.path) + 1)):
                if prefix in taken:
                    raise InputError(f"{leaf.name} is free twice, by itself and within {taken[prefix]}; name it once")
            within = next((name for path, name in taken.items() if path[: len(leaf.path)] == leaf.path), None)
            if within is not None:
                raise InputError(f"{within} is free twice, by itself and within {leaf.name}; name it once")
            taken[leaf.path] = leaf.name
        return Parameters(views, tuple(_bounded(leaves, views, bounds or {})))

    @property
    def names(self) -> list[str]:
        """One for each number of the vector."""
        return [name for leaf in self.leaves for name in leaf.numbers]

    @property
    def low(self) -> Vector:
        """The least that each number may be."""
        return np.array([low for leaf in self.leaves for low in leaf.low])

    @property
    def high(self) -> Vector:
        """The most that each number may be."""
        return np.array([high for leaf in self.leaves for high in leaf.high])

    def read(self, views: Views) -> Vector:
        """The free numbers of views."""
        return np.array([number for leaf in self.leaves for number in leaf.read(views)], np.float64)

    def at(self, vector: Vector) -> Views:
        """The views whose free numbers these are. Raises SceneError if they may not be."""
        views, begin = self.start, 0
        for leaf in self.leaves:
            views = leaf.written(views, vector[begin : begin + leaf.size].tolist())
            begin += leaf.size
        return views

    def at_if_any(self, vector: Vector) -> Views | None:
        """As `at`; None where there is no such scene, as of a camera that is where it looks at."""
        try:
            return self.at(vector)
        except SceneError:
            return None

    def views_seen(self) -> list[range]:
        """For each number, the views that it can change: a camera's only its own."""
        every = range(len(self.start.cameras))
        own = [range(int(p[1]), int(p[1]) + 1) if p[0] == "cameras" else every for p in (x.path for x in self.leaves)]
        return [views for leaf, views in zip(self.leaves, own, strict=True) for _ in range(leaf.size)]


def leaf_names(scene: Scene, cameras: Sequence[Camera] | None = None) -> list[str]:
    """Every name that may be free, "objects[0].center" …; of several cameras "cameras[0].position" …"""
    return [leaf.name for leaf in _leaves(Views.of(scene, cameras))]


def find_leaf(views: Views, name: str) -> Leaf:
    """The leaf, or the component of one, of this name. Raises InputError with what may have been meant."""
    if not isinstance(name, str):
        raise InputError(f"{shortened(name)} is no name, must be text, such as objects[0].center")
    place = re.match(r"(objects|cameras)\[(\d+)\]", name)
    if place and place[1] in views.roots and int(place[2]) >= len(views.roots[place[1]]):
        last = len(views.roots[place[1]]) - 1
        raise InputError(f"{name}: there is no {place[0]}; the {place[1]} are 0 to {last}")
    known = {leaf.name: leaf for leaf in _leaves(views, only=int(place[2]) if place else None)}
    if name in known:
        return known[name]
    component = re.fullmatch(r"(.+)\[(\d+)\]", name)
    if component and component[1] in known and (leaf := known[component[1]]).shape:
        index = int(component[2])
        if index >= leaf.size:
            raise InputError(f"{name}: {leaf.name} has the components 0 to {leaf.size - 1}")
        return Leaf(name, (*leaf.path, index), (), leaf.low[index : index + 1], leaf.high[index : index + 1])
    hint = did_you_mean(name, known, 3) or f"; known are {', '.join(list(known)[:12])} …"
    raise InputError(f"{shortened(name)} is no parameter of this scene{hint}")


def _leaves(views: Views, only: int | None = None) -> Iterator[Leaf]:
    """All leaves, or those of one object, or camera, and of what has no number."""
    for root, node in views.roots.items():
        if root == "background":
            low, high = zip(*_fields(Scene)["background"], strict=True)
            yield Leaf(root, (root,), (3,), low, high)
        elif isinstance(node, BaseModel):
            yield from _leaves_of(node, root, (root,))
        else:
            for index in range(len(node)) if only is None else [only][: only < len(node)]:
                yield from _leaves_of(node[index], f"{root}[{index}]", (root, index))


def _leaves_of(model: BaseModel, name: str, path: Path, opaque: bool = False) -> Iterator[Leaf]:
    for field, ranges in _fields(type(model)).items():
        value = getattr(model, field)
        if isinstance(model, Camera) and field in model.unused_fields:
            continue
        if isinstance(value, BaseModel):
            yield from _leaves_of(value, f"{name}.{field}", (*path, field), isinstance(model, Panel))
        elif ranges and not (opaque and field == "transmission"):  # which is 0 of a panel's material
            low, high = zip(*ranges, strict=True)
            shape = (len(ranges),) if isinstance(value, tuple) else ()
            yield Leaf(f"{name}.{field}", (*path, field), shape, low, high)


@cache
def _fields(kind: type[BaseModel]) -> dict[str, list[tuple[float, float]]]:
    """The range of each number of each field; [] of what is not made of floats."""
    hints = get_type_hints(kind, include_extras=True)
    return {field: _ranges(hints[field]) for field in kind.model_fields}


def _ranges(hint: Any, low: float = -math.inf, high: float = math.inf) -> list[tuple[float, float]]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is float:
        return [(low, high)]
    if origin is Annotated:
        checks = [mark.func for mark in arguments[1:] if isinstance(mark, AfterValidator)]
        for check in checks:
            if isinstance(check, Between):
                low, high = max(low, check.low), min(high, check.high)
        return _ranges(arguments[0], low, high)
    if origin in (Union, UnionType) and arguments[1:] == (type(None),):
        return _ranges(arguments[0], low, high)
    if origin is tuple and Ellipsis not in arguments:
        return [one for part in arguments for one in _ranges(part, low, high)]
    return []


def _bounded(leaves: Sequence[Leaf], views: Views, bounds: Mapping[str, tuple[float, float]]) -> Iterator[Leaf]:
    """The leaves, with the user's bounds where these are narrower."""
    for name in bounds:
        if all(leaf.name != name for leaf in leaves):
            free = [leaf.name for leaf in leaves]
            hint = did_you_mean(name, free) or f"; free are {', '.join(free[:12])}"
            raise InputError(f"bounds of {shortened(name)}, which is not free{hint}")
    for leaf in leaves:
        if leaf.name in bounds:
            given = bounds[leaf.name]
            if len(given) != 2 or not all(isinstance(end, int | float) for end in given) or not given[0] < given[1]:
                raise InputError(f"bounds of {leaf.name} are {shortened(given)}, must be low < high")
            leaf = replace(
                leaf,
                low=tuple(max(low, float(given[0])) for low in leaf.low),
                high=tuple(min(high, float(given[1])) for high in leaf.high),
            )
        for number, value, low, high in zip(leaf.numbers, leaf.read(views), leaf.low, leaf.high, strict=True):
            if low == high:
                raise InputError(
                    f"{number} is free, but its bounds leave it {low:g} alone; widen them, or do not free it"
                )
            if not low <= value <= high:
                raise InputError(f"{number} is {value:g} at the start, must be in its bounds [{low:g}, {high:g}]")
        yield leaf
