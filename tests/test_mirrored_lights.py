"""Light by way of a flat mirror, against images of points by hand and the closed form of a ball's irradiance."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run, uniform_numbers
from tracer_scenes import CAMERA, ball

from luxel.core.emitters import LightSampleContext, light_cdf
from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.mirrored_lights import face_count, mirror_face, mirrored_context, sample_mirrored_light
from luxel.scene import Box, Material, Panel, Plane, Scene
from luxel.scene.description import Object
from luxel.scene.placing import facing

SILVER = Material(base_color=(1, 1, 1), metallic=1)
COPPER = Material(base_color=(0.9, 0.6, 0.3), metallic=1)
RADIANCE = np.array([2.0, 3.0, 5.0])
RADIUS = 0.2
LAMP = ball(1, 0, 1, RADIUS, Material(base_color=(0, 0, 0), emission=tuple(RADIANCE)))
IMAGE = np.array([3.0, 0.0, 1.0])  # of the lamp's centre, behind the wall
WALL = Panel(center=(2, 0, 0), rotation=facing((-1.0, 0.0, 0.0)), half_extents=(3, 2), material=SILVER)
SAMPLES = 1 << 12


@wp.kernel(enable_backward=False)
def images(
    scenes: Scenes,
    object_id: int,
    number: wp.array[int],
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    face_normal: wp.array[wp.vec3],
    distance: wp.array[float],
    image_point: wp.array[wp.vec3],
    image_normal: wp.array[wp.vec3],
    faces: wp.array[int],
):
    i = wp.tid()
    obj = scenes.objects[object_id]
    face = mirror_face(obj, number[i], point[i])
    image = mirrored_context(LightSampleContext(point[i], normal[i], MISS, True), face)
    face_normal[i] = face.normal
    distance[i] = face.distance
    image_point[i] = image.point
    image_normal[i] = image.normal
    faces[i] = face_count(obj.kind)


class Faces(NamedTuple):
    """An object's faces as a point sees them, and the images of it and its normal that they make."""

    normal: np.ndarray
    distance: np.ndarray
    point: np.ndarray
    point_normal: np.ndarray
    count: np.ndarray


def faces_before(item: Object, point, normal, device: str = "cpu") -> Faces:
    """Of all of the object's faces."""
    batch = SceneBatch.of([Scene(camera=CAMERA, objects=[item])], device)
    count = 6 if isinstance(item, Box) else 1
    rows = (np.tile(np.float32(vector), (count, 1)) for vector in (point, normal))
    return Faces(*run(images, launchable(batch), 0, np.arange(count, dtype=np.int32), *rows, device=device))


@wp.kernel(enable_backward=False)
def lights(
    scenes: Scenes,
    point: wp.vec3,
    normal: wp.vec3,
    mirror: int,
    number: int,
    choice: wp.array[float],
    u: wp.array[wp.vec2],
    direction: wp.array[wp.vec3],
    radiance: wp.array[wp.vec3],
    density: wp.array[float],
):
    i = wp.tid()
    at = LightSampleContext(point, normal, MISS, True)
    face = mirror_face(scenes.objects[mirror], number, point)
    cdf = light_cdf(scenes, 0, mirrored_context(at, face))
    light = sample_mirrored_light(scenes, 0, at, mirror, face, cdf, choice[i], u[i])
    direction[i] = light.direction
    radiance[i] = light.radiance
    density[i] = light.density


class Lights(NamedTuple):
    """What a point at the origin, whose normal is z, finds by way of a mirror."""

    direction: np.ndarray
    radiance: np.ndarray
    density: np.ndarray


def found_by_way_of(mirror: Object, *others: Object, number: int = 0, device: str = "cpu") -> Lights:
    """By one face of the mirror."""
    batch = SceneBatch.of([Scene(camera=CAMERA, objects=[mirror, *others])], device)
    numbers = uniform_numbers(SAMPLES, 3, seed=1)
    arguments = (wp.vec3(0.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 1.0), 0, number, numbers[:, 0], numbers[:, 1:])
    return Lights(*run(lights, launchable(batch), *arguments, device=device))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("item", [Plane, Panel])
def test_the_image_of_a_point_is_as_far_behind_the_mirror(item, device):
    """By hand: (5, 4, 2) · (1, 2, 2) / 3 = 17/3 before it; and z − 2 (z · n) n."""
    n = np.array([1, 2, 2]) / 3
    shape = {"normal": tuple(n)} if item is Plane else {"rotation": facing(tuple(n.tolist())), "half_extents": (1, 2)}
    seen = faces_before(item(center=(0, 0, 1), **shape), (5, 4, 3), (0, 0, 1), device)
    np.testing.assert_allclose(seen.normal, [n], atol=1e-6)
    np.testing.assert_allclose(seen.distance, 17 / 3, rtol=1e-6)
    np.testing.assert_allclose(seen.point, np.array([[11, -32, -41]]) / 9, atol=2e-6)
    np.testing.assert_allclose(seen.point_normal, np.array([[-4, -8, 1]]) / 9, atol=1e-6)
    assert seen.count == 1


def test_a_panel_mirrors_on_both_sides_and_a_plane_on_its_own():
    below = (0, 0, -3)
    panel = faces_before(Panel(center=(0, 0, 1), half_extents=(1, 1)), below, (0, 0, 1))
    assert (panel.normal.tolist(), panel.distance.tolist(), panel.point.tolist()) == ([[0, 0, -1]], [4], [[0, 0, 5]])
    plane = faces_before(Plane(center=(0, 0, 1)), below, (0, 0, 1))
    assert (plane.normal.tolist(), plane.distance.tolist()) == ([[0, 0, 1]], [-4])


def test_a_box_has_six_mirrors_of_which_a_point_sees_three_at_most():
    seen = faces_before(Box(center=(1, 2, 3), half_extents=(2, 3, 5)), (10, 4, -9), (0, 0, 1))
    assert seen.normal.tolist() == [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]
    assert seen.distance.tolist() == [7, -11, -1, -5, -17, 7]
    assert seen.point[[0, 5]].tolist() == [[-4, 4, -9], [10, 4, 5]]
    assert set(seen.count) == {6}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mirror", [WALL, Plane(center=(2, 0, 0), normal=(-1, 0, 0), material=SILVER)])
def test_irradiance_by_way_of_a_perfect_mirror_is_that_of_the_lamps_image(mirror, device):
    """A ball of radiance L wholly above the horizon gives E = π L (r / d)² cos θ, d and θ of its centre."""
    light = found_by_way_of(mirror, LAMP, device=device)
    distance = np.linalg.norm(IMAGE)
    np.testing.assert_allclose(
        light.density, 1 / (2 * math.pi * (1 - math.sqrt(1 - (RADIUS / distance) ** 2))), rtol=1e-3
    )
    towards = light.direction @ IMAGE
    assert (towards >= math.sqrt(distance**2 - RADIUS**2) - 1e-5).all(), "in the image's cone"
    irradiance = (light.radiance * (light.direction[:, 2] / light.density)[:, None]).mean(0)
    expected = math.pi * RADIANCE * (RADIUS / distance) ** 2 * IMAGE[2] / distance
    np.testing.assert_allclose(irradiance, expected, rtol=3e-3)


def test_a_coloured_mirror_reflects_its_fresnel_share():
    """Schlick: F₀ + (1 − F₀)(1 − cos)⁵, with the cosine at the mirror, which looks along −x."""
    light = found_by_way_of(WALL.model_copy(update={"material": COPPER}), LAMP)
    f0 = np.array(COPPER.base_color)
    share = f0 + (1 - f0) * ((1 - light.direction[:, 0]) ** 5)[:, None]
    np.testing.assert_allclose(light.radiance, RADIANCE * share, rtol=1e-5)


def test_a_box_mirrors_by_the_face_that_is_asked_for():
    block = Box(center=(3, 0, 0), half_extents=(1, 3, 2), material=SILVER)
    by_panel, by_face = found_by_way_of(WALL, LAMP), found_by_way_of(block, LAMP, number=1)
    for name in Lights._fields:
        np.testing.assert_allclose(getattr(by_face, name), getattr(by_panel, name), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("at", [(1, 0, 1 / 3), (1.75, 0, 0.75)], ids=["before the mirror", "behind it"])
def test_what_is_on_the_way_blocks_the_light_and_leaves_its_density(at):
    """On the line from the origin to the mirror at (2, 0, 2/3), and on that from there to the lamp."""
    light = found_by_way_of(WALL, LAMP, ball(*at, 0.15))
    assert (light.density > 0).all()
    middle = light.direction @ IMAGE / np.linalg.norm(IMAGE) > math.cos(0.01)
    assert middle.any()
    assert not light.radiance[middle].any()


NOTHING_THERE = {
    "a lamp behind the mirror": (WALL, LAMP.model_copy(update={"center": (3, 0, 1)})),
    "a mirror too small": (WALL.model_copy(update={"half_extents": (0.1, 0.1)}), LAMP),
    "no lamp": (WALL,),
}


@pytest.mark.parametrize("objects", NOTHING_THERE.values(), ids=NOTHING_THERE)
def test_where_no_lamp_is_in_the_mirror_there_is_no_density(objects):
    light = found_by_way_of(*objects)
    assert not light.density.any()
    assert not light.radiance.any()
