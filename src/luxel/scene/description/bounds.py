"""Numbers that a scene may have, with the ranges that validation holds them to."""

import math
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from luxel.scene.limits import MAX_LENGTH, MAX_RADIANCE, MIN_LENGTH


@dataclass(frozen=True)
class Between:
    """A check that a number lies in [low, high]; NaN never does."""

    low: float
    high: float
    allowed: str
    """The interval in words."""

    def __call__(self, value: float) -> float:
        """The value, if it lies there."""
        if not self.low <= value <= self.high:
            raise PydanticCustomError("range", "must be {allowed}", {"allowed": self.allowed})
        return value + 0.0  # −0.0 becomes 0.0, so that equal scenes have equal JSON


def _between(low: float, high: float, words: str = "a number in {}") -> AfterValidator:
    """The check, whose message has the interval between the words: [0, 1e6]."""
    interval = f"[{low:g}, {high:g}]".replace("e+0", "e").replace("e-0", "e-")
    return AfterValidator(Between(low, high, words.format(interval)))


Number = Annotated[float, Field(strict=True)]  # neither "1" nor true
Finite = Annotated[Number, _between(-MAX_LENGTH, MAX_LENGTH)]
Positive = Annotated[Number, _between(MIN_LENGTH, MAX_LENGTH)]
NonNegative = Annotated[Number, _between(0.0, MAX_RADIANCE)]
Unit = Annotated[Number, _between(0.0, 1.0, "in {}")]
FieldOfView = Annotated[Number, _between(1.0, 170.0, "in {} degrees")]
AngularRadius = Annotated[Number, _between(0.01, 90.0, "in {} degrees")]

Vector: TypeAlias = tuple[Finite, Finite, Finite]
Axes: TypeAlias = tuple[Positive, Positive, Positive]
Color: TypeAlias = tuple[Unit, Unit, Unit]
RGB: TypeAlias = tuple[NonNegative, NonNegative, NonNegative]


def _normalised(what: str) -> AfterValidator:
    """Makes the length 1, but leaves it alone within 1e-5 of that, so that what is read is what was written."""

    def normalise(vector: tuple[float, ...]) -> tuple[float, ...]:
        length = math.hypot(*vector)
        if length < MIN_LENGTH:
            raise PydanticCustomError("range", "must be {what} other than zero", {"what": what})
        if abs(length - 1) < 1e-5:
            return vector
        return tuple(component / length + 0.0 for component in vector)  # + 0.0: no −0.0, as above

    return AfterValidator(normalise)


Quaternion: TypeAlias = Annotated[tuple[Finite, Finite, Finite, Finite], _normalised("a quaternion (w, x, y, z)")]
Direction: TypeAlias = Annotated[Vector, _normalised("a vector")]

IDENTITY: Quaternion = (1.0, 0.0, 0.0, 0.0)
