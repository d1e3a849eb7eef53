"""Which objects each pixel shows, and how much of it each covers, against a dense grid of rays in float64."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from kernels import DEVICES
from shapes import PANELS, SOLIDS, first_crossing, random_objects

from luxel.core.fragments import FINER, Fragments, visible_fragments
from luxel.core.interactions import interact
from luxel.core.intersect import MISS
from luxel.core.rays import image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.scene import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Ellipsoids,
    Material,
    Panel,
    Plane,
    Scene,
    Sphere,
    Spheres,
    Varied,
)
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.description import Object

WIDTH, HEIGHT = 23, 19
CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
FINER_THAN_A_GRID = int(FINER)
PIXEL = 2 * tan_half_fov(CAMERA) / HEIGHT * 5  # its side, where the camera looks at


def found(scenes: list[Scene], grid: int, device: str = "cpu") -> np.ndarray:
    """Share of every pixel that each object covers, [scenes, height, width, objects]."""
    batch = SceneBatch.of(scenes, device)
    fragment = visible_fragments(batch, WIDTH, HEIGHT, grid)
    shares = torch.zeros(len(scenes), HEIGHT * WIDTH, int(batch.counts.max()), device=device)
    place = (fragment.scene.long(), fragment.pixel.long(), fragment.object_number.long())
    shares.index_put_(place, fragment.coverage, accumulate=True)
    return shares.unflatten(1, (HEIGHT, WIDTH)).cpu().numpy()


def expected(scenes: list[Scene], samples: int) -> np.ndarray:
    """The same by samples × samples rays in every pixel, in float64."""
    objects = max(len(scene.objects) for scene in scenes)
    x = (np.arange(WIDTH * samples) + 0.5) / samples - WIDTH / 2
    y = HEIGHT / 2 - (np.arange(HEIGHT * samples) + 0.5) / samples
    shares = []
    for scene in scenes:
        origin, rotation = frame(scene.camera)
        scale = 2 * tan_half_fov(scene.camera) / HEIGHT
        plane = np.stack(np.broadcast_arrays(x * scale, y[:, None] * scale, -1.0), -1).reshape(-1, 3)
        t = np.stack([first_hit(item, origin, plane @ rotation.T) for item in scene.objects])
        first = np.where(np.isfinite(t.min(0)), t.argmin(0), MISS)
        hits = first[:, None] == np.arange(objects)
        cells = hits.reshape(HEIGHT, samples, WIDTH, samples, objects)
        shares.append(cells.mean((1, 3)))
    return np.stack(shares)


def first_hit(item: Object, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """How far along each ray the object is, infinite where the ray misses it."""
    kind = ("rectangle" if item.outline == "rectangle" else "disc") if isinstance(item, Panel) else item.shape
    unit_from_world = rotation_matrix(item.rotation).T / np.array(item.scale)[:, None]
    start = np.broadcast_to(unit_from_world @ (origin - np.array(item.center)), direction.shape)
    return first_crossing(kind, start, direction @ unit_from_world.T)


def check(scenes: list[Scene], grid: int = 4, largest: float = 0.2, mean: float = 2e-4, device: str = "cpu") -> None:
    """Coverages are those of grid² rays a pixel, but for slivers between the corners of pixels, and for rounding."""
    shares, truth = found(scenes, grid, device), expected(scenes, grid)
    assert truth.sum() > 0
    wrong = np.abs(shares - truth)
    assert wrong.max() <= largest
    assert wrong.mean() <= mean
    assert shares.sum(-1).max() <= 1 + 1e-6


def group(kind: str, seed: int) -> Scene:
    """Three objects of a kind about where the camera looks, not all of them in the picture."""
    return Scene(objects=tuple(random_objects(kind, 3, seed, spread=0.7)), camera=CAMERA)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("distribution", [Spheres(7), Ellipsoids(7), Varied(7)], ids=lambda kind: kind.name)
def test_coverage_in_batches_of_unlike_scenes(distribution, device):
    check([distribution(5, index) for index in range(11)], grid=8, device=device)


@pytest.mark.parametrize("kind", [*SOLIDS, *PANELS])
def test_coverage_by_every_shape(kind):
    check([group(kind, seed) for seed in range(11)])


@pytest.mark.parametrize("height", [0.02, 1.7, -0.4])  # of the camera over the ground
def test_a_plane_ends_at_the_horizon(height):
    ball = Sphere(center=(0.3, 0, 0.5), radius=0.5)
    camera = Camera(position=(0, -5, height), look_at=(0, 0, height - 0.1))
    check([Scene(objects=(Plane(center=(3, -7, 0)), ball), camera=camera)])
    check([Scene(objects=(Plane(center=(0, 2, 0), normal=(0.3, -0.8, 0.1)), ball), camera=camera)])


Made = Callable[[float, tuple[float, float, float]], Object]
THIN: dict[str, Made] = {  # of a half thickness, there, the long ones along x before they are turned
    "ball": lambda size, center: Sphere(center=center, radius=size),
    "rod": lambda size, center: Ellipsoid(center=center, semi_axes=(1.0, size, size)),
    "stick": lambda size, center: Box(center=center, half_extents=(1.0, size, size)),
    "wire": lambda size, center: Cylinder(
        center=center, radius=size, half_height=1.0, rotation=(math.sqrt(0.5), 0, math.sqrt(0.5), 0)
    ),
    "slab": lambda size, center: Box(center=center, half_extents=(1.0, 0.7, size)),
    "strip": lambda size, center: Panel(center=center, half_extents=(1.0, size)),
    "slanted disc": lambda size, center: Panel(
        # Seen from below or above it would be a disc of radius 1, and its thickness is that of the slant.
        center=center,
        half_extents=(1.0, 1.0),
        outline="ellipse",
        rotation=(math.cos(size / 2), math.sin(size / 2), 0, 0),
    ),
}


@pytest.mark.parametrize("thickness", [0.1, 0.25, 0.6, 1.5])
@pytest.mark.parametrize("kind", list(THIN))
def test_thin_and_small_objects_cover_what_they_cover(kind, thickness):
    """Half-thickness in pixels; turned in the picture's plane and placed at random."""
    random, scenes = np.random.default_rng(3), []
    for _ in range(40):
        item = THIN[kind](PIXEL * thickness, (random.uniform(-1, 1), 0, random.uniform(-1, 1)))
        if not isinstance(item, Sphere):
            turn = random.uniform(0, math.pi / 2)
            item = item.model_copy(update={"rotation": turned((math.cos(turn), 0, math.sin(turn), 0), item.rotation)})
        scenes.append(Scene(objects=(item,), camera=CAMERA))
    shares, truth = found(scenes, grid=4), expected(scenes, samples=4)
    assert truth.sum() > 0
    assert shares.sum() == pytest.approx(truth.sum(), rel=0.01)
    assert np.abs(shares - truth).max() < 0.1


def turned(after: tuple[float, ...], before: tuple[float, ...]) -> tuple[float, ...]:
    """Quaternion of one rotation after another."""
    (a, *u), (b, *v) = after, before
    u, v = np.array(u), np.array(v)
    return (a * b - u @ v, *(a * v + b * u + np.cross(u, v)))


def test_what_is_smaller_than_a_pixel_is_not_lost():
    speck = Scene(objects=(Sphere(center=(0.31, 0, 0.52), radius=0.03),), camera=CAMERA)
    share = found([speck], grid=16)[0, ..., 0]
    assert share.sum() == pytest.approx(math.pi * 0.03**2 / PIXEL**2, rel=0.2)
    row, column = np.unravel_index(share.argmax(), share.shape)
    assert (row, column) == (int(HEIGHT / 2 - 0.52 / PIXEL), int(WIDTH / 2 + 0.31 / PIXEL))


def test_a_panel_seen_edge_on_covers_nothing():
    edge_on = Panel(center=(0.1, 0, 0), half_extents=(0.5, 0.5))
    assert found([Scene(objects=(edge_on,), camera=CAMERA)], grid=4).sum() == 0


def test_a_rectangle_covers_its_area():
    facing = Panel(center=(0.1, 0, 0.2), half_extents=(0.7, 0.3), rotation=(math.sqrt(0.5), math.sqrt(0.5), 0, 0))
    share = found([Scene(objects=(facing,), camera=CAMERA)], grid=16)
    assert share.sum() == pytest.approx(1.4 * 0.6 / PIXEL**2, rel=0.01)


@pytest.mark.parametrize("device", DEVICES)
def test_each_fragment_has_a_ray_that_shows_its_object(device):
    scenes = [*(Varied(7)(6, index) for index in range(11)), *(group(kind, 1) for kind in [*SOLIDS, *PANELS])]
    batch = SceneBatch.of(scenes, device)
    fragment = visible_fragments(batch, WIDTH, HEIGHT, 4)
    rays = image_plane_rays(batch, fragment.point, fragment.scene)
    shown = interact(batch, rays).object_id
    assert (shown == fragment.object_id).float().mean() > 0.9995  # rounding decides at outlines


def test_a_scene_alone_has_the_fragments_that_it_has_in_company():
    scenes = [*(Varied(7)(8, index) for index in range(5)), *(group(kind, 2) for kind in [*SOLIDS, *PANELS])]
    together = found(scenes, grid=4)
    for scene, shares in zip(scenes, together, strict=True):
        alone = found([scene], grid=4)[0]
        assert np.array_equal(alone, shares[..., : len(scene.objects)])
        assert not shares[..., len(scene.objects) :].any()


def of_every_kind(count: int) -> list[Scene]:
    return [*(Varied(7)(6, index) for index in range(count)), *(group(kind, 1) for kind in [*SOLIDS, *PANELS])]


def rows_of(fragment: Fragments, kept: torch.Tensor) -> list[torch.Tensor]:
    """Everything about some fragments, pixels apart."""
    names = ("scene", "object_id", "object_number", "coverage", "point")
    return [getattr(fragment, name)[kept] for name in names]


@pytest.mark.parametrize("device", DEVICES)
def test_fragments_are_in_the_order_of_pixels_and_of_objects_and_offsets_say_where(device):
    batch = SceneBatch.of(of_every_kind(5), device)
    fragment = visible_fragments(batch, WIDTH, HEIGHT, 4)
    pixel = fragment.scene.long() * (WIDTH * HEIGHT) + fragment.pixel
    key = pixel * len(batch.kind) + fragment.object_id
    assert (key.diff() > 0).all()
    counts = torch.bincount(pixel, minlength=len(batch) * WIDTH * HEIGHT)
    assert counts.max() > 1
    assert torch.equal(fragment.offsets.diff().long(), counts)
    assert fragment.offsets[0] == 0
    assert fragment.offsets[-1] == len(pixel)
    number = fragment.object_id - batch.offsets.to(device)[fragment.scene.long()]
    assert torch.equal(number, fragment.object_number.long())
    assert torch.equal(batch.scene_of_object[fragment.object_id.long()].long(), fragment.scene.long())


@pytest.mark.parametrize(("first_row", "rows"), [(0, 5), (3, 7), (11, HEIGHT - 11)])
def test_a_band_has_the_fragments_of_the_whole_picture_in_its_rows(first_row, rows):
    batch = SceneBatch.of(of_every_kind(3))
    whole, band = (visible_fragments(batch, WIDTH, HEIGHT, 4, *part) for part in ((), (first_row, rows)))
    assert (whole.width, whole.first_row, whole.rows) == (WIDTH, 0, HEIGHT)
    assert (band.width, band.first_row, band.rows) == (WIDTH, first_row, rows)
    row = whole.pixel // WIDTH
    inside = (row >= first_row) & (row < first_row + rows)
    assert inside.any()
    assert torch.equal(band.pixel, whole.pixel[inside] - first_row * WIDTH)
    everything = torch.ones_like(band.pixel, dtype=torch.bool)
    for one, other in zip(rows_of(band, everything), rows_of(whole, inside), strict=True):
        assert torch.equal(one, other)
    assert len(band.offsets) == len(batch) * rows * WIDTH + 1


def test_a_lamp_is_measured_by_a_finer_grid():
    """Where it shares a pixel and is not thin: to the ray, but for what rounding decides, all that the pixel shows."""
    grid, random = 4, np.random.default_rng(11)
    lamps, stones = [], []
    for _ in range(13):
        x, z, radius = random.uniform(-1, 1), random.uniform(-0.5, 1), random.uniform(0.45, 0.8)
        lamp = Sphere(center=(x, 0, z), radius=radius)
        floor = Plane(center=(0, 0, -1))
        glowing = lamp.model_copy(update={"material": Material(emission=(3, 2, 5))})
        lamps.append(Scene(objects=(floor, glowing), camera=CAMERA))
        stones.append(Scene(objects=(floor, lamp), camera=CAMERA))
    truth = expected(stones, FINER_THAN_A_GRID * grid)
    coarse, fine = found(stones, grid), found(lamps, grid)
    shared = (coarse[..., 1:] > 0) & (coarse[..., 1:] < 1)
    assert shared.sum() > 100
    # An object that the coarser grid has missed altogether has no fragment.
    known = shared & (coarse > 0)
    assert np.abs(fine - truth)[known].max() <= 2 / (FINER_THAN_A_GRID * grid) ** 2
    assert np.abs(fine - truth)[known].mean() < 0.05 * np.abs(coarse - truth)[known].mean()
    assert np.array_equal(fine[..., 1:][~shared], coarse[..., 1:][~shared])


def test_specks_of_light_keep_their_area_in_the_mean():
    """Where the coarse grid may miss them, a share that is only looked at where it was seen would lose them."""
    random, radius = np.random.default_rng(5), 0.3 * PIXEL / 2
    glow = Material(emission=(1, 1, 1))
    centers = random.uniform(-1.2, 1.2, (400, 2))
    scenes = [
        Scene(objects=(Sphere(center=(x, 0, z), radius=radius, material=glow),), camera=CAMERA) for x, z in centers
    ]
    shares = found(scenes, grid=4).sum((1, 2, 3))
    # At the angle θ off the axis a ball's outline covers 1 / cos³ θ of the area that it covers on it.
    cosine = 5 / np.sqrt(25 + (centers**2).sum(1))
    area = math.pi * (radius / PIXEL) ** 2 / cosine
    deviation = shares.std() / math.sqrt(len(shares))
    assert abs(shares.mean() - area.mean()) < 3 * deviation
    assert deviation < 0.15 * area.mean()


def test_nothing_in_view_leaves_no_fragments():
    behind = Scene(objects=(Sphere(center=(0, -9, 0), radius=1.0),), camera=CAMERA)
    assert found([behind], grid=4).sum() == 0
