"""Which objects each pixel shows, and how much of it each covers, against the same rays in float64."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run
from shapes import PANELS, SOLIDS, crossings, random_objects

from luxel.core.fragments import Fragments, visible_fragments
from luxel.core.interactions import interact
from luxel.core.intersect import MISS
from luxel.core.lamp_search import lamp_bit
from luxel.core.pixels import FINE_RAYS
from luxel.core.rays import image_plane_rays
from luxel.core.sampling import lattice_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
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

WIDTH, HEIGHT, FACES = 23, 19, 6
RAYS = 31  # through a shared pixel
CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
PIXEL = 2 * tan_half_fov(CAMERA) / HEIGHT * 5  # its side, where the camera looks at


def lattice(rays: int) -> np.ndarray:
    """Where rays go through a pixel: one a column, rows by the fractional parts of multiples of the golden ratio."""
    k = np.arange(rays)
    return np.stack([(k + 0.5) / rays, np.modf(0.5 + k * (math.sqrt(5) - 1) / 2)[0]], 1)


def square_grid(side: int) -> np.ndarray:
    """The midpoints of side × side parts of a pixel."""
    middle = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(middle, middle), -1).reshape(-1, 2)


def found(scenes: list[Scene], rays: int = RAYS, device: str = "cpu") -> np.ndarray:
    """Share of every pixel that each object covers, [scenes, height, width, objects]."""
    return found_faces(scenes, rays, device).sum(-1)


def found_faces(scenes: list[Scene], rays: int = RAYS, device: str = "cpu") -> np.ndarray:
    """The same by face, which is that of a fragment's point: [scenes, height, width, objects, faces]."""
    batch = SceneBatch.of(scenes, device)
    fragment = visible_fragments(batch, WIDTH, HEIGHT, rays)
    shares = np.zeros((len(scenes), HEIGHT * WIDTH, int(batch.counts.max()), FACES), np.float32)
    place = [values.cpu().numpy() for values in (fragment.scene, fragment.pixel, fragment.object_number)]
    np.add.at(shares, (*place, faces_of(scenes, batch, fragment)), fragment.coverage.cpu().numpy())
    return shares.reshape(len(scenes), HEIGHT, WIDTH, -1, FACES)


def faces_of(scenes: list[Scene], batch: SceneBatch, fragment: Fragments) -> np.ndarray:
    """The face on which each fragment's point lies, by its normal and numbered as by `first_hit`."""
    normal = interact(batch, image_plane_rays(batch, fragment.point, fragment.scene)).normal.cpu().numpy()
    faces = []
    for scene, number, n in zip(fragment.scene.tolist(), fragment.object_number.tolist(), normal, strict=True):
        item = scenes[scene].objects[number]
        local = rotation_matrix(item.rotation).T @ n
        axis = int(np.abs(local).argmax())
        if item.shape == "box":
            faces.append(axis + 3 * (local[axis] > 0))
        else:
            faces.append(0 if item.shape != "cylinder" or axis < 2 else 1 + (local[2] > 0))
    return np.array(faces, int)


def expected(scenes: list[Scene], offsets: np.ndarray) -> np.ndarray:
    """What `found` finds by rays at offsets [rays, 2] from every pixel's upper left corner, in float64."""
    return expected_faces(scenes, offsets).sum(-1)


def expected_faces(scenes: list[Scene], offsets: np.ndarray) -> np.ndarray:
    objects = max(len(scene.objects) for scene in scenes)
    x = np.arange(WIDTH)[:, None] + offsets[:, 0] - WIDTH / 2
    y = HEIGHT / 2 - np.arange(HEIGHT)[:, None, None] - offsets[:, 1]
    shares = []
    for scene in scenes:
        origin, rotation = frame(scene.camera)
        scale = 2 * tan_half_fov(scene.camera) / HEIGHT
        plane = np.stack(np.broadcast_arrays(x * scale, y * scale, -1.0), -1).reshape(-1, 3)
        hits = [first_hit(item, origin, plane @ rotation.T) for item in scene.objects]
        t, face = (np.stack(values) for values in zip(*hits, strict=True))
        first = t.argmin(0)
        key = np.where(np.isfinite(t.min(0)), first * FACES + np.take_along_axis(face, first[None], 0)[0], MISS)
        counts = (key.reshape(-1, len(offsets))[..., None] == np.arange(objects * FACES)).mean(1)
        shares.append(counts.reshape(HEIGHT, WIDTH, objects, FACES))
    return np.stack(shares)


def first_hit(item: Object, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along each ray the object is, infinite where the ray misses it, and the face there.

    A box's are −x, −y, −z, +x, +y, +z; a cylinder's are its mantle and its caps; all others have one.
    """
    kind = ("rectangle" if item.outline == "rectangle" else "disc") if isinstance(item, Panel) else item.shape
    unit_from_world = rotation_matrix(item.rotation).T / np.array(item.scale)[:, None]
    start = np.broadcast_to(unit_from_world @ (origin - np.array(item.center)), direction.shape)
    t = crossings(kind, start, direction @ unit_from_world.T)
    t = np.where(t > 0, t, np.inf)
    column = t.argmin(1)
    face = {"box": column, "cylinder": np.maximum(column - 1, 0)}.get(kind, np.zeros_like(column))
    return t.min(1), face


def check(scenes: list[Scene], rays: int = RAYS, largest: float = 0.2, mean: float = 2e-4, device: str = "cpu") -> None:
    """Coverages are those of as many rays a pixel, but for slivers between pixels' corners, and for rounding."""
    shares, truth = found_faces(scenes, rays, device), expected_faces(scenes, lattice(rays))
    assert truth.sum() > 0
    for wrong in (np.abs(shares.sum(-1) - truth.sum(-1)), np.abs(shares - truth).sum(-1)):
        assert wrong.max() <= largest
        assert wrong.mean() <= mean
    assert shares.sum((-1, -2)).max() <= 1 + 1e-6


def group(kind: str, seed: int) -> Scene:
    """Three objects of a kind about where the camera looks, not all of them in the picture."""
    return Scene(objects=tuple(random_objects(kind, 3, seed, spread=0.7)), camera=CAMERA)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("distribution", [Spheres(7), Ellipsoids(7), Varied(7)], ids=lambda kind: kind.name)
def test_coverage_in_batches_of_unlike_scenes(distribution, device):
    check([distribution(5, index) for index in range(11)], rays=61, device=device)


@pytest.mark.parametrize("kind", [*SOLIDS, *PANELS])
def test_coverage_by_every_shape(kind):
    check([group(kind, seed) for seed in range(11)])


@wp.kernel(enable_backward=False)
def lattice_offsets(k: wp.array[int], rays: int, offset: wp.array[wp.vec2]):
    i = wp.tid()
    offset[i] = lattice_point(k[i], rays)


def edge_error(offsets: np.ndarray, angle: np.ndarray) -> float:
    """Root mean square of the errors of shares behind straight edges, which go through anywhere in a pixel."""
    random, truth = np.random.default_rng(17), square_grid(101)
    normal = np.stack([np.cos(angle), np.sin(angle)])
    place = (random.uniform(size=(len(angle), 2)) * normal.T).sum(1)
    wrong = [
        ((offsets @ n < x).mean(0) - (truth @ n < x).mean(0))
        for n, x in zip(np.split(normal, 20, 1), np.split(place, 20), strict=True)
    ]
    return float(np.sqrt(np.mean(np.square(wrong))))


def test_a_lattice_finds_shares_behind_edges_as_well_as_a_grid_and_better_behind_level_ones():
    offsets = run(lattice_offsets, np.arange(32, dtype=np.int32), 32)[0]
    np.testing.assert_allclose(offsets, lattice(32), atol=1e-5)
    anywhere = np.random.default_rng(13).uniform(0, 2 * math.pi, 4000)
    level = math.pi / 2 * (np.arange(4000) % 4)
    assert edge_error(offsets, anywhere) == pytest.approx(0.023, abs=0.001)
    assert edge_error(square_grid(6), anywhere) < edge_error(offsets, anywhere) < edge_error(square_grid(5), anywhere)
    assert edge_error(offsets, level) == pytest.approx(0.0155, abs=0.001)
    assert edge_error(offsets, level) < edge_error(square_grid(16), level)


LYING = (math.sqrt(0.5), math.sqrt(0.5), 0, 0)
TILTED = (0.88, 0.31, -0.17, 0.32)
EDGES: dict[str, tuple[Object, ...]] = {
    "corner of a box": (Box(center=(0, 0, 0), half_extents=(1, 0.8, 0.9), rotation=TILTED),),
    "rim of a cap": (Cylinder(center=(0, 0, 0), radius=0.9, half_height=0.7, rotation=(0.8, 0.5, 0.25, 0.1)),),
    "room": (Box(center=(0.4, -3, 0.3), half_extents=(2, 3.5, 1.1)),),
    "tunnel": (Cylinder(center=(0.1, -3, 0.2), radius=0.8, half_height=3.5, rotation=LYING),),
    "ball on a table": (
        Box(center=(0, 0, -0.6), half_extents=(1.1, 1, 0.4), rotation=(0.92, 0.2, 0, 0.33)),
        Sphere(center=(0.1, -0.3, 0.2), radius=0.5),
    ),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", list(EDGES))
def test_faces_that_meet_in_a_pixel_share_it(name, device):
    scene = Scene(objects=EDGES[name], camera=CAMERA)
    check([scene], device=device)
    shares, truth = found_faces([scene], device=device)[0], expected_faces([scene], square_grid(32))[0]
    edge = ((truth > 0.02).sum(-1) > 1).any(-1)
    assert edge.sum() > 12
    wrong = (shares - truth)[edge]
    assert np.abs(wrong).max() < 0.1
    assert np.sqrt((wrong**2).max((-1, -2)).mean()) < 0.03
    inside = truth.sum((-1, -2)) == 1
    np.testing.assert_allclose(shares.sum((-1, -2))[inside], 1, atol=1e-6)


def test_only_faces_that_a_pixel_shows_have_fragments_in_it():
    scene = Scene(objects=EDGES["corner of a box"], camera=CAMERA)
    fragment = visible_fragments(SceneBatch.of([scene]), WIDTH, HEIGHT, RAYS)
    counts = torch.bincount(fragment.offsets.diff())
    assert 0 < counts[3] < 4  # where three faces meet
    assert counts[1] > 2 * counts[2]


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
    shares, truth = found(scenes), expected(scenes, lattice(RAYS))
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
    share = found([speck], rays=251)[0, ..., 0]
    assert share.sum() == pytest.approx(math.pi * 0.03**2 / PIXEL**2, rel=0.2)
    row, column = np.unravel_index(share.argmax(), share.shape)
    assert (row, column) == (int(HEIGHT / 2 - 0.52 / PIXEL), int(WIDTH / 2 + 0.31 / PIXEL))


def test_a_panel_seen_edge_on_covers_nothing():
    edge_on = Panel(center=(0.1, 0, 0), half_extents=(0.5, 0.5))
    assert found([Scene(objects=(edge_on,), camera=CAMERA)]).sum() == 0


def test_a_rectangle_covers_its_area():
    facing = Panel(center=(0.1, 0, 0.2), half_extents=(0.7, 0.3), rotation=(math.sqrt(0.5), math.sqrt(0.5), 0, 0))
    share = found([Scene(objects=(facing,), camera=CAMERA)], rays=251)
    assert share.sum() == pytest.approx(1.4 * 0.6 / PIXEL**2, rel=0.01)


@pytest.mark.parametrize("device", DEVICES)
def test_each_fragment_has_a_ray_that_shows_its_object(device):
    scenes = [*(Varied(7)(6, index) for index in range(11)), *(group(kind, 1) for kind in [*SOLIDS, *PANELS])]
    batch = SceneBatch.of(scenes, device)
    fragment = visible_fragments(batch, WIDTH, HEIGHT, RAYS)
    rays = image_plane_rays(batch, fragment.point, fragment.scene)
    shown = interact(batch, rays).object_id
    assert (shown == fragment.object_id).float().mean() > 0.9995  # rounding decides at outlines


def test_a_scene_alone_has_the_fragments_that_it_has_in_company():
    scenes = [*(Varied(7)(8, index) for index in range(5)), *(group(kind, 2) for kind in [*SOLIDS, *PANELS])]
    together = found(scenes)
    for scene, shares in zip(scenes, together, strict=True):
        alone = found([scene])[0]
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
    scenes = of_every_kind(5)
    batch = SceneBatch.of(scenes, device)
    fragment = visible_fragments(batch, WIDTH, HEIGHT, RAYS)
    pixel = fragment.scene.long() * (WIDTH * HEIGHT) + fragment.pixel
    key = pixel * len(batch.kind) + fragment.object_id
    assert (key.diff() >= 0).all()
    by_face = key.cpu() * FACES + torch.from_numpy(faces_of(scenes, batch, fragment))
    assert len(by_face.unique()) > 0.999 * len(by_face) > 1.01 * len(key.unique())  # rounding decides at edges
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
    whole, band = (visible_fragments(batch, WIDTH, HEIGHT, RAYS, *part) for part in ((), (first_row, rows)))
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


def test_a_lamp_is_measured_by_more_rays():
    """Where it shares a pixel: nearer to what many rays find than a ray of them counts, and so is what is beside it."""
    random = np.random.default_rng(11)
    lamps, stones = [], []
    for _ in range(13):
        x, z, radius = random.uniform(-1, 1), random.uniform(-0.5, 1), random.uniform(0.45, 0.8)
        lamp = Sphere(center=(x, 0, z), radius=radius)
        floor = Plane(center=(0, 0, -1))
        glowing = lamp.model_copy(update={"material": Material(emission=(3, 2, 5))})
        lamps.append(Scene(objects=(floor, glowing), camera=CAMERA))
        stones.append(Scene(objects=(floor, lamp), camera=CAMERA))
    truth = expected(stones, square_grid(48))
    coarse, fine = found(stones), found(lamps)
    shared = (coarse[..., 1:] > 0) & (coarse[..., 1:] < 1)
    assert shared.sum() > 100
    # An object that the fewer rays have all missed has no fragment.
    known = shared & (coarse > 0)
    assert np.abs(fine - truth)[known].max() <= 2 / FINE_RAYS
    assert np.abs(fine - truth)[known].mean() < 0.2 * np.abs(coarse - truth)[known].mean()
    assert (fine[..., 1:] > 0)[coarse[..., 1:] == 0].any()  # slivers that the fewer rays have all missed
    assert np.abs(fine - truth)[..., 1:].max() <= 3 / FINE_RAYS


def test_a_lamps_faces_are_measured_by_more_rays_where_something_else_shows():
    box = Box(center=(0, 0, 0.1), half_extents=(0.8, 0.7, 0.9), rotation=TILTED)
    glowing = box.model_copy(update={"material": Material(emission=(3, 2, 5))})
    stone, lamp = (Scene(objects=(Plane(center=(0, 0, -1)), item), camera=CAMERA) for item in (box, glowing))
    coarse, fine = found_faces([stone])[0], found_faces([lamp])[0]
    truth = expected_faces([stone], square_grid(48))[0]
    alone = coarse[..., 1, :].sum(-1) == 1
    assert ((coarse[..., 1, :] > 0).sum(-1)[alone] > 1).sum() > 10
    assert np.array_equal(fine[alone], coarse[alone])
    outline = (coarse[..., 1, :].sum(-1) > 0) & ~alone
    corner = outline & ((coarse[..., 1, :] > 0).sum(-1) > 1)
    assert corner.sum() > 2
    # Faces that the fewer rays have all missed have no fragments.
    known = outline & ((coarse > 0) == (truth > 0)).all((-1, -2))
    assert known.sum() > 0.8 * outline.sum()
    assert np.abs(fine - truth)[known].max() <= 3 / FINE_RAYS


def test_specks_of_light_keep_their_area_in_the_mean():
    """Where the few rays may miss them, a share that is only looked at where it was seen would lose them."""
    random, radius = np.random.default_rng(5), 0.3 * PIXEL / 2
    glow = Material(emission=(1, 1, 1))
    centers = random.uniform(-1.2, 1.2, (400, 2))
    scenes = [
        Scene(objects=(Sphere(center=(x, 0, z), radius=radius, material=glow),), camera=CAMERA) for x, z in centers
    ]
    shares = found(scenes).sum((1, 2, 3))
    # At the angle θ off the axis a ball's outline covers 1 / cos³ θ of the area that it covers on it.
    cosine = 5 / np.sqrt(25 + (centers**2).sum(1))
    area = math.pi * (radius / PIXEL) ** 2 / cosine
    deviation = shares.std() / math.sqrt(len(shares))
    assert shares.mean() == pytest.approx(area.mean(), rel=0.015)
    assert deviation < 0.003 * area.mean()


@pytest.mark.parametrize("radius", [0.001, 0.003, 0.009])  # which hide about 0.006, 0.06 and 0.4 of what is behind
def test_a_cloud_covers_as_much_whether_it_glows_or_not(radius):
    """Of many balls in a pixel each ray sees another one, and most have no fragment."""
    centers = np.random.default_rng(6).uniform(-0.5, 0.5, (2000, 3)).tolist()
    camera = Camera(position=(0, -50, 0), look_at=(0, 0, 0), vertical_fov_degrees=1.2)
    shares = []
    for every in (2001, 5, 1):
        materials = [Material(emission=(float(number % every == 0),) * 3) for number in range(1, 2001)]
        balls = tuple(
            Sphere(center=at, radius=radius, material=material) for at, material in zip(centers, materials, strict=True)
        )
        fragment = visible_fragments(SceneBatch.of([Scene(objects=balls, camera=camera)]), 17, 17, RAYS)
        is_lamp = (fragment.object_number + 1) % every == 0
        shares.append([float(fragment.coverage.sum()), float(fragment.coverage[is_lamp].sum())])
    (stones, _), (fifth, lamps), (glowing, _) = shares
    assert fifth == pytest.approx(stones, rel=0.1)
    assert glowing == pytest.approx(stones, rel=0.1)
    assert lamps == pytest.approx(0.2 * stones, rel=0.25)


def test_specks_of_light_in_one_pixel_have_the_same_shares_in_any_order():
    random, glow = np.random.default_rng(8), Material(emission=(1, 1, 1))
    scenes = []
    for _ in range(101):
        centers = random.uniform(-0.3, 0.3, (2, 2)) * PIXEL
        balls = [Sphere(center=(x, 0, z), radius=0.12 * PIXEL, material=glow) for x, z in centers]
        scenes.append(Scene(objects=tuple(balls), camera=CAMERA))
    turned = [scene.model_copy(update={"objects": scene.objects[::-1]}) for scene in scenes]
    shares = found(scenes)
    assert (shares > 0).all(-1).any((1, 2)).mean() > 0.5, "mostly both are in one pixel"
    np.testing.assert_array_equal(found(turned)[..., ::-1], shares)


def test_all_specks_of_light_in_one_pixel_are_measured():
    """Three, a fifth of a pixel wide: each in steps much finer than the few rays', of which one is 0.032."""
    random, glow, size = np.random.default_rng(9), Material(emission=(1, 1, 1)), 0.2
    wrong = []
    for _ in range(31):
        turn = random.uniform(0, 2 * math.pi) + np.array([0, 2, 4]) * math.pi / 3
        centers = (0.25 * np.stack([np.cos(turn), np.sin(turn)], 1) + random.uniform(-0.1, 0.1, 2)) * PIXEL
        balls = [Sphere(center=(x, 0, z), radius=size / 2 * PIXEL, material=glow) for x, z in centers]
        shares = found([Scene(objects=tuple(balls), camera=CAMERA)])[0, HEIGHT // 2, WIDTH // 2]
        wrong.append(shares - math.pi * size**2 / 4)
    assert np.abs(wrong).max() < 0.012
    assert np.sqrt(np.mean(np.square(wrong))) < 0.005


def test_a_lamps_share_changes_steadily_as_it_moves_over_pixels():
    """A ball nine pixels across, by a fiftieth of a pixel a frame: no pixel by much more than its edge moves."""
    random, step = np.random.default_rng(10), 0.02
    glowing = Material(emission=(1, 1, 1))
    for _ in range(3):
        direction = random.normal(size=2)
        direction *= step * PIXEL / np.linalg.norm(direction)
        places = np.arange(60)[:, None] * direction
        frames = found(
            [
                Scene(objects=(Sphere(center=(x, 0, z), radius=4.6 * PIXEL, material=glowing),), camera=CAMERA)
                for x, z in places
            ]
        )[..., 0]
        assert np.abs(np.diff(frames, axis=0)).max() < 1.42 * step + 0.02


def test_a_lamp_that_ends_at_a_pixels_border_shows_nothing_in_the_next():
    """A panel of 5 × 3 pixels, whose edges reach 0.0002 pixels farther."""
    camera = Camera(
        position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), projection="orthographic", vertical_extent=HEIGHT
    )
    lamp = Panel(center=(0, 0, 0), half_extents=(2.5002, 1.5002), material=Material(emission=(1, 1, 1)))
    coverage = found([Scene(objects=(lamp,), camera=camera)])[0, ..., 0]
    assert (coverage > 0.9).sum() == 15
    np.testing.assert_allclose(coverage[coverage > 0.9], 1, atol=0.001)
    np.testing.assert_allclose(coverage[coverage < 0.9], 0, atol=0.001)


def test_a_cylindrical_lamp_seen_along_its_axis_covers_a_discs_area():
    camera = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), projection="orthographic", vertical_extent=2)
    shape, glowing = {"center": (0.03, 0.02, 0), "half_height": 1.0}, Material(emission=(1, 1, 1))
    for radius in (0.3, 0.5):
        lamp = Cylinder(radius=radius, material=glowing, **shape)
        coverage = found([Scene(objects=(lamp,), camera=camera)])[0, ..., 0]
        pixels = math.pi * radius**2 / (2 / coverage.shape[0]) ** 2
        assert coverage.sum() == pytest.approx(pixels, rel=0.003)


@wp.kernel(enable_backward=False)
def lamp_bits(scenes: Scenes, object_id: wp.array[int], bit: wp.array[int]):
    i = wp.tid()
    bit[i] = lamp_bit(scenes, object_id[i])


@pytest.mark.parametrize("device", DEVICES)
def test_small_lamps_have_bits_and_planes_have_none(device):
    glowing = Material(emission=(1, 1, 1))
    lamps = [Sphere(center=(x, 0, 0), radius=0.01, material=glowing) for x in range(33)]
    batch = SceneBatch.of([Scene(objects=(Plane(center=(0, 0, -1), material=glowing), *lamps), camera=CAMERA)], device)
    (bits,) = run(lamp_bits, launchable(batch), np.arange(-1, 34, dtype=np.int32), device=device)
    assert bits.view(np.uint32).tolist() == [0, 0, *(1 << number for number in range(32)), 1]


def test_nothing_in_view_leaves_no_fragments():
    behind = Scene(objects=(Sphere(center=(0, -9, 0), radius=1.0),), camera=CAMERA)
    assert found([behind]).sum() == 0


@pytest.mark.parametrize("device", DEVICES)
def test_what_an_orthographic_picture_shows_has_its_size_at_any_distance(device):
    """Spheres of 0.3 and 7 pixels' radius: πr², in pixels, though one is nine times as far as the other."""
    pixel = 0.1
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0), projection="orthographic", vertical_extent=HEIGHT * pixel)
    radii = (0.3, 7.0, 0.3)
    places = ((-0.9, 0, 0.6), (0.1, 40, 0), (1.05, 2, -0.63))
    balls = tuple(Sphere(center=at, radius=radius * pixel) for at, radius in zip(places, radii, strict=True))
    behind = Sphere(center=(0, -6, 0), radius=0.4)
    shares = found([Scene(objects=(*balls, behind), camera=camera)], 127, device)
    areas = shares.sum((0, 1, 2))
    np.testing.assert_allclose(
        areas, [math.pi * 0.3**2, math.pi * 49, math.pi * 0.3**2, 0], rtol=0.03
    )  # a ray is 2.8 %
    columns = np.arange(WIDTH) + 0.5
    for number, (x, _, _) in enumerate(places):
        middle = (shares[0, ..., number].sum(0) * columns).sum() / areas[number]
        assert middle == pytest.approx(WIDTH / 2 + x / pixel, abs=0.05)
