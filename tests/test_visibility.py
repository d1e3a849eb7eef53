"""Which object each pixel shows: against rays shot one by one by the tracer's own intersection."""

import math

import numpy as np
import pytest
import torch

from luxel.geometry.arrays import normalised
from luxel.geometry.intersect import NOTHING
from luxel.models.surface import meet, surfaces
from luxel.models.visibility import footprints, shares
from luxel.scene import Camera, Ellipsoid, Ellipsoids, Scene, Sphere, Spheres, Varied, encode
from luxel.scene.camera import NEAR_CLIP, tan_half_fov

WIDTH, HEIGHT = 23, 19
CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)


def seen_in(scenes: list[Scene], grid: int) -> np.ndarray:
    """Share of every pixel that each object covers, [scenes, height, width, objects]."""
    tokens = encode(scenes)
    there = surfaces(torch.from_numpy(tokens.objects), torch.from_numpy(tokens.mask))
    prints = footprints(there.shapes, there.real, torch.from_numpy(tokens.camera), WIDTH, HEIGHT, grid)
    shares = torch.zeros(len(scenes), HEIGHT * WIDTH, tokens.mask.shape[1])
    shares.index_put_((prints.scene, prints.pixel, prints.item), prints.coverage, accumulate=True)
    return shares.unflatten(1, (HEIGHT, WIDTH)).numpy()


def shot(scenes: list[Scene], samples: int) -> np.ndarray:
    """The same by samples × samples rays in every pixel."""
    tokens = encode(scenes)
    there = surfaces(torch.from_numpy(tokens.objects), torch.from_numpy(tokens.mask))
    column = (torch.arange(WIDTH * samples) + 0.5) / samples - WIDTH / 2
    row = HEIGHT / 2 - (torch.arange(HEIGHT * samples) + 0.5) / samples
    x, y = torch.broadcast_tensors(column, row[:, None])
    shares = []
    for number, scene in enumerate(scenes):
        direction = torch.stack([x, y, torch.zeros_like(x)]).flatten(1) * (2 * tan_half_fov(scene.camera) / HEIGHT)
        direction[2] = -1
        lanes = torch.full((direction.shape[1],), number)
        nowhere = torch.full_like(lanes, NOTHING)
        points = meet(there, lanes, NEAR_CLIP * direction, normalised(direction), nowhere)
        hits = points.item[:, None] == torch.arange(tokens.mask.shape[1])
        cells = hits.float().unflatten(0, (HEIGHT, samples, WIDTH, samples))
        shares.append(cells.mean((1, 3)).numpy())
    return np.stack(shares)


@pytest.mark.parametrize("distribution", [Spheres(7), Ellipsoids(7), Varied(7)], ids=lambda kind: kind.name)
def test_coverage_is_that_of_many_rays(distribution):
    scenes = [distribution(5, index) for index in range(11)]
    found, expected = seen_in(scenes, grid=8), shot(scenes, samples=8)
    wrong = np.abs(found - expected)
    # A pixel whose centre and corners see one object may still be crossed by a sliver of another.
    assert wrong.max() <= 0.2
    assert wrong.mean() < 2e-4
    assert found.sum(-1).max() <= 1 + 1e-6


def test_what_is_smaller_than_a_pixel_is_not_lost():
    speck = Scene(objects=(Sphere(center=(0.31, 0, 0.52), radius=0.03),), camera=CAMERA)
    share = seen_in([speck], grid=16)[0, ..., 0]
    pixel = 2 * tan_half_fov(CAMERA) / HEIGHT * 5
    assert share.sum() == pytest.approx(math.pi * 0.03**2 / pixel**2, rel=0.2)
    row, column = np.unravel_index(share.argmax(), share.shape)
    assert row < HEIGHT // 2  # it is above the middle, and to the right
    assert column > WIDTH // 2


@pytest.mark.parametrize("thickness", [0.1, 0.25, 0.6, 1.5])
@pytest.mark.parametrize("kind", ["rod", "ball"])
def test_thin_and_small_objects_cover_what_they_cover(kind, thickness):
    """Half-thickness in pixels; turned and placed at random."""
    pixel = 2 * tan_half_fov(CAMERA) / HEIGHT * 5
    draw = np.random.default_rng(3)
    scenes = []
    for _ in range(40):
        axes = (pixel * thickness,) * 3 if kind == "ball" else (1.0, pixel * thickness, pixel * thickness)
        center = (draw.uniform(-1, 1), 0, draw.uniform(-1, 1))
        half = draw.uniform(0, math.pi / 2)
        turn = (math.cos(half), 0, math.sin(half), 0)  # in the picture's plane
        scenes.append(Scene(objects=(Ellipsoid(center=center, semi_axes=axes, rotation=turn),), camera=CAMERA))
    found, expected = seen_in(scenes, grid=4), shot(scenes, samples=4)
    assert found.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert np.abs(found - expected).max() < 0.1


def test_each_print_has_a_ray_that_shows_its_object():
    scenes = [Varied(7)(6, index) for index in range(11)]
    tokens = encode(scenes)
    there = surfaces(torch.from_numpy(tokens.objects), torch.from_numpy(tokens.mask))
    prints = footprints(there.shapes, there.real, torch.from_numpy(tokens.camera), WIDTH, HEIGHT, 4)
    direction = torch.cat([prints.ray, -torch.ones(len(prints.ray), 1)], 1).T
    nowhere = torch.full_like(prints.scene, NOTHING)
    points = meet(there, prints.scene, NEAR_CLIP * direction, normalised(direction), nowhere)
    assert (points.item == prints.item).float().mean() > 0.9995  # rounding decides at outlines


def test_shares_of_a_pixel_and_its_most_central_rays():
    """Of a 2 × 2 grid of rays three show object 1 and one shows nothing; of another all show object 0."""
    offset = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])
    shown = torch.tensor([[1, 1, 1, NOTHING], [0, 0, 0, 0]])
    pixel, item, share, central = shares(shown, offset, objects=3)
    assert (pixel.tolist(), item.tolist(), share.tolist()) == ([0, 1], [1, 0], [0.75, 1.0])
    assert central[0] == 0  # nearest to the mean of the three, (5/12, 5/12)


def test_nothing_in_view_leaves_no_prints():
    behind = Scene(objects=(Sphere(center=(0, -9, 0), radius=1.0),), camera=CAMERA)
    assert seen_in([behind], grid=4).sum() == 0
