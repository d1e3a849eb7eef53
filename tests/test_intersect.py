"""The first object along rays: by a loop and by a tree the same; scenes apart; own surfaces."""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run, unit_vectors
from shapes import CAMERA, random_objects
from tracer_scenes import ball, scene

from luxel.core import scene_tables
from luxel.core.interactions import Interactions, interact
from luxel.core.intersect import MISS, is_visible
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.scene import Box, Plane, Scene, Sphere
from luxel.scene.description import Object

KINDS = ["sphere", "ellipsoid", "box", "cylinder", "rectangle", "disc"]


@wp.kernel(enable_backward=False)
def visibilities(
    scenes: Scenes,
    scene: wp.array[int],
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    origin_object: wp.array[int],
    target: wp.array[int],
    visible: wp.array[int],
):
    i = wp.tid()
    visible[i] = wp.where(is_visible(scenes, scene[i], origin[i], direction[i], origin_object[i], target[i]), 1, 0)


def heap(count: int, seed: int) -> list[Object]:
    """Objects of every kind, about as dense as gravel, on a plane."""
    each = -(-count // len(KINDS))
    heaped = [
        random_objects(kind, each, 10 * seed + number, ratio=30.0, spread=2.0) for number, kind in enumerate(KINDS)
    ]
    return [Plane(center=(0, 0, -5)), *(item for turn in zip(*heaped, strict=True) for item in turn)][:count]


def rays_into(scenes: int, count: int, seed: int, device: str) -> Rays:
    """From all round, `count` a scene."""
    origin = 7 * unit_vectors(scenes * count, seed)
    target = 2 * np.random.default_rng(seed + 1).normal(size=origin.shape).astype(np.float32)
    number = torch.arange(scenes, dtype=torch.int32).repeat_interleave(count)
    return Rays(torch.from_numpy(origin), torch.from_numpy(target - origin), number).to(device)


def onwards(rays: Rays, first: Interactions, seed: int) -> tuple[Rays, torch.Tensor]:
    """Rays from what was hit, in any direction."""
    direction = torch.from_numpy(unit_vectors(len(rays), seed)).to(rays.origin.device)
    return Rays(first.point, direction, rays.scene), first.object_id


def assert_same(one: Interactions, other: Interactions) -> None:
    """But for rounding, as products and sums may be fused in the one and not in the other."""
    assert torch.equal(one.object_id, other.object_id)
    for name, tolerance in (("distance", 1e-5), ("point", 1e-5), ("normal", 1e-3)):
        values = (getattr(each, name)[each.is_hit].cpu().numpy() for each in (one, other))
        np.testing.assert_allclose(*values, rtol=1e-6, atol=tolerance, err_msg=name)


def with_trees_above(limit: int, scenes: list[Scene], device: str, monkeypatch: pytest.MonkeyPatch) -> SceneBatch:
    """A batch whose scenes have trees if they have more objects than the limit."""
    monkeypatch.setattr(scene_tables, "TREE_ABOVE", limit)
    batch = SceneBatch.of(scenes, device)
    assert (len(launchable(batch).tree_nodes) > 1) == (limit < max(len(one.objects) for one in scenes))
    return batch


@pytest.mark.parametrize("device", DEVICES)
def test_tree_and_loop_find_the_same(device, monkeypatch):
    scenes = [Scene(objects=tuple(heap(count, count)), camera=CAMERA) for count in (301, 7, 149)]
    loop = with_trees_above(10**9, scenes, device, monkeypatch)
    tree = with_trees_above(3, scenes, device, monkeypatch)
    some = with_trees_above(101, scenes, device, monkeypatch)
    rays = rays_into(3, 4001, 1, device)
    expected = interact(loop, rays)
    assert 0.5 < expected.is_hit.float().mean() < 1
    assert len(expected.object_id.unique()) > 300  # of 457, most are seen
    for batch in (tree, some):
        assert_same(interact(batch, rays), expected)
    again, started = onwards(rays, expected, 2)
    expected = interact(loop, again, started)
    assert 0.3 < expected.is_hit.float().mean() < 1
    for batch in (tree, some):
        assert_same(interact(batch, again, started), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [0, 10**9], ids=["tree", "loop"])
def test_the_nearest_is_that_of_all_alone_and_the_first_of_equals(limit, device, monkeypatch):
    """Each object in a scene of its own, and NumPy's argmin; two of them are there twice."""
    objects = heap(61, 3)
    objects = [*objects, objects[2], objects[45]]
    together = with_trees_above(limit, [Scene(objects=tuple(objects), camera=CAMERA)], device, monkeypatch)
    apart = SceneBatch.of([Scene(objects=(item,), camera=CAMERA) for item in objects], device)
    rays = rays_into(1, 2003, 4, device)
    number = torch.arange(len(objects), dtype=torch.int32, device=device).repeat_interleave(len(rays))
    repeats = (len(objects), 1)
    each = interact(apart, Rays(rays.origin.repeat(repeats), rays.direction.repeat(repeats), number))
    distance = each.distance.reshape(len(objects), -1).cpu().numpy()
    found = interact(together, rays)
    np.testing.assert_array_equal(found.distance.cpu(), distance.min(0))
    expected = np.where(np.isfinite(distance.min(0)), distance.argmin(0), MISS)
    np.testing.assert_array_equal(found.object_id.cpu(), expected)
    assert (expected == 2).any()
    assert (expected == 45).any()
    assert (expected < 61).all()


@pytest.mark.parametrize("device", DEVICES)
def test_scenes_of_a_batch_do_not_see_each_other(device):
    """The same rays in each, with rows counted over the whole batch."""
    scenes = [Scene(objects=tuple(heap(count, count)), camera=CAMERA) for count in (5, 127, 11, 1)]
    batch, rays = SceneBatch.of(scenes, device), rays_into(4, 1009, 5, device)
    found = interact(batch, rays)
    for number in range(4):
        part = slice(1009 * number, 1009 * (number + 1))
        alone = interact(
            batch[number : number + 1], Rays(rays.origin[part], rays.direction[part], 0 * rays.scene[part])
        )
        rows = torch.where(alone.is_hit, alone.object_id + batch.offsets[number].item(), MISS)
        assert torch.equal(found.object_id[part], rows)
        np.testing.assert_array_equal(found.distance[part].cpu(), alone.distance.cpu())


@pytest.mark.parametrize("device", DEVICES)
def test_hits_by_hand(device):
    """The nearest of three in a row, from before, from within, from behind and past them."""
    batch = SceneBatch.of([scene(ball(0, 4, 0, 1), ball(0, 0, 0, 1), ball(0, 2.5, 0, 1))], device)
    origin = torch.tensor([[0.0, -5, 0], [0, 0, 0], [0, 9, 0], [3, -5, 0]])
    direction = torch.tensor([[0.0, 1, 0], [0, 1, 0], [0, -1, 0], [0, 1, 0]])
    found = interact(batch, Rays(origin, direction, torch.zeros(4, dtype=torch.int32)).to(device))
    assert found.object_id.tolist() == [1, 1, 0, MISS]
    assert found.is_hit.tolist() == [True, True, True, False]
    assert found.distance.tolist() == [4, 1, 4, torch.inf]
    torch.testing.assert_close(found.point[:3].cpu(), torch.tensor([[0.0, -1, 0], [0, 1, 0], [0, 5, 0]]))
    torch.testing.assert_close(found.normal[:3].cpu(), torch.tensor([[0.0, -1, 0], [0, 1, 0], [0, 1, 0]]))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [0, 10**9], ids=["tree", "loop"])
def test_the_surface_a_ray_leaves_is_not_met_where_it_leaves(limit, device, monkeypatch):
    """Touching and coincident surfaces are: only the ray's own is known to be behind."""
    one = Scene(
        objects=(
            Sphere(center=(0, 0, 1), radius=1),
            Box(center=(0, 0, -1), half_extents=(1, 1, 1)),  # they touch at the origin
            Box(center=(0, 0, -1), half_extents=(1, 1, 1)),
        ),
        camera=CAMERA,
    )
    batch = with_trees_above(limit, [one], device, monkeypatch)
    origin, up = torch.zeros(4, 3, device=device), torch.tensor([0.0, 0, 1], device=device)
    scene_number = torch.zeros(4, dtype=torch.int32, device=device)
    directions = torch.stack([up, -up, up, -up])
    started = torch.tensor([0, 0, 1, 1], device=device)
    found = interact(batch, Rays(origin, directions, scene_number), started)
    # Up from the sphere: its far side, at 2. Down from the box: its own far side, as far as its twin's.
    assert found.object_id[[0, 3]].tolist() == [0, 1]
    assert found.distance[[0, 3]].tolist() == [2, 2]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("limit", [0, 10**9], ids=["tree", "loop"])
def test_an_object_is_visible_where_it_is_the_first(limit, device, monkeypatch):
    batch = with_trees_above(limit, [Scene(objects=tuple(heap(101, 6)), camera=CAMERA)], device, monkeypatch)
    rays = rays_into(1, 3001, 7, device)
    first = interact(batch, rays)
    again, started = onwards(rays, first, 8)
    target = (torch.arange(3001, device=device) * 7) % 101
    target = torch.where(target == started, (target + 1) % 101, target)
    aimed = Rays(again.origin, batch.center[target] - again.origin, again.scene)
    shown = interact(batch, aimed, started).object_id
    visible = run(
        visibilities, launchable(batch), np.zeros(3001, np.int32), aimed.origin.cpu().numpy(),
        aimed.unit_direction.cpu().numpy(), started.int().cpu().numpy(), target.int().cpu().numpy(), device=device,
    )[0]  # fmt: skip
    np.testing.assert_array_equal(visible == 1, (shown == target).cpu().numpy())
    assert 0.02 < visible.mean() < 0.9
