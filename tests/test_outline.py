"""Margins within outlines: their sign says whether a ray hits, and shares by them add up to areas."""

import numpy as np
import pytest
import warp as wp
from kernels import run

from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE, RECTANGLE, SPHERE
from luxel.core.shapes.outline import outline_margin, share_inside
from luxel.core.shapes.shape import Shape, intersect_shape

HIT = 1e6  # no ray is as long
KINDS = [SPHERE, ELLIPSOID, BOX, CYLINDER, RECTANGLE, DISC]
IDS = ["sphere", "ellipsoid", "box", "cylinder", "rectangle", "disc"]


@wp.kernel(enable_backward=False)
def margins(
    kind: int,
    scale: wp.vec3,
    world_from_unit: wp.mat33,
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    margin: wp.array[float],
    distance: wp.array[float],
):
    i = wp.tid()
    unit_from_world = wp.inverse(world_from_unit)
    shape = Shape(kind, wp.vec3(0.1, 0.2, 0.3), scale, world_from_unit, unit_from_world)
    margin[i] = outline_margin(shape, origin[i], direction[i])
    distance[i] = wp.min(intersect_shape(kind, shape.center, unit_from_world, origin[i], direction[i], False), HIT)


@wp.kernel(enable_backward=False)
def shares(margin: wp.array[float], beside: wp.array[float], spacing: float, share: wp.array[float]):
    i = wp.tid()
    share[i] = share_inside(margin[i], beside[i], margin[i], 0.01, spacing)


def margin_and_hit(kind: int, origin: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of rays towards a shape of half extents 0.5, 0.9 and 0.3, or a ball, turned a third about (1, 1, 1)."""
    scale = np.array([0.5] * 3 if kind == SPHERE else [0.5, 0.9, 0.3], np.float32)
    turned = np.roll(np.eye(3, dtype=np.float32), 1, 0) * scale
    direction = target - origin
    direction = (direction / np.linalg.norm(direction, axis=1, keepdims=True)).astype(np.float32)
    margin, distance = run(margins, kind, wp.vec3(*scale), wp.mat33(*turned.ravel()), origin, direction)
    return margin, distance < HIT


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_a_margin_is_positive_where_a_ray_hits(kind):
    random = np.random.default_rng(kind)
    origin = random.normal(size=(20_011, 3))
    origin = (4 * origin / np.linalg.norm(origin, axis=1, keepdims=True)).astype(np.float32)
    target = random.uniform(-0.9, 1.5, (20_011, 3)).astype(np.float32)
    margin, hit = margin_and_hit(kind, origin, target)
    assert 0.1 < hit.mean() < 0.9
    sure = np.abs(margin) > 1e-3
    assert sure.mean() > 0.99
    np.testing.assert_array_equal((margin > 0)[sure], hit[sure])
    assert margin.max() <= 1


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_through_the_middle_it_is_1(kind):
    origin = np.random.default_rng(1).uniform(2, 3, (11, 3)).astype(np.float32)
    margin, hit = margin_and_hit(kind, origin, np.array([[0.1, 0.2, 0.3]]))
    assert hit.all()
    np.testing.assert_allclose(margin, 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_it_is_steady_along_a_line_across_the_view(kind):
    steps = np.linspace(-2, 2, 40_001)
    origin = np.tile(np.float32([[0.3, -4.0, 0.9]]), (40_001, 1))
    target = np.stack([steps + 0.1, 0.1 + 0 * steps, 0.2 + 0.4 * steps], 1)
    margin, hit = margin_and_hit(kind, origin, target)
    assert hit.any()
    near = margin[np.abs(margin) < 0.9]
    assert np.abs(np.diff(near)).max() < 0.05


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_it_is_positive_where_a_ray_along_an_axis_hits(kind):
    """As all of an orthographic camera's may be."""
    random = np.random.default_rng(kind)
    for direction in np.concatenate([np.eye(3), -np.eye(3)]):
        target = random.uniform(-0.9, 1.5, (1009, 3))
        margin, hit = margin_and_hit(kind, (target - 8 * direction).astype(np.float32), target.astype(np.float32))
        sure = np.abs(margin) > 1e-3
        np.testing.assert_array_equal((margin > 0)[sure], hit[sure])


def test_along_a_cylinders_axis_it_is_by_the_distance_from_it():
    """Turned, the unit axis z is the world's x, and half extents of 0.5 and 0.9 are those along y and z."""
    target = np.float32([[0.1, 0.2, 0.3], [0.1, 0.45, 0.3], [0.1, 0.2, -0.6], [0.1, 0.95, 0.3], [0.1, 0.2, 1.65]])
    margin, _ = margin_and_hit(CYLINDER, target - np.float32([4, 0, 0]), target)
    np.testing.assert_allclose(margin, [1, 0.5, 0, -0.5, -0.5], atol=1e-6)


def test_of_a_plane_it_is_positive_from_either_side():
    random = np.random.default_rng(7)
    origin, target = random.normal(size=(2, 1009, 3)).astype(np.float32)
    margin, hit = margin_and_hit(PLANE, origin, target)
    assert 0.5 < hit.mean() < 0.9
    np.testing.assert_array_equal(margin > 0, hit)


@pytest.mark.parametrize("half_width", [0.004, 0.03, 0.2])
def test_shares_of_squares_across_a_strip_add_up_to_its_width_however_thin_it_is(half_width):
    """Of squares a tenth wide; places a thousandth apart, of which any tenth is as good a set of squares."""
    place = np.arange(-1, 1, 0.001)
    margin, beside = (1 - np.abs(x) / half_width for x in (place, place + 0.01))
    share = run(shares, margin.astype(np.float32), beside.astype(np.float32), 0.1)[0]
    assert share.sum() * 0.001 == pytest.approx(2 * half_width, rel=0.15 if half_width < 0.01 else 0.02)
    width = min(0.4 * half_width, 0.1)
    assert np.abs(np.diff(share)).max() < max(1.1 * 0.001 / width, 0.5)
