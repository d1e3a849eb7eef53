"""Ray and ellipsoid, against the textbook quadratic in float64."""

from typing import NamedTuple

import numpy as np
import torch

from luxel.geometry.intersect import NOTHING, Shapes, arrival, nearest, one_minus_cosine
from luxel.geometry.vectors import Vector
from luxel.scene import Camera, Ellipsoid, Scene, Sphere
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Object
from luxel.trace.packed import Packed, pack

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
EGG = Ellipsoid(center=(0.3, -0.2, 0.1), semi_axes=(1.1, 0.5, 0.23), rotation=(0.6, 0.3, -0.5, 0.4))
NEEDLE = Ellipsoid(center=(0.3, -0.2, 0.1), semi_axes=(0.02, 0.02, 0.7), rotation=(0.6, 0.3, -0.5, 0.4))


def packed(*objects: Object) -> Packed:
    return pack([Scene(objects=objects, camera=CAMERA)], 0, torch.device("cpu"))


class Found(NamedTuple):
    """[1, rays], and [3, 1, rays]."""

    item: torch.Tensor
    point: torch.Tensor
    normal: torch.Tensor


def find(scene: Packed, origin: torch.Tensor, direction: torch.Tensor, own: int = NOTHING) -> Found:
    """What is met along rays [3, 1, rays], and where."""
    shapes = Shapes.of(scene.shapes.transpose(0, 1)[:, :, None].unbind(-1))
    start, along = Vector.of(origin), Vector.of(direction)
    owner = torch.full(origin.shape[1:], own, dtype=torch.int32)
    met = nearest(shapes, scene.real.T[..., None], start, along, owner)
    each = Shapes.of(scene.shapes[0, met.item.clamp(min=0)].unbind(-1))
    hit = arrival(each, start, along, met.distance)
    return Found(met.item, hit.point.stacked(), hit.normal.stacked())


def shoot(scene: Packed, origin: np.ndarray, direction: np.ndarray) -> Found:
    """`find` for [rays, 3]."""
    return find(scene, *(torch.from_numpy(array.T.astype(np.float32))[:, None] for array in (origin, direction)))


def in_unit_space(item: Object, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    to_unit = rotation_matrix(item.rotation) / np.array(item.semi_axes)
    return (origin - np.array(item.center)) @ to_unit, direction @ to_unit


def rays(count: int, distance: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Towards the middle, from `distance`, as float32 has them."""
    random = np.random.default_rng(seed)
    direction = random.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    origin = random.normal(size=(count, 3)) * 0.5 - distance * direction
    return origin.astype(np.float32).astype(np.float64), direction.astype(np.float32).astype(np.float64)


def test_hits_are_those_of_float64_even_near_the_outline():
    for item, error in ((EGG, 2e-5), (NEEDLE, 2e-4)):  # 6e-8 of 5 over the shortest axis, several times
        for distance in (0.0, 5.0):
            origin, direction = rays(4000, distance, 1)
            start, along = in_unit_space(item, origin, direction)
            a, b, c = (along**2).sum(1), (start * along).sum(1), (start**2).sum(1) - 1
            square = b * b - a * c
            root = np.sqrt(np.maximum(square, 0))
            near, far = (-b - root) / a, (-b + root) / a
            expected = np.where(near > 0, near, far)
            hits = (square > 0) & (expected > 0)
            sure = (np.abs(square / a) > error) & (np.abs(c) > 1e-4)
            found = shoot(packed(item), origin, direction)
            assert np.array_equal((found.item[0] != NOTHING).numpy()[sure], hits[sure])
            sure &= hits
            assert sure.sum() > 10
            point = found.point[:, 0].T.double().numpy()[sure]
            local, _ = in_unit_space(item, point, direction[sure])
            np.testing.assert_allclose(np.linalg.norm(local, axis=1), 1, atol=error)
            grazing = (root / a)[sure] * np.sqrt(a)[sure] < 0.05  # where distance is ill-conditioned
            exact = (origin + expected[:, None] * direction)[sure]
            np.testing.assert_allclose(point[~grazing], exact[~grazing], atol=5 * error)
            normal = local @ (rotation_matrix(item.rotation) / np.array(item.semi_axes)).T
            normal /= np.linalg.norm(normal, axis=1, keepdims=True)
            np.testing.assert_allclose(found.normal[:, 0].T.numpy()[sure], normal, atol=50 * error)


def test_a_ray_never_meets_the_point_it_leaves():
    """Outwards it meets nothing; inwards the far side, without any offset, at every angle."""
    for item in (EGG, NEEDLE):
        scene = packed(item)
        first = shoot(scene, *rays(3000, 5.0, 2))
        on = first.item[0] == 0
        point, normal = first.point[:, :, on], first.normal[:, :, on]
        direction = torch.nn.functional.normalize(
            torch.randn(point.shape, generator=torch.Generator().manual_seed(3)), dim=0
        )
        cosine = (direction * normal).sum(0)
        second = find(scene, point, direction, own=0)
        clear = cosine.abs() > 3e-3
        assert torch.equal((second.item == NOTHING)[clear], (cosine > 0)[clear])
        assert ((direction * second.normal).sum(0)[clear & (cosine < 0)] > 0).all()


def test_the_nearest_of_several_wins():
    scene = packed(
        Sphere(center=(0, 4, 0), radius=1), Sphere(center=(0, 0, 0), radius=1), Sphere(center=(0, 2.5, 0), radius=1)
    )
    found = shoot(
        scene,
        np.array([[0.0, -5, 0], [0, 0, 0], [0, 9, 0], [3, -5, 0]]),
        np.array(
            [
                [0.0, 1, 0],
                [0, 1, 0],
                [0, -1, 0],
                [0, 1, 0],
            ]
        ),
    )
    assert found.item[0].tolist() == [1, 1, 0, NOTHING]
    torch.testing.assert_close(found.point[:, 0, :3].T, torch.tensor([[0.0, -1, 0], [0, 1, 0], [0, 5, 0]]))


def test_cones_of_far_spheres_keep_their_size():
    """1 − cos = sin²/2 to first order, where cos itself is 1 in float32; a hemisphere at and in the sphere."""
    found = one_minus_cosine(torch.tensor([1e10, 1.0, 0.3]))
    torch.testing.assert_close(found, torch.tensor([0.5e-10, 1.0, 1.0]), rtol=1e-6, atol=0)
