"""Named distributions of scenes: `scene = distribution(seed, index)`, the same on every machine."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Field

from luxel.configuration import MAX_OBJECTS, Objects, Share
from luxel.scene.camera import rotation_matrix
from luxel.scene.clevr import Clevr
from luxel.scene.composed import Composed
from luxel.scene.description import Camera, Ellipsoid, Material, Scene, Sphere
from luxel.scene.draws import Draws
from luxel.scene.outdoor import Outdoor
from luxel.scene.registry import Distribution, register

BackgroundName = Literal["grey", "black", "white"]
Round: TypeAlias = Sphere | Ellipsoid
"""What the distributions place."""

CAMERA = Camera(position=(0.0, -4.5, 0.9), look_at=(0.0, 0.0, 0.0), vertical_fov_degrees=35.0)
CUBE = 1.0  # centres lie in [-CUBE, CUBE]³
BACKGROUNDS: dict[BackgroundName, float] = {"grey": 0.2, "black": 0.0, "white": 0.8}
MIN_ROUGHNESS = 0.04  # the BSDF can't tell what is below √0.001 ≈ 0.032 from it


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


def metal(draws: Draws) -> Material:
    """A bright metal, smooth more often than rough."""
    return Material(
        base_color=draws.triple(0.3, 1.0),
        metallic=1.0,
        roughness=max(MIN_ROUGHNESS, draws.skewed(2.0)),
    )


def material(draws: Draws, lights: float) -> Material:
    """A share `lights` emits, 15 % transmit, the others reflect."""
    kind = draws.unit()
    return light(draws) if kind < lights else glass(draws) if kind < lights + 0.15 else opaque(draws)


def sphere(draws: Draws, surface: Material) -> Sphere:
    """A sphere somewhere in the cube, small ones more often than large ones."""
    return Sphere(center=draws.triple(-CUBE, CUBE), radius=draws.log_uniform(0.17, 0.65), material=surface)


def ellipsoid(draws: Draws, surface: Material) -> Ellipsoid:
    """An ellipsoid somewhere in the cube, turned by a uniformly distributed rotation."""
    w, x, y, z = (round(component, 6) for component in draws.quaternion())
    size = draws.log_uniform(0.22, 0.75)
    stretch = [draws.log_uniform(0.4, 1.25) for _ in range(3)]
    a, b, c = (round(size * factor, 6) for factor in stretch)
    return Ellipsoid(center=draws.triple(-CUBE, CUBE), rotation=(w, x, y, z), semi_axes=(a, b, c), material=surface)


def _placed(draws: Draws, surface: Material, others: list[Round], shape: Callable[[Draws, Material], Round]) -> Round:
    """The first of 8 tries that overlaps no other, or the last: overlap is rare, but not unknown."""
    for _ in range(8):
        candidate = shape(draws, surface)
        if not any(_overlap(candidate, other) for other in others):
            break
    return candidate


def _overlap(one: Round, other: Round) -> bool:
    """Whether the bounding spheres meet."""
    return math.dist(one.center, other.center) < one.bounding_radius + other.bounding_radius


def resting(item: Round, ground: Sphere) -> Round:
    """The object lowered, or lifted, until it touches the ground (exactly if that is flat, or the object a sphere)."""
    upward = np.array(item.center) - np.array(ground.center)
    upward /= np.linalg.norm(upward)
    height = np.linalg.norm(upward @ rotation_matrix(item.rotation) * item.semi_axes)
    x, y, z = (ground.center + upward * (ground.radius + height)).round(6).tolist()
    return item.model_copy(update={"center": (x, y, z)})


@dataclass(frozen=True)
class Arrangement(Distribution):
    """1..max_objects objects in the cube before CAMERA; in the dark the first one is a light.

    A distribution names itself and says what to place.
    """

    max_objects: Objects = 12
    background: BackgroundName = "grey"
    lights: Share = 0.25
    """Share of the objects that emit."""

    @abstractmethod
    def shape(self, draws: Draws, surface: Material) -> Round:
        """One object, somewhere in the cube."""

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`."""
        draws = Draws(seed, index)
        objects: list[Round] = []
        for position in range(draws.integer(1, self.max_objects)):
            dark = position == 0 and self.background == "black"
            surface = light(draws) if dark else material(draws, self.lights)
            objects.append(_placed(draws, surface, objects, self.shape))
        grey = BACKGROUNDS[self.background]
        return Scene(objects=tuple(objects), camera=CAMERA, background=(grey, grey, grey))


@dataclass(frozen=True)
class Spheres(Arrangement):
    """Spheres in a cube before one camera, some light, some glass: the lab log's scenes."""

    name: ClassVar[str] = "spheres"

    def shape(self, draws: Draws, surface: Material) -> Sphere:
        """A sphere."""
        return sphere(draws, surface)


@dataclass(frozen=True)
class Ellipsoids(Arrangement):
    """The same with ellipsoids of random axes and rotation."""

    name: ClassVar[str] = "ellipsoids"

    def shape(self, draws: Draws, surface: Material) -> Ellipsoid:
        """An ellipsoid."""
        return ellipsoid(draws, surface)


@dataclass(frozen=True)
class Varied(Distribution):
    """What a renderer for everyday use has to know: 1..max_objects spheres and ellipsoids of every material.

    Cameras stand around the group, every tenth in it. A third of the groups has a ground, a sphere so large that it
    looks flat, on which half of the objects rest. A fifth of the scenes has no light but its lamps, the others a sky
    from dim to bright.
    """

    max_objects: Annotated[int, Field(ge=2, le=MAX_OBJECTS)] = 16
    """At least 2, as a ground is one."""
    lights: Share = 0.2
    """Share of the objects that emit."""
    ground: Share = 0.35
    """Share of the scenes that have one; it counts as an object."""
    name: ClassVar[str] = "varied"

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`."""
        draws = Draws(seed, index)
        dark = draws.unit() < 0.2
        ground = self.ground_sphere(draws) if draws.unit() < self.ground else None
        objects: list[Round] = [] if ground is None else [ground]
        for position in range(draws.integer(1, self.max_objects - len(objects))):
            surface = light(draws) if dark and position == 0 else self.surface(draws)
            item = _placed(draws, surface, objects, sphere if draws.unit() < 0.5 else ellipsoid)
            rests = draws.unit() < 0.5
            objects.append(item if ground is None or not rests else resting(item, ground))
        brightness = 0.0 if dark else draws.log_uniform(0.05, 1.5)
        red, green, blue = (round(brightness * tint, 6) for tint in draws.triple(0.6, 1.0))
        lowest = -math.inf if ground is None else 0.1 - CUBE
        return Scene(objects=tuple(objects), camera=self.camera(draws, lowest), background=(red, green, blue))

    def ground_sphere(self, draws: Draws) -> Sphere:
        """An opaque sphere whose top is the cube's bottom."""
        radius = draws.log_uniform(4.0, 60.0)
        return Sphere(center=(0.0, 0.0, round(-CUBE - radius, 6)), radius=radius, material=opaque(draws))

    def surface(self, draws: Draws) -> Material:
        """Any material: every eighth object that does not emit is a metal."""
        return metal(draws) if draws.unit() < (1 - self.lights) / 8 else material(draws, self.lights)

    def camera(self, draws: Draws, lowest: float) -> Camera:
        """Looking past the middle from anywhere above `lowest`, but not straight up or down."""
        inside = draws.unit() < 0.1
        distance = draws.uniform(0.3, 1.2) if inside else draws.log_uniform(1.8, 8.0)
        azimuth, sine = draws.uniform(-math.pi, math.pi), draws.uniform(-0.95, 0.95)
        across = distance * math.sqrt(1 - sine * sine)
        x, y, z = across * math.cos(azimuth), across * math.sin(azimuth), distance * sine
        position = (round(x, 6), round(y, 6), round(max(z, lowest), 6))
        return Camera(
            position=position, look_at=draws.triple(-0.25, 0.25), vertical_fov_degrees=draws.uniform(25.0, 70.0)
        )


@dataclass(frozen=True)
class Mixed(Distribution):
    """What a renderer for every scene learns from: of each eight scenes four composed, three varied, one of spheres."""

    max_objects: Annotated[int, Field(ge=3, le=MAX_OBJECTS)] = 256
    """Of composed scenes, which have at least 3; the others have their own most."""
    name: ClassVar[str] = "mixed"

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`, which is its distribution's scene of this number."""
        kinds = (Composed(max_objects=self.max_objects), Varied(), Spheres())
        return kinds[(0, 1, 0, 1, 0, 1, 0, 2)[index % 8]](seed, index)


@dataclass(frozen=True)
class Assorted(Distribution):
    """`Mixed` with light from outside: of each eight scenes two composed, three outdoor, two varied, one of spheres."""

    max_objects: Annotated[int, Field(ge=3, le=MAX_OBJECTS)] = 256
    """Of composed and outdoor scenes, which have at least 3; the others have their own most."""
    name: ClassVar[str] = "assorted"

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`, which is its distribution's scene of this number."""
        kinds = (Composed(max_objects=self.max_objects), Outdoor(max_objects=self.max_objects), Varied(), Spheres())
        return kinds[(1, 2, 0, 1, 2, 0, 1, 3)[index % 8]](seed, index)


for kind in (Spheres, Ellipsoids, Varied, Composed, Mixed, Outdoor, Assorted, Clevr):
    register(kind)
