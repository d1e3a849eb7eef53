"""Rays against eight boxes and eight spheres at once, held to float64 one by one."""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run, unit_vectors

from luxel.core.bounds import children_entered, sphere_in_lane, spheres_touched
from luxel.core.lanes import LANES
from luxel.core.launch import struct_array
from luxel.core.scenes import BVHLeaf, BVHNode
from luxel.core.trees import OUT_OF_REACH

RAYS = 4001


@wp.kernel(enable_backward=False)
def boxes_entered(
    nodes: wp.array[BVHNode],
    origin: wp.array[wp.vec3],
    inverse: wp.array[wp.vec3],
    t_max: wp.array[float],
    found: wp.array[int],
):
    i = wp.tid()
    found[i] = children_entered(nodes[0], origin[i], inverse[i], t_max[i])


@wp.kernel(enable_backward=False)
def touched(
    leaves: wp.array[BVHLeaf],
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    t_max: wp.array[float],
    found: wp.array[int],
):
    i = wp.tid()
    found[i] = spheres_touched(leaves[0], origin[i], direction[i], t_max[i])


@wp.kernel(enable_backward=False)
def lanes_of(leaves: wp.array[BVHLeaf], lane: wp.array[int], sphere: wp.array[wp.vec4]):
    i = wp.tid()
    sphere[i] = sphere_in_lane(leaves, 0, lane[i])


def rays(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From all about, a few along an axis or towards what is out of reach, up to some distance or for ever."""
    random = np.random.default_rng(seed)
    direction = unit_vectors(RAYS, seed)
    direction[:6] = [*np.eye(3), *-np.eye(3)]
    direction[6:8] = np.float32(3**-0.5)
    t_max = np.where(random.random(RAYS) < 0.5, random.uniform(0, 4, RAYS), np.inf)
    t_max[6] = np.inf
    return random.normal(size=(RAYS, 3)).astype(np.float32), direction, t_max.astype(np.float32)


def as_bits(values: np.ndarray) -> np.ndarray:
    return (values << np.arange(LANES)).sum(1)


@pytest.mark.parametrize("device", DEVICES)
def test_boxes_are_entered_where_slabs_in_float64_say_and_the_nearest_is_told(device):
    random = np.random.default_rng(0)
    corners = random.normal(size=(2, LANES, 3)).astype(np.float32)
    lower, upper = corners.min(0), corners.max(0)
    lower[5] = upper[5] = OUT_OF_REACH
    origin, direction, t_max = rays(1)
    inverse = (1 / np.where(np.abs(direction) < 1e-20, 1e-20, direction)).astype(np.float32)
    node = struct_array(torch.tensor(np.concatenate([lower, upper], 1).T.copy(), device=device), BVHNode)
    found = run(boxes_entered, node, origin, inverse, t_max, device=device)[0]
    ends = ([lower, upper] - origin[:, None, None].astype(np.float64)) * inverse[:, None, None].astype(np.float64)
    enter = ends.min(1).max(-1).clip(0)
    expected = enter <= np.minimum(ends.max(1).min(-1), t_max[:, None])
    assert expected[6, 5]  # as the infinite distance of this ray's end has it
    expected[:, 5] = False
    assert 0.05 < expected.mean() < 0.5
    np.testing.assert_array_equal(found & 255, as_bits(expected))
    some = expected.any(1)
    enter = np.where(expected, enter, np.inf)
    np.testing.assert_allclose(enter[np.arange(RAYS), found >> 8][some], enter.min(1)[some], rtol=2e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_spheres_are_touched_where_they_are_hit_and_hardly_elsewhere(device):
    random = np.random.default_rng(2)
    center, radius = random.normal(size=(LANES, 3)).astype(np.float32), random.uniform(0.1, 1, LANES).astype(np.float32)
    center[3], radius[3] = OUT_OF_REACH, 0
    center[6], radius[6] = 0, np.inf
    table = np.concatenate([center, radius[:, None]], 1)
    leaf = struct_array(torch.tensor(table.T.copy(), device=device), BVHLeaf)
    origin, direction, t_max = rays(3)
    found = run(touched, leaf, origin, direction, t_max, device=device)[0]
    vector = np.delete(center, (3, 6), 0).astype(np.float64) - origin[:, None]
    middle = (vector * direction[:, None]).sum(-1)
    excess = np.delete(radius, (3, 6)) ** 2.0 - (vector**2).sum(-1) + middle**2
    half_chord = np.sqrt(excess.clip(0))
    hit = np.where(middle > half_chord, middle - half_chord, middle + half_chord)
    expected = (excess > 0) & (hit > 0) & (hit <= t_max[:, None])
    assert 0.05 < expected.mean() < 0.5
    bits = found[:, None] >> np.delete(np.arange(LANES), (3, 6)) & 1 > 0
    assert bits[expected].all()
    may_be = (excess > -1e-4) & (middle > -1.001) & (middle - np.delete(radius, (3, 6)) < t_max[:, None] + 1e-3)
    assert may_be[bits].all()
    assert not (found >> 3 & 1).any()  # where there is none
    assert (found >> 6 & 1).all()  # of a plane
    lanes = run(lanes_of, leaf, np.arange(LANES, dtype=np.int32), device=device)[0]
    np.testing.assert_array_equal(lanes, table)
