"""Values in a scene's JSON that change with time: keyframes, and what lies between them.

    {"keyframes": [[0, 0.2], [1.5, 0.8]], "interpolation": "smooth"}

stands for any value; the keys of each are (time in seconds, value).
"""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float64
from pydantic import Field

from luxel.configuration import cut, did_you_mean, shortened
from luxel.scene.errors import SceneError

Interpolation: TypeAlias = Literal["linear", "smooth"]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=1e6)]
KEYFRAMES: Final = "keyframes"
ROTATION: Final = "rotation"
"""The field of quaternions, which are turned and not mixed."""
HOW_KEYFRAMES_ARE_READ: Final = "render it with `luxel movie`, or take Animation.load(path)(time): docs/movie.md"
Interpolator: TypeAlias = Callable[[float], Float64[np.ndarray, "*shape"]]


def linear(times: Sequence[float], values: Float64[np.ndarray, "keys *shape"]) -> Interpolator:
    """a + (b − a) · (t − t_a) / (t_b − t_a) between neighbouring keys."""

    def at(time: float) -> Float64[np.ndarray, "*shape"]:
        after = bisect_right(times, time)
        share = (time - times[after - 1]) / (times[after] - times[after - 1])
        return np.asarray(values[after - 1] + share * (values[after] - values[after - 1]))

    return at


def smooth(times: Sequence[float], values: Float64[np.ndarray, "keys *shape"]) -> Interpolator:
    """Cubics with continuous slopes that stay between neighbouring keys, each number by itself.

    Fritsch and Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat.
    Comput. 5(2), 1984. As nothing overshoots, what is in range at its keys is so at all times.
    """
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(times, values)


def linear_rotation(times: Sequence[float], values: Float64[np.ndarray, "keys 4"]) -> Interpolator:
    """The shorter turn from key to key, at a steady rate: slerp (Shoemake 1985)."""
    from scipy.spatial.transform import Rotation, Slerp

    turn = Slerp(times, Rotation.from_quat(values, scalar_first=True))
    return lambda time: turn(time).as_quat(scalar_first=True)


def smooth_rotation(times: Sequence[float], values: Float64[np.ndarray, "keys 4"]) -> Interpolator:
    """Turns whose rate and acceleration are continuous (SciPy's RotationSpline)."""
    from scipy.spatial.transform import Rotation, RotationSpline

    turn = RotationSpline(times, Rotation.from_quat(values, scalar_first=True))
    return lambda time: turn(time).as_quat(scalar_first=True)


INTERPOLATORS: dict[tuple[bool, Interpolation], Callable[[Sequence[float], np.ndarray], Interpolator]] = {
    (False, "linear"): linear,
    (False, "smooth"): smooth,
    (True, "linear"): linear_rotation,
    (True, "smooth"): smooth_rotation,
}


@dataclass(frozen=True, eq=False)
class Track:
    """A number or a list of numbers that changes with time; before its first key and after its last it stands still."""

    place: str
    """In the file, of what has the keyframes."""
    within: str
    """In their values: empty, or `.position` of a whole camera."""
    times: tuple[float, ...]
    """In seconds, ascending."""
    values: Float64[np.ndarray, "keys *shape"]
    interpolation: Interpolation

    @property
    def field(self) -> str:
        """The field of the scene that this gives: camera.position."""
        return self.place + self.within

    def key_at(self, time: float) -> str | None:
        """Where in the file the value of this very time stands, `camera.keyframes[1][1].position`; None for no key."""
        if time not in self.times:
            return None
        return key_place(self.place, self.times.index(time), self.within)

    def __call__(self, time: float) -> Any:
        """The value at a time, as JSON has it; at a key, just as it was given."""
        before = bisect_right(self.times, time) - 1
        if before < 0 or before == len(self.times) - 1 or self.times[before] == time:
            return self.values[max(before, 0)].tolist()
        value = self._between(time)
        if not self._is_rotation:  # rounding may leave the keys' range, which may be all that the field allows
            ends = self.values[before : before + 2]
            value = value.clip(ends.min(0), ends.max(0))
        return value.tolist()

    @property
    def _is_rotation(self) -> bool:
        return self.field.rpartition(".")[2] == ROTATION and self.values.shape[1:] == (4,)

    @cached_property
    def _between(self) -> Interpolator:
        return INTERPOLATORS[self._is_rotation, self.interpolation](self.times, self.values)


def keyframed_place(values: Any) -> str | None:
    """Where, in JSON's values, the first keyframes are; None if there are none."""
    waiting = [("", values)]
    while waiting:
        place, value = waiting.pop()
        if is_keyframed(value):
            return place or "it"
        waiting += reversed(list(children(value, place)))
    return None


def is_keyframed(value: Any) -> bool:
    """Whether it is an object with keyframes."""
    return isinstance(value, dict) and KEYFRAMES in value


def children(values: Any, place: str) -> Iterator[tuple[str, Any]]:
    """What stands directly in JSON's values, each with its place."""
    if isinstance(values, dict):
        yield from ((f"{place}.{cut(name)}".lstrip("."), value) for name, value in values.items())
    elif isinstance(values, list):
        yield from ((f"{place}[{index}]", value) for index, value in enumerate(values))


def with_tracks(values: Any, place: str = "") -> Any:
    """JSON's values with Tracks for keyframes; those of a whole camera or object become its numbers'.

    Raises SceneError, with place and value, for keyframes that are not as they must be.
    """
    if is_keyframed(values):
        return tracks_of(keys_of(values, place))
    parts = [with_tracks(value, where) for where, value in children(values, place)]
    if isinstance(values, dict):
        return dict(zip(values, parts, strict=True))
    return parts if isinstance(values, list) else values


def at_time(values: Any, time: float) -> Any:
    """JSON's values with those of the Tracks at a time in seconds."""
    if isinstance(values, Track):
        return values(time)
    if isinstance(values, dict):
        return {name: at_time(value, time) for name, value in values.items()}
    return [at_time(value, time) for value in values] if isinstance(values, list) else values


def tracks_in(values: Any) -> Iterator[Track]:
    """All Tracks among the values."""
    if isinstance(values, Track):
        yield values
    elif isinstance(values, dict | list):
        yield from itertools.chain.from_iterable(
            map(tracks_in, values.values() if isinstance(values, dict) else values)
        )


@dataclass(frozen=True)
class Keys:
    """Keyframes as they stand in a file, of any kind of value."""

    place: str
    within: str
    times: tuple[float, ...]
    values: list[Any]
    interpolation: Interpolation

    def of(self, part: str | int) -> "Keys":
        """Those of a field, or of an item, of every value."""
        within = f"{self.within}[{part}]" if isinstance(part, int) else f"{self.within}.{cut(part)}"
        return replace(self, within=within, values=[value[part] for value in self.values])


def key_place(place: str, number: int, within: str = "") -> str:
    """Where a key's value stands in the file."""
    return f"{place}.{KEYFRAMES}[{number}][1]{within}"


def keys_of(values: dict[str, Any], place: str) -> Keys:
    """The keys that {"keyframes": …, "interpolation": …} gives. Raises SceneError."""
    known = (KEYFRAMES, "interpolation")
    for name in values:
        if name not in known:
            guess = did_you_mean(name, known)
            raise SceneError(f"{place}.{cut(name)} is not a known field beside keyframes; it has interpolation{guess}")
    interpolation = values.get("interpolation", "linear")
    if interpolation not in get_args(Interpolation):
        allowed = " or ".join(get_args(Interpolation))
        raise SceneError(f"{place}.interpolation is {shortened(interpolation)}, must be {allowed}")
    pairs = values[KEYFRAMES]
    if not isinstance(pairs, list) or not pairs:
        raise SceneError(f"{place}.{KEYFRAMES} is {shortened(pairs)}, must be a list of [time in seconds, value]")
    times: list[float] = []
    for number, pair in enumerate(pairs):
        key = f"{place}.{KEYFRAMES}[{number}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise SceneError(f"{key} is {shortened(pair)}, must be [time in seconds, value]")
        time = pair[0]
        if not is_number(time) or not 0 <= time <= 1e6:
            raise SceneError(f"{key}[0] is {shortened(time)}, must be a time in seconds, in [0, 1e6]")
        if times and time <= times[-1]:
            raise SceneError(f"{key}[0] is {shortened(time)}, must be later than the key before, at {times[-1]:g} s")
        times.append(float(time))
    return Keys(place, "", tuple(times), [value for _, value in pairs], interpolation)


def tracks_of(keys: Keys) -> Any:
    """A Track of numbers; of fields or lists, one for each number in them. What is the same in all keys stays itself.

    Raises SceneError for a key whose value is not made as the first one's is.
    """
    first = keys.values[0]
    for number, value in enumerate(keys.values):
        place = key_place(keys.place, number, keys.within)
        if is_keyframed(value):
            raise SceneError(f"{place} has keyframes of its own; give all keys in one list")
        if (problem := difference(first, value)) is not None:
            of_first = key_place(keys.place, 0, keys.within)
            raise SceneError(
                f"{place} is {shortened(value)}, must {problem} as {of_first}, which is {shortened(first)}"
            )
    if is_number(first) or (isinstance(first, list) and first and all(map(is_number, itertools.chain(*keys.values)))):
        return Track(keys.place, keys.within, keys.times, np.array(keys.values, np.float64), keys.interpolation)
    if isinstance(first, dict):
        return {name: tracks_of(keys.of(name)) for name in first}
    return [tracks_of(keys.of(index)) for index in range(len(first))] if isinstance(first, list) else first


def difference(first: Any, value: Any) -> str | None:
    """What two keys' values must, and do not, have in common."""
    if is_number(first):
        return None if is_number(value) else "be a finite number"
    if isinstance(first, dict):
        return None if isinstance(value, dict) and value.keys() == first.keys() else "have the same fields"
    if isinstance(first, list):
        return None if isinstance(value, list) and len(value) == len(first) else "be a list of the same length"
    return None if type(value) is type(first) and value == first else "be the same"


def is_number(value: Any) -> bool:
    """Whether it is a number, and one that is finite in float64."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
