"""What shafts hold: nothing that a ray in them meets is missing, and little else is there."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run, uniform_numbers, unit_vectors
from outside import SUN
from shapes import CAMERA, random_objects
from tracer_scenes import ball, scene

from luxel.core.intersect import MAP, MISS, intersect, intersect_among
from luxel.core.intersect import SUN as SUN_ID
from luxel.core.scene_batch import SceneBatch
from luxel.core.scene_tables import TREE_ABOVE
from luxel.core.scenes import Scenes, launchable, shape_of
from luxel.core.shafts import shaft_to
from luxel.core.shapes.shape import sample_direction
from luxel.core.sky import sample_sun
from luxel.scene import Plane, Scene
from luxel.scene.description import Object

KINDS = ["sphere", "ellipsoid", "box", "cylinder", "rectangle", "disc"]
ALL = (1 << 64) - 1


@wp.kernel(enable_backward=False)
def shafts(scenes: Scenes, point: wp.array[wp.vec3], target: int, shaft: wp.array[wp.uint64]):
    i = wp.tid()
    shaft[i] = shaft_to(scenes, 0, point[i], target)


@wp.kernel(enable_backward=False)
def hits_towards(
    scenes: Scenes,
    point: wp.array[wp.vec3],
    u: wp.array[wp.vec2],
    target: int,
    hit: wp.array[int],
    hit_in_shaft: wp.array[int],
    in_shaft: wp.array[int],
):
    i = wp.tid()
    direction = sample_sun(scenes.scenes[0], u[i])
    if target >= 0:
        direction = sample_direction(shape_of(scenes.objects[target]), point[i], u[i]).direction
    shaft = shaft_to(scenes, 0, point[i], target)
    found = intersect(scenes, 0, point[i], direction, MISS)
    hit[i] = found.object_id
    hit_in_shaft[i] = intersect_among(scenes, 0, shaft, point[i], direction, MISS).object_id
    bits = shaft
    for _bit in range(TREE_ABOVE):
        in_shaft[i] += wp.int32(bits & wp.uint64(1))
        bits = bits >> wp.uint64(1)


def shaft_from(point: tuple[float, float, float], target: int, *objects: Object) -> int:
    """As a number, of the only point."""
    batch = SceneBatch.of([scene(*objects)])
    return int(run(shafts, launchable(batch), np.array([point], dtype=np.float32), target)[0][0])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("target", [3, 8, 13, 18, 23, 28, SUN_ID])
def test_rays_to_a_light_meet_the_same_in_their_shaft(target, device):
    objects = [item for n, kind in enumerate(KINDS) for item in random_objects(kind, 5, 40 + n, ratio=10.0, spread=3.0)]
    described = Scene(camera=CAMERA, objects=[*objects, Plane(center=(0, 0, -6))], sun=SUN)
    batch = SceneBatch.of([described]).to(device)
    points = 8 * unit_vectors(4000, 1) * uniform_numbers(4000, 1, 2)
    hit, in_shaft, size = run(
        hits_towards, launchable(batch), points, uniform_numbers(4000, 2, 3), target, device=device
    )
    before = hit == target if target >= 0 else np.full_like(hit, False, dtype=bool)
    assert (hit == in_shaft).all()
    assert before.any() or target < 0, "some of the lights are seen"
    assert (hit != target).mean() > 0.02, "some are hidden"
    assert size.mean() < 0.6 * len(described.objects), "the plane is always there, and what is about the light"


def test_what_is_beside_behind_and_beyond_is_not_in_the_way():
    lamp, between = ball(0, 0, 10, 1.0), ball(0.5, 0, 5, 0.2)
    beside, behind, beyond = ball(3, 0, 5, 1.0), ball(0, 0, -3, 1.0), ball(0, 0, 20, 3.0)
    assert shaft_from((0, 0, 0), 0, lamp, beside, between, behind, beyond) == 0b00101


def test_where_the_light_is_all_round_everything_counts():
    assert shaft_from((0, 0, 0), 0, ball(0, 0, 0.5, 1.0), ball(9, 0, 0, 1.0)) == ALL
    assert shaft_from((0, 0, 0), MAP, ball(0, 0, 5, 1.0)) == ALL


def test_the_last_object_of_the_largest_scene_without_a_tree_has_a_bit():
    gravel = [ball(float(x), 9.0, 0.0, 0.1) for x in range(TREE_ABOVE - 2)]
    described = scene(ball(0, 0, 10, 1.0), *gravel, ball(0, 0, 5, 1.0))
    assert shaft_from((0, 0, 0), 0, *described.objects) == 1 | 1 << TREE_ABOVE - 1
    points, u = np.zeros((1, 3), np.float32), np.full((1, 2), 0.5, np.float32)
    _, found, _ = run(hits_towards, launchable(SceneBatch.of([described])), points, u, 0)
    assert found.tolist() == [TREE_ABOVE - 1]


def test_scenes_with_a_tree_have_no_shafts():
    gravel = [ball(float(x), 9.0, 0.0, 0.1) for x in range(TREE_ABOVE + 1)]
    assert shaft_from((0, 0, 0), 3, *gravel) == ALL
