"""Light that clear objects let through: lines of sight by hand, manifold walks against refraction in NumPy's float64.

Legend: rays [n, 3]. A ball of glass of radius 1 is at the origin, what is lit is beneath it and lamps are above.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.intersect import EVERYTHING, MISS
from luxel.core.manifold_walk import MAX_ENDPOINT_ERROR, MAX_FOCUS, manifold_walk
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.visibility import MAX_INTERFACES, line_of_sight
from luxel.scene import Box, Camera, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Object

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
TINT = np.array([0.81, 0.64, 1.0])
GLASS = Material(transmission=1.0, specular=0.5, roughness=0.0, base_color=tuple(TINT))
ETA = 1.5  # of a specular of 0.5: ((1.5 − 1) / (1.5 + 1))² = 0.04
LAMP = Material(emission=(1.0, 1.0, 1.0))
BALL = Sphere(center=(0, 0, 0), radius=1.0, material=GLASS)
UP = np.array([0.0, 0.0, 1.0])


@wp.kernel(enable_backward=False)
def sights(
    scenes: Scenes,
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    target: int,
    allow_transmission: bool,
    transmittance: wp.array[wp.vec3],
    is_transmitted: wp.array[int],
    clear_object: wp.array[int],
    interfaces: wp.array[int],
):
    i = wp.tid()
    sight = line_of_sight(scenes, 0, EVERYTHING, origin[i], direction[i], MISS, target, allow_transmission)
    transmittance[i] = sight.transmittance
    is_transmitted[i] = wp.where(sight.is_transmitted, 1, 0)
    clear_object[i] = sight.clear_object
    interfaces[i] = sight.interfaces


@wp.kernel(enable_backward=False)
def manifold_walks(
    scenes: Scenes,
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    target: int,
    walk_direction: wp.array[wp.vec3],
    transmittance: wp.array[wp.vec3],
    straight: wp.array[wp.vec3],
):
    i = wp.tid()
    sight = line_of_sight(scenes, 0, EVERYTHING, origin[i], direction[i], MISS, target, True)
    line = manifold_walk(scenes, 0, origin[i], direction[i], MISS, target, sight)
    walk_direction[i] = line.direction
    transmittance[i] = line.transmittance
    straight[i] = sight.transmittance


class Sight(NamedTuple):
    """Of one ray."""

    transmittance: np.ndarray
    is_transmitted: int
    clear_object: int
    interfaces: int


def batch_of(*objects: Object, device: str = "cpu") -> SceneBatch:
    return SceneBatch.of([Scene(objects=objects, camera=CAMERA)], device)


def single(values: tuple[float, ...]) -> np.ndarray:
    return np.array([values], np.float32)


def sight(
    *objects: Object, start=(0, 0, -3), towards=(0, 0, 1), allow_transmission: bool = True, device="cpu"
) -> Sight:
    """From a place to the last object."""
    batch = batch_of(*objects, device=device)
    direction = np.array(towards) / np.linalg.norm(towards)
    rays = single(start), single(direction)
    return Sight(
        *(
            each[0]
            for each in run(sights, launchable(batch), *rays, len(objects) - 1, allow_transmission, device=device)
        )
    )


def lamp(x: float = 0.0, y: float = 0.0, z: float = 5.0, radius: float = 0.5) -> Sphere:
    return Sphere(center=(x, y, z), radius=radius, material=LAMP)


def fresnel(cos_i: np.ndarray, eta: float) -> np.ndarray:
    """Reflectance of unpolarised light that goes into an index of refraction `eta` times its own."""
    cos_t = np.sqrt(np.maximum(1 - (1 - cos_i**2) / eta**2, 0))
    s = (cos_i - eta * cos_t) / (cos_i + eta * cos_t)
    p = (eta * cos_i - cos_t) / (eta * cos_i + cos_t)
    return (s**2 + p**2) / 2


@pytest.mark.parametrize("device", DEVICES)
def test_nothing_in_between_takes_nothing_away(device):
    for allow_transmission in (True, False):
        found = sight(
            Sphere(center=(3, 0, 0), radius=1.0), lamp(), allow_transmission=allow_transmission, device=device
        )
        np.testing.assert_array_equal(found.transmittance, 1)
        assert found[1:] == (0, MISS, 0)


@pytest.mark.parametrize("allow_transmission", [True, False])
def test_an_opaque_object_blocks(allow_transmission):
    blocked = sight(Sphere(center=(0, 0, 0), radius=1.0), lamp(), allow_transmission=allow_transmission)
    assert not blocked.transmittance.any()
    assert not sight(BALL, Sphere(center=(0, 0, 2.5), radius=1.0), lamp(), allow_transmission=True).transmittance.any()


def test_glass_blocks_what_has_to_go_straight():
    assert not sight(BALL, lamp(), allow_transmission=False).transmittance.any()


@pytest.mark.parametrize("device", DEVICES)
def test_one_clear_object_takes_what_its_two_surfaces_reflect_and_its_colour(device):
    """√base_color a surface, and η² cancels."""
    found = sight(BALL, lamp(), device=device)
    np.testing.assert_allclose(found.transmittance, 0.96**2 * TINT, rtol=1e-5)
    assert found[1:] == (1, 0, 2)


def test_several_clear_objects_take_their_product_and_have_no_crossings_of_one():
    second = Sphere(center=(0, 0, 2.5), radius=1.0, material=GLASS)
    found = sight(second, BALL, lamp())
    np.testing.assert_allclose(found.transmittance, (0.96**2 * TINT) ** 2, rtol=1e-5)
    assert found[1:] == (1, 1, 0)
    nested = sight(BALL, Sphere(center=(0, 0, 0), radius=0.5, material=GLASS), lamp())
    np.testing.assert_allclose(nested.transmittance, (0.96**2 * TINT) ** 2, rtol=1e-5)
    assert nested[1:] == (1, 0, 0)


def test_what_is_partly_clear_lets_that_part_through():
    half = Material(transmission=0.5, metallic=0.4, specular=0.5, base_color=tuple(TINT), roughness=0.08)
    found = sight(BALL.model_copy(update={"material": half}), lamp())
    np.testing.assert_allclose(found.transmittance, (0.3 * 0.96) ** 2 * TINT, rtol=1e-5)


def test_what_is_frosted_lets_nothing_through_in_a_line():
    frosted = BALL.model_copy(update={"material": Material(transmission=1.0, roughness=0.3)})
    assert not sight(frosted, lamp()).transmittance.any()


def test_a_slant_reflects_as_fresnel_says():
    slab = Box(center=(0, 0, 0), half_extents=(99, 99, 0.3), material=GLASS)
    for angle in (0.3, 0.8, 1.2):
        towards = np.array([math.sin(angle), 0, math.cos(angle)])
        found = sight(slab, lamp(*(20 * towards - [0, 0, 3])), towards=tuple(towards))
        expected = (1 - fresnel(math.cos(angle), ETA)) ** 2 * TINT
        np.testing.assert_allclose(found.transmittance, expected, rtol=1e-4)


def test_a_straight_line_into_glass_or_out_of_it_keeps_irradiance():
    """Radiance is η² times as high within, and comes from as much less of solid angle; see `LineOfSight`."""
    out = sight(BALL, lamp(z=0, radius=0.3))
    within = sight(BALL, lamp(), start=(0, 0, -0.5))
    for found in (out, within):
        np.testing.assert_allclose(found.transmittance, 0.96 * np.sqrt(TINT), rtol=1e-5)
        assert found[1:] == (1, 0, 1)


def test_a_line_through_more_surfaces_than_are_followed_is_dark():
    limit = int(MAX_INTERFACES)
    balls = [Sphere(center=(0, 0, 0.5 * z), radius=0.2, material=GLASS) for z in range(limit // 2)]
    assert not sight(*balls, lamp()).transmittance.any()
    np.testing.assert_allclose(sight(*balls[1:], lamp()).transmittance, (0.96**2 * TINT) ** (limit // 2 - 1), rtol=1e-4)


# Refraction in float64, by other formulas than the core's.


class Traced(NamedTuple):
    """Rays beyond a ball's surfaces, and the share of their light that gets there, without colours."""

    origin: np.ndarray
    direction: np.ndarray
    share: np.ndarray


def dot(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u * v).sum(-1)


def distance_to(center: np.ndarray, radius: float, origin: np.ndarray, direction: np.ndarray, far: bool) -> np.ndarray:
    """Along rays to a sphere's near or far side; NaN where they miss it."""
    vector = center - origin
    middle = dot(vector, direction)
    square = radius**2 - dot(vector, vector) + middle**2
    half = np.sqrt(np.where(square > 0, square, np.nan))
    return middle + (half if far else -half)


def through_ball(origin: np.ndarray, direction: np.ndarray, eta: float, inside: bool, interfaces: int) -> Traced:
    """Of rays through the unit ball, with the share that Fresnel and η² leave; NaN where there is no way."""
    share = np.ones(len(direction))
    for _ in range(interfaces):
        origin = origin + distance_to(np.zeros(3), 1.0, origin, direction, inside)[:, None] * direction
        normal = origin * (1 if inside else -1)  # along the ray
        index = 1 / eta if inside else eta
        cos_i = dot(direction, normal)
        tangent = (direction - cos_i[:, None] * normal) / index
        cos_t = np.sqrt(np.where(dot(tangent, tangent) < 1, 1 - dot(tangent, tangent), np.nan))
        direction = tangent + cos_t[:, None] * normal
        share = share * (1 - fresnel(cos_i, index)) / index**2
        inside = not inside
    return Traced(origin, direction, share)


def cone(origin: np.ndarray, center: np.ndarray, radius: float, side: int) -> tuple[np.ndarray, float]:
    """side² directions that stand for equal solid angles of a sphere, or of all if the origin is within; and those."""
    vector = center - origin
    away = np.linalg.norm(vector)
    least = math.sqrt(1 - (radius / away) ** 2) if away > radius else -1.0
    cos, phi = np.meshgrid(
        least + (1 - least) * (np.arange(side) + 0.5) / side, 2 * math.pi * (np.arange(side) + 0.5) / side
    )
    axis = vector / away if away > 0 else UP
    across = np.cross(axis, [0.3, 0.9, 0.1])
    across /= np.linalg.norm(across)
    sin = np.sqrt(1 - cos**2)[..., None]
    local = np.cos(phi)[..., None] * across + np.sin(phi)[..., None] * np.cross(axis, across)
    return (cos[..., None] * axis + sin * local).reshape(-1, 3), 2 * math.pi * (1 - least) / side**2


class Setting(NamedTuple):
    """What is lit, upwards, and by a lamp that the ball's glass parts from it."""

    point: tuple[float, float, float]
    lamp: Sphere | Panel
    specular: float
    inside: bool = False
    interfaces: int = 2


def panel(x: float, y: float, z: float, half_extents: tuple[float, float], slant: float = 0.0) -> Panel:
    """A lamp that looks down, `slant` radians from straight down towards +x."""
    turn = (0.0, math.cos(slant / 2), 0.0, math.sin(slant / 2))
    return Panel(center=(x, y, z), half_extents=half_extents, rotation=turn, material=LAMP)


LOW_LAMP = lamp(-2.6, -3.1, 2.2, 0.7)

# Each light has one way to these points. Between a ball of η = 1.5 and the point at which it focuses a lamp a second
# way leads through its rim; beyond, the angle at which a ray leaves it falls with that at which it starts. With little
# glass it rises, up to grazing rays.
SETTINGS = {
    "in the caustic": Setting((0.0, 0.0, -2.6), lamp(0.1, -0.2, 9.0, 1.0), 0.5),
    "beside the caustic": Setting((0.5, 0.1, -2.8), lamp(0.4, 0.0, 10.0, 1.0), 0.5),
    "farther beside it": Setting((0.7, -0.3, -2.8), lamp(-2.0, 0.0, 10.0, 1.0), 0.5),
    "far below": Setting((0.2, 0.0, -5.0), lamp(0.0, 0.3, 9.0, 0.5), 0.5),
    "close to weak glass": Setting((0.2, 0.0, -1.1), lamp(0.3, -0.2, 4.0, 0.5), 0.02),
    "beside the focus of a ball on the ground": Setting((1.6, 1.2, -1.0), LOW_LAMP, 0.5),
    "lamp in glass": Setting((0.5, 0.0, -1.8), lamp(0.2, 0.0, 0.1, 0.3), 0.5, False, 1),
    "in glass under a lamp": Setting((0.2, 0.0, -0.3), lamp(0.4, 0.0, 4.0, 0.5), 0.5, True, 1),
    "in the caustic of a panel": Setting((0.1, 0.0, -2.6), panel(0.1, -0.2, 9.0, (1.0, 0.6)), 0.5),
    "under a slanting panel": Setting((0.5, 0.1, -2.8), panel(0.4, 0.0, 10.0, (1.0, 0.7), 1.0), 0.5),
    "panel in glass": Setting((0.5, 0.0, -1.8), panel(0.2, 0.0, 0.1, (0.3, 0.2), -0.6), 0.5, False, 1),
}


def ways_to(setting: Setting, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Straight directions from the point over its lamp, the solid angle of each, and where they end.

    Of a ball that is in its middle, abreast of its centre.
    """
    point, center = np.array(setting.point), np.array(setting.lamp.center)
    if isinstance(setting.lamp, Sphere):
        straight, each = cone(point, center, setting.lamp.radius, side)
        return straight, np.full(len(straight), each), point + (straight @ (center - point))[:, None] * straight
    axes = rotation_matrix(setting.lamp.rotation)
    steps = 2 * (np.arange(side) + 0.5) / side - 1
    x, y = (half * values for half, values in zip(setting.lamp.half_extents, np.meshgrid(steps, steps), strict=True))
    ends = center + np.stack([x, y, 0 * x], -1).reshape(-1, 3) @ axes.T
    t = np.linalg.norm(ends - point, axis=1)
    straight = (ends - point) / t[:, None]
    area = 4 * math.prod(setting.lamp.half_extents) / side**2
    return straight, area * np.abs(straight @ axes[:, 2]) / t**2, ends


def meets(lamp: Sphere | Panel, rays: Traced) -> np.ndarray:
    """Whether rays meet the lamp where it shines."""
    center = np.array(lamp.center)
    if isinstance(lamp, Sphere):
        return distance_to(center, lamp.radius, rays.origin, rays.direction, False) > 0
    axes = rotation_matrix(lamp.rotation)
    t = (center - rays.origin) @ axes[:, 2] / (rays.direction @ axes[:, 2])
    local = (rays.origin + t[:, None] * rays.direction - center) @ axes[:, :2]
    return (t > 0) & (rays.direction @ axes[:, 2] < 0) & (np.abs(local) < lamp.half_extents).all(1)


def ball_of(specular: float) -> tuple[Sphere, float]:
    """A ball of glass and its η: ((η − 1) / (η + 1))² = 0.08 · specular."""
    root = math.sqrt(0.08 * specular)
    material = GLASS.model_copy(update={"specular": specular})
    return BALL.model_copy(update={"material": material}), (1 + root) / (1 - root)


def refracted_connections(setting: Setting, straight: np.ndarray, device: str = "cpu") -> tuple[np.ndarray, np.ndarray]:
    """Directions and transmittances of refracted connections."""
    batch = batch_of(ball_of(setting.specular)[0], setting.lamp, device=device)
    arguments = np.tile(single(setting.point), (len(straight), 1)), straight.astype(np.float32)
    direction, transmittance, _ = run(manifold_walks, launchable(batch), *arguments, 1, device=device)
    return direction.astype(np.float64), transmittance


@pytest.mark.parametrize("name", list(SETTINGS))
def test_manifold_walks_bring_the_irradiance_that_refracted_rays_find(name):
    """Within 2 %: derivatives are by steps of a hundredth, and some hundredths of the lines are not found."""
    setting = SETTINGS[name]
    point, eta = np.array(setting.point), ball_of(setting.specular)[1]
    directions, each = cone(point, np.zeros(3), 1.0, 800)
    directions = directions[directions @ UP > 0]
    rays = through_ball(np.broadcast_to(point, directions.shape), directions, eta, setting.inside, setting.interfaces)
    expected = (np.where(meets(setting.lamp, rays), rays.share, 0) * (directions @ UP)).sum() * each

    straight, solid_angle, _ = ways_to(setting, 48)
    refracted, transmittance = refracted_connections(setting, straight)
    found = (transmittance * (np.maximum(refracted @ UP, 0) * solid_angle)[:, None]).sum(0)
    np.testing.assert_allclose(found, expected * TINT ** (setting.interfaces / 2), rtol=0.02)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", list(SETTINGS))
def test_manifold_walks_obey_snell_and_end_where_the_straight_ones_do(name, device):
    setting = SETTINGS[name]
    point, eta = np.array(setting.point), ball_of(setting.specular)[1]
    straight, _, ends = ways_to(setting, 13)
    refracted, transmittance = refracted_connections(setting, straight, device)
    arrives = transmittance.max(1) > 0
    assert arrives.mean() > 0.97
    rays = through_ball(np.broadcast_to(point, refracted.shape), refracted, eta, setting.inside, setting.interfaces)
    vector = ends - rays.origin
    off = np.linalg.norm(vector - dot(vector, rays.direction)[:, None] * rays.direction, axis=1)
    t = np.linalg.norm(ends - point, axis=1)
    assert (off / t)[arrives].max() < 1.1 * float(MAX_ENDPOINT_ERROR)


@pytest.mark.parametrize("point", [(1.0, 1.3, -1.0), (0.8, 1.2, -1.0)])
def test_before_a_focus_where_derivatives_vanish_one_of_several_ways_is_found(point):
    """By Newton's method alone it was for 8 % and 18 % of the lines."""
    setting = Setting(point, LOW_LAMP, 0.5)
    _, transmittance = refracted_connections(setting, ways_to(setting, 13)[0])
    assert (transmittance.max(1) > 0).mean() > 0.97


@pytest.mark.parametrize("specular", [0.001, 0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("away", [0.5, 1.5, 4.0])  # of the point, from the ball
def test_on_the_axis_the_focus_is_that_of_a_lens(specular, away):
    """A ball is a lens of the power φ = 2 (η − 1) / η about its centre: ((a + b) / (a + b − a b φ))², up to a limit.

    It tends to 1 as the indices match.
    """
    ball, eta = ball_of(specular)
    batch = batch_of(ball, lamp(z=4.0))
    rays = single((0, 0, -1 - away)), single((0, 0, 1))
    refracted, transmittance, straight = (each[0] for each in run(manifold_walks, launchable(batch), *rays, 1))
    a, b, power = 1 + away, 4.0, 2 * (eta - 1) / eta
    np.testing.assert_allclose(refracted, UP, atol=1e-6)
    focus = min(((a + b) / (a + b - a * b * power)) ** 2, MAX_FOCUS)
    np.testing.assert_allclose(transmittance / straight, focus, rtol=0.02)


def test_with_matched_indices_a_line_goes_straight_on():
    """At the least index that there is, 1.02: each surface turns a line by η − 1 times the tangent of its slant."""
    ball, eta = ball_of(0.001)
    batch = batch_of(ball, lamp(0.4, 0.0, 6.0, 0.5))
    straight, _ = cone(np.array([0.0, 0.0, -2.0]), np.array([0.4, 0.0, 6.0]), 0.5, 7)
    arguments = np.tile(single((0, 0, -2)), (len(straight), 1)), straight.astype(np.float32)
    refracted, transmittance, by_straight = run(manifold_walks, launchable(batch), *arguments, 1)
    assert np.abs(refracted - straight).max() < 2 * (eta - 1)
    np.testing.assert_allclose(transmittance, by_straight, rtol=10 * (eta - 1))


def test_an_opaque_object_on_the_refracted_path_blocks_it():
    """A bead before the ball, on the refracted path and beside the straight one."""
    setting = SETTINGS["beside the caustic"]
    straight = np.array(setting.lamp.center) - setting.point
    straight /= np.linalg.norm(straight)
    rays = single(setting.point), single(straight)
    batch = batch_of(BALL, setting.lamp)
    refracted, transmittance, _ = (each[0] for each in run(manifold_walks, launchable(batch), *rays, 1))
    assert transmittance.max() > 0
    bead = Sphere(center=tuple(np.array(setting.point) + 0.5 * refracted), radius=0.02)
    blocked = batch_of(BALL, setting.lamp, bead)
    _, dark, by_straight = (each[0] for each in run(manifold_walks, launchable(blocked), *rays, 1))
    assert by_straight.max() > 0
    assert not dark.any()


def test_a_plane_and_two_objects_are_seen_straight_through():
    """A plane of glass bounds half a space, in which the lamp is."""
    water = Plane(center=(0, 0, 0), normal=(0, 0, -1), material=GLASS)
    second = Ellipsoid(center=(0, 0, 2), semi_axes=(1, 1, 0.3), material=GLASS)
    towards = np.array([0.1, 0.05, 1.0]) / np.linalg.norm([0.1, 0.05, 1.0])
    for objects in ((water,), (BALL, second)):
        batch = batch_of(*objects, lamp(0.8, 0.4, 5.0))
        rays = single((0, 0, -3)), single(towards)
        refracted, transmittance, straight = (
            each[0] for each in run(manifold_walks, launchable(batch), *rays, len(objects))
        )
        np.testing.assert_array_equal(refracted, rays[1][0])
        np.testing.assert_array_equal(transmittance, straight)
        assert straight.min() > 0
