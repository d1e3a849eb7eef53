"""Named distributions of scenes: `scene = distribution(seed, index)`, the same on every machine.

Numbers come from Philox's raw bits, whose stream NumPy guarantees, through inverse distribution functions
of our own, and are rounded to 6 decimals, so that the last bit of a math library changes no scene.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias, get_args

import numpy as np

from luxel import InputError
from luxel.scene.description import Camera, Ellipsoid, Material, Object, Scene, Sphere

BackgroundName = Literal["grey", "black", "white"]

CAMERA = Camera(position=(0.0, -4.5, 0.9), look_at=(0.0, 0.0, 0.0), vertical_fov_degrees=35.0)
CUBE = 1.0  # centres lie in [-CUBE, CUBE]³
BACKGROUNDS: dict[BackgroundName, float] = {"grey": 0.2, "black": 0.0, "white": 0.8}
MIN_ROUGHNESS = 0.04  # the BSDF can't tell what is below √0.001 ≈ 0.032 from it


class Draws:
    """The random numbers of one scene, a function of (seed, index) alone."""

    def __init__(self, seed: int, index: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(index,)))

    def unit(self) -> float:
        """Uniform in [0, 1), from the upper 53 bits of a raw draw."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def uniform(self, low: float, high: float) -> float:
        """Uniform in [low, high], rounded."""
        return round(low + (high - low) * self.unit(), 6)

    def log_uniform(self, low: float, high: float) -> float:
        """Uniform in its logarithm, rounded."""
        return round(low * (high / low) ** self.unit(), 6)

    def skewed(self, power: float) -> float:
        """A uniform number in [0, 1) to a power: the higher, the nearer to 0; rounded."""
        return round(self.unit() ** power, 6)

    def integer(self, low: int, high: int) -> int:
        """Uniform in low..high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def normal(self) -> float:
        """Standard normal, not rounded; the argument stays off 0, where the inverse is infinite."""
        return NormalDist().inv_cdf(self.unit() + 2.0**-54)

    def triple(self, low: float, high: float) -> tuple[float, float, float]:
        """Three independent uniform numbers."""
        return self.uniform(low, high), self.uniform(low, high), self.uniform(low, high)


def light(draws: Draws) -> Material:
    """A dark emitter, of log-normal radiance (median 3, one standard deviation a factor of 2.2)."""
    radiance = 3.0 * math.exp(0.8 * draws.normal())
    red, green, blue = (round(radiance * tint, 6) for tint in draws.triple(0.3, 1.0))
    return Material(
        base_color=draws.triple(0.0, 1.0),
        roughness=draws.uniform(MIN_ROUGHNESS, 1.0),
        emission=(red, green, blue),
    )


def glass(draws: Draws) -> Material:
    """A transmissive dielectric with a light tint, smooth more often than rough."""
    return Material(
        base_color=draws.triple(0.6, 1.0),
        specular=draws.uniform(0.3, 1.0),
        roughness=max(MIN_ROUGHNESS, draws.skewed(2.0)),
        transmission=draws.uniform(0.7, 1.0),
    )


def opaque(draws: Draws) -> Material:
    """Any colour and roughness; metallic and specular are skewed towards 0."""
    return Material(
        base_color=draws.triple(0.0, 1.0),
        metallic=draws.skewed(3.0),
        specular=draws.skewed(2.0),
        roughness=draws.uniform(MIN_ROUGHNESS, 1.0),
    )


def material(draws: Draws, lights: float) -> Material:
    """A share `lights` emits, 15 % transmit, the others reflect."""
    kind = draws.unit()
    return light(draws) if kind < lights else glass(draws) if kind < lights + 0.15 else opaque(draws)


def sphere(draws: Draws, surface: Material) -> Sphere:
    """A sphere somewhere in the cube, small ones more often than large ones."""
    return Sphere(center=draws.triple(-CUBE, CUBE), radius=draws.log_uniform(0.17, 0.65), material=surface)


def ellipsoid(draws: Draws, surface: Material) -> Ellipsoid:
    """An ellipsoid somewhere in the cube, turned by a uniformly distributed rotation.

    Four independent normal numbers, normalised, are uniform on the unit quaternions.
    """
    direction = [draws.normal() for _ in range(4)]
    w, x, y, z = (round(component / math.hypot(*direction), 6) for component in direction)
    size = draws.log_uniform(0.22, 0.75)
    stretch = [draws.log_uniform(0.4, 1.25) for _ in range(3)]
    a, b, c = (round(size * factor, 6) for factor in stretch)
    return Ellipsoid(center=draws.triple(-CUBE, CUBE), rotation=(w, x, y, z), semi_axes=(a, b, c), material=surface)


def _placed(
    draws: Draws, surface: Material, others: list[Object], shape: Callable[[Draws, Material], Object]
) -> Object:
    """The first of 8 tries that overlaps no other, or the last: overlap is rare, but not unknown."""
    for _ in range(8):
        candidate = shape(draws, surface)
        if not any(_overlap(candidate, other) for other in others):
            break
    return candidate


def _overlap(one: Object, other: Object) -> bool:
    """Whether the bounding spheres meet."""
    return math.dist(one.center, other.center) < max(one.semi_axes) + max(other.semi_axes)


@dataclass(frozen=True)
class Arrangement(ABC):
    """1..max_objects objects in the cube before CAMERA; in the dark the first one is a light.

    A distribution names itself and says what to place.
    """

    max_objects: int = 12
    background: BackgroundName = "grey"
    lights: float = 0.25
    """Share of the objects that emit."""

    @abstractmethod
    def shape(self, draws: Draws, surface: Material) -> Object:
        """One object, somewhere in the cube."""

    def __post_init__(self) -> None:
        if self.max_objects < 1:
            raise InputError(f"max_objects is {self.max_objects}, must be at least 1")
        if not 0 <= self.lights <= 1:
            raise InputError(f"lights is {self.lights}, must be in [0, 1]")

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`."""
        draws = Draws(seed, index)
        objects: list[Object] = []
        for position in range(draws.integer(1, self.max_objects)):
            dark = position == 0 and self.background == "black"
            surface = light(draws) if dark else material(draws, self.lights)
            objects.append(_placed(draws, surface, objects, self.shape))
        grey = BACKGROUNDS[self.background]
        return Scene(objects=tuple(objects), camera=CAMERA, background=(grey, grey, grey))


@dataclass(frozen=True)
class Spheres(Arrangement):
    """Spheres in a cube before one camera, some light, some glass: the lab log's scenes."""

    name: Literal["spheres"] = "spheres"

    def shape(self, draws: Draws, surface: Material) -> Sphere:
        """A sphere."""
        return sphere(draws, surface)


@dataclass(frozen=True)
class Ellipsoids(Arrangement):
    """The same with ellipsoids of random axes and rotation."""

    name: Literal["ellipsoids"] = "ellipsoids"

    def shape(self, draws: Draws, surface: Material) -> Ellipsoid:
        """An ellipsoid."""
        return ellipsoid(draws, surface)


Distribution: TypeAlias = Spheres | Ellipsoids
DISTRIBUTIONS: dict[str, type[Distribution]] = {kind.name: kind for kind in get_args(Distribution)}
