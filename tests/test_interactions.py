"""What `interact` returns for rays of any length, and that it leaves its inputs alone."""

import numpy as np
import pytest
import torch
from kernels import DEVICES, unit_vectors
from shapes import Images, random_objects
from tracer_scenes import ball, egg, scene

from luxel.core.interactions import interact
from luxel.core.intersect import MISS
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.scene import Panel


@pytest.mark.parametrize("device", DEVICES)
def test_distances_are_lengths_whatever_that_of_the_direction(device):
    batch = SceneBatch.of([scene(egg(0, 0, 0, (1, 2, 0.5)))], device)
    origin = torch.from_numpy(5 * unit_vectors(503, 0)).to(device)
    number = torch.zeros(503, dtype=torch.int32, device=device)
    direction = 0.2 * torch.from_numpy(unit_vectors(503, 1)).to(device) * 5 - origin
    one = interact(batch, Rays(origin, direction, number))
    assert 0.2 < one.is_hit.float().mean() < 1
    for length in (1e-13, 0.25, 1e20):
        other = interact(batch, Rays(origin, direction * length, number))
        np.testing.assert_array_equal(other.object_id.cpu(), one.object_id.cpu())
        hit = one.is_hit
        torch.testing.assert_close(other.distance[hit], one.distance[hit], rtol=1e-5, atol=0)
        torch.testing.assert_close(other.point[hit], one.point[hit], rtol=0, atol=1e-5)
    along = torch.nn.functional.normalize(direction, dim=1)
    torch.testing.assert_close((origin + one.distance[:, None] * along)[hit], one.point[hit], rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_normals_point_outwards_of_panels_to_the_front(device):
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1), Panel(center=(5, 0, 0), half_extents=(1, 1)))], device)
    origin = torch.tensor([[0.0, 0, 5], [0, 0, 0], [5, 0, 3], [5, 0, -3]])
    direction = torch.tensor([[0.0, 0, -1], [0, 0, 1], [0, 0, -1], [0, 0, 1]])
    found = interact(batch, Rays(origin, direction, torch.zeros(4, dtype=torch.int32)).to(device))
    assert found.object_id.tolist() == [0, 0, 1, 1]
    assert found.normal.tolist() == [[0, 0, 1]] * 4
    assert found.object_id.dtype == torch.int64


@pytest.mark.parametrize("device", DEVICES)
def test_a_ray_that_starts_on_an_object_is_told_by_its_row(device):
    """Rows count over the whole batch: the second scene's first object is the third."""
    scenes = [scene(ball(0, 0, 0, 1), ball(0, 4, 0, 1)), scene(ball(0, 0, 0, 1), ball(0, 6, 0, 1))]
    batch = SceneBatch.of(scenes, device)
    origin = torch.tensor([[0.0, 1, 0]] * 2, device=device)
    direction = torch.tensor([[0.0, 1, 0]] * 2, device=device)
    number = torch.tensor([0, 1], dtype=torch.int32, device=device)
    found = interact(batch, Rays(origin, direction, number), torch.tensor([0, 2], device=device))
    assert found.object_id.tolist() == [1, 3]
    assert found.distance.tolist() == [2, 4]


@pytest.mark.parametrize("device", DEVICES)
def test_gradients_and_inputs_are_left_alone(device):
    images = Images.of("box", random_objects("box", 3, 0), device)
    leaf = images.batch.center.clone().requires_grad_()
    batch = SceneBatch(
        **{**{name: getattr(images.batch, name) for name in images.batch.__dataclass_fields__}, "center": leaf}
    )
    origin = torch.from_numpy(9 * unit_vectors(31, 2)).to(device).requires_grad_()
    rays = Rays(origin, -origin, (torch.arange(31, device=device) % 3).int())
    before = origin.detach().clone()
    found = interact(batch, rays)
    assert not found.distance.requires_grad
    assert torch.equal(origin, before)
    assert leaf.grad is None


@pytest.mark.parametrize("device", DEVICES)
def test_no_rays_are_no_hits(device):
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1))], device)
    none = torch.zeros(0, 3, device=device)
    found = interact(batch, Rays(none, none, torch.zeros(0, dtype=torch.int32, device=device)))
    assert len(found.object_id) == len(found.distance) == 0
    assert (found.object_id != MISS).sum() == 0
