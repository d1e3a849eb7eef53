"""What the path tracer promises: pictures that depend on their scene alone, energy, and scenes that others fail at."""

import math

import numpy as np
import pytest
import torch
from kernels import DEVICES
from pinhole import primary_rays
from proof import assert_agree
from tracer_scenes import (
    CAMERA,
    FEATURES,
    GREY,
    LAMP,
    SIDE_LAMP,
    WHITE,
    ball,
    box,
    can,
    egg,
    glass,
    gravel,
    metal,
    on_floor,
    panel,
    scene,
)

from luxel import InputError
from luxel.core import launch as launching
from luxel.core import scene_tables
from luxel.core.rays import Rays, image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.scene.description import Object
from luxel.trace import Tracer, path
from luxel.trace.path import PathTracer
from luxel.trace.tracer import Radiance

SIDE = 12  # pixels
NAMES = ("many lights", "diffuse", "60 lamps", "nested glass", "300 small objects", "diffuse, background alone")


def test_it_is_a_tracer():
    assert isinstance(PathTracer(), Tracer)
    assert PathTracer().renderer.startswith("luxel ")


def traced(scenes: list[Scene] | SceneBatch, seed: int = 3, **options) -> Radiance:
    return PathTracer(**options).trace(scenes, 7, 5, 37, seed)


def assert_equal(one: Radiance, other: Radiance) -> None:
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.variance, other.variance)


@pytest.mark.parametrize("device", DEVICES)
def test_an_image_depends_on_its_scene_alone(device, monkeypatch):
    """To the bit: not on the batch or its order, how much is traced at once, or who asks."""
    scenes = [FEATURES[name][0] for name in NAMES]
    together = traced(scenes, device=device)
    for number, one in enumerate(scenes):
        alone = traced([one], device=device)
        np.testing.assert_array_equal(together.mean[number], alone.mean[0])
        np.testing.assert_array_equal(together.variance[number], alone.variance[0])
    backwards = traced(scenes[::-1], device=device)
    np.testing.assert_array_equal(backwards.mean[::-1], together.mean)
    assert_equal(traced(SceneBatch.of(scenes, device), device=device), together)
    for name in ("CPU_CHUNKS", "CUDA_CHUNKS"):
        monkeypatch.setattr(path, name, 97)
    assert_equal(traced(scenes, device=device), together)
    other = traced(scenes, seed=4, device=device)
    assert (other.mean != together.mean).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("threads", [2, 4])
def test_an_image_does_not_depend_on_the_threads(threads, monkeypatch):
    scenes = [FEATURES[name][0] for name in NAMES]
    monkeypatch.setattr(launching, "threads", lambda: 1)
    one = traced(scenes)
    monkeypatch.setattr(launching, "threads", lambda: threads)
    assert_equal(traced(scenes), one)


def test_the_first_paths_are_the_same_however_many_follow():
    """Random numbers are by sample: of the mean of two paths and the first of them follows the second."""
    batch = SceneBatch.of([FEATURES["glossy glass"][0]])
    points = torch.rand(301, 2, generator=torch.Generator().manual_seed(0)) * 0.3 - 0.15
    rays = image_plane_rays(batch, points, torch.zeros(301, dtype=torch.int32))
    one, two = (PathTracer().trace_rays(batch, rays, spp).mean for spp in (1, 2))
    deviation = PathTracer().trace_rays(batch, rays, 2).path_variance  # (x₁ − x₂)² / 2, the mean over channels
    torch.testing.assert_close(2 * (one - two).square().mean(1), deviation, rtol=1e-3, atol=1e-6)
    assert (deviation > 0).sum() > 100


def test_object_order_changes_the_paths_but_not_the_light():
    one = on_floor(ball(-0.3, 0, -0.2, 0.7, glass(0.2)), box(0.5, 0.1, 0, (0.4, 0.3, 0.2), metal(0.3)))
    other = one.model_copy(update={"objects": one.objects[::-1]})
    tracer = PathTracer()
    assert_agree("order", *(tracer.trace([each], SIDE, SIDE, 256, 0) for each in (one, other)))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["300 small objects", "60 lamps"])
def test_a_tree_changes_nothing_but_rounding(name, device, monkeypatch):
    one, depth = FEATURES[name]
    found = []
    for limit in (10**9, 3):
        monkeypatch.setattr(scene_tables, "TREE_ABOVE", limit)
        found.append(PathTracer(max_depth=depth, device=device).trace([one], 13, 11, 16, 0).mean)
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_pixels_are_the_mean_of_what_they_cover(device):
    """The box filter, over square pixels, row 0 at the top: a lamp's rectangle covers known shares of them."""
    camera = Camera(position=(0, 0, 1), look_at=(0, 0, 0), up=(0, 1, 0), vertical_fov_degrees=90)
    bright = Material(base_color=(0, 0, 0), specular=0.0, emission=(1, 1, 1))
    # On the plane at distance 1, the picture of 8 × 4 pixels is 4 wide and 2 high.
    left, right, bottom, top = -1.35, 0.6, -0.2, 0.85
    lamp = Panel(center=((left + right) / 2, (bottom + top) / 2, 0), material=bright,
                 half_extents=((right - left) / 2, (top - bottom) / 2))  # fmt: skip
    light = PathTracer(max_depth=1, device=device).trace([scene(lamp, camera=camera)], 8, 4, 4096, 0)
    edges_x, edges_y = np.linspace(-2, 2, 9), np.linspace(1, -1, 5)
    across = np.clip(np.minimum(edges_x[1:], right) - np.maximum(edges_x[:-1], left), 0, None) / 0.5
    down = np.clip(np.minimum(edges_y[:-1], top) - np.maximum(edges_y[1:], bottom), 0, None) / 0.5
    np.testing.assert_allclose(light.mean[0, :, :, 0], down[:, None] * across, atol=5 * 0.5 / 4096**0.5)
    assert light.mean[0, 0, 1].min() > 0  # up and to the left
    np.testing.assert_allclose(light.mean[0, 1, 3], 1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("length", [1e-13, 1.0, 3.0, 1e20])
def test_rays_of_their_own_see_what_the_camera_sees(length, device):
    """Narrow pictures round the same rays, of a scene without edges there; directions of any length."""
    one, depth = FEATURES["plastic"]
    rays = primary_rays(one.camera, 5, 3)
    directions = rays.directions.reshape(-1, 3)
    number = torch.zeros(15, dtype=torch.int32)
    origin = torch.tensor(np.broadcast_to(rays.origin, directions.shape).copy())
    found = PathTracer(max_depth=depth, device=device).trace_rays(
        [one], Rays(origin, torch.from_numpy(length * directions), number), spp=1024
    )
    assert found.mean.shape == (15, 3)
    assert found.mean.device.type == device
    narrow = [
        one.model_copy(
            update={
                "camera": Camera(
                    position=one.camera.position,
                    look_at=tuple(np.array(one.camera.position) + direction),
                    vertical_fov_degrees=1.0,
                )
            }
        )
        for direction in directions
    ]
    pictures = PathTracer(max_depth=depth, device=device).trace(narrow, 1, 1, 1024, 0)
    error = np.sqrt(found.variance.cpu().numpy() + pictures.variance.reshape(15, 3)) + 0.005
    assert np.all(np.abs(found.mean.cpu().numpy() - pictures.mean.reshape(15, 3)) < 5 * error)


@pytest.mark.parametrize("device", DEVICES)
def test_a_ray_depends_on_its_scene_and_its_number_there_alone(device):
    """Rays of several scenes in any order, against each scene's own."""
    scenes = [FEATURES[name][0] for name in NAMES[:3]]
    generator = torch.Generator().manual_seed(0)
    number = torch.randint(0, 3, (53,), generator=generator, dtype=torch.int32)
    origin = torch.tensor(CAMERA.position).float().expand(53, 3)
    target = torch.randn(53, 3, generator=generator) * 0.5
    tracer = PathTracer(device=device)
    together = tracer.trace_rays(scenes, Rays(origin, target - origin, number), 19, seed=7)
    for which in range(3):
        own = number == which
        rays = Rays(origin[own], (target - origin)[own], torch.zeros(int(own.sum()), dtype=torch.int32))
        alone = tracer.trace_rays([scenes[which]], rays, 19, seed=7)
        np.testing.assert_array_equal(together.mean.cpu()[own], alone.mean.cpu())
        np.testing.assert_array_equal(together.variance.cpu()[own], alone.variance.cpu())


def test_progress_tells_every_pixel_once(monkeypatch):
    monkeypatch.setattr(path, "CPU_CHUNKS", 31)
    told: list[int] = []
    PathTracer().trace([FEATURES["diffuse"][0]] * 2, 7, 5, 17, 0, progress=told.append)
    assert sum(told) == 2 * 7 * 5
    assert max(told) == 15  # of two chunks of paths each


def rays_of(numbers: list[int]) -> Rays:
    return Rays(torch.zeros(len(numbers), 3), torch.ones(len(numbers), 3), torch.tensor(numbers, dtype=torch.int32))


LIT = [FEATURES["diffuse"][0]]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: PathTracer(max_depth=0), "max_depth is 0"),
        (lambda: PathTracer(device="gpu"), "device is 'gpu', must be cpu, or cuda or cuda:N where there is a GPU"),
        (lambda: PathTracer().trace(LIT, 0, 4, 2, 0), "width is 0"),
        (lambda: PathTracer().trace(LIT, 4, -1, 2, 0), "height -1"),
        (lambda: PathTracer().trace(LIT, 3, 5, 0, 0), "spp is 0"),
        (lambda: PathTracer().trace_rays(LIT, rays_of([0]), 0), "spp is 0"),
        (lambda: PathTracer().trace_rays(LIT, rays_of([0, 1]), 2), "2 rays for 1 scenes"),
        (lambda: PathTracer().trace_rays(LIT, rays_of([-1, 0]), 2), "numbers from 0 to 0"),
        (lambda: PathTracer().trace_rays(LIT, rays_of([]), 2), "at least one"),
    ],
    ids=["depth", "device", "width", "height", "spp", "rays' spp", "scene too high", "scene too low", "no rays"],
)
def test_what_cannot_be_traced_is_told(call, told):
    with pytest.raises(InputError, match=told):
        call()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spp", [9, 40])
def test_variance_is_unbiased(spp, device):
    """Over one chunk of paths and several."""
    tracer = PathTracer(device=device)
    runs = [tracer.trace([FEATURES["plastic"][0]], 7, 5, spp, seed) for seed in range(80)]
    spread = np.var([run.mean for run in runs], axis=0, ddof=1).mean()
    assert np.mean([run.variance for run in runs]) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("device", DEVICES)
def test_one_path_has_no_variance(device):
    one = PathTracer(device=device).trace([scene(ball(0, 0, 0, 0.5), background=GREY)], 3, 5, 1, 0)
    assert np.isinf(one.variance).all()
    assert np.isfinite(one.mean).all()
    assert one.mean.dtype == one.variance.dtype == np.float32
    assert one.spp == 1


def extremes() -> dict[str, Scene]:
    """The smallest and largest lengths that a scene may have; coincident, touching and degenerate objects."""
    speck, slab = egg(0.2, 0, 0.1, (1e-6, 1e-6, 1e-6), LAMP), egg(0, 8, 0, (1e6, 1e-6, 1e6), glass(0.0))
    sheet = box(0.3, 0, 0.1, (1e-6, 0.5, 0.5), LAMP)
    return {
        "speck": scene(speck, ball(0, 0, 0, 0.5, glass(0.0)), background=GREY),
        "slab": scene(slab, SIDE_LAMP, ball(0, 0, 0, 0.5), background=GREY),
        "coincident": scene(ball(0, 0, 0, 0.5), ball(0, 0, 0, 0.5, LAMP), ball(0, 0, 0, 0.5, glass(0.3))),
        "huge": scene(ball(0, 0, 0, 1e6, glass(0.5)), ball(0, 1e6, 0, 1e6, LAMP)),
        "sheet": scene(sheet, box(0.3, 0, 0.1, (0.5, 0.5, 1e-6), glass(0.2)), background=GREY),
        "thread": scene(can(0, 0, 0, 1e-6, 1e6, LAMP), can(0.2, 0, 0, 1e-6, 0.5, glass(0.0)), ball(0, 0, 0, 0.4)),
        "huge panel": scene(panel(0, 0, 0, (1e6, 1e-6), LAMP), panel(0, 3, 0, (1e6, 1e6)), ball(0, 0, 0, 0.4)),
        "planes": scene(*(Plane(center=(0, 0, z), normal=(0, 0, s), material=LAMP) for z, s in ((-1, 1), (-1, -1)))),
        "camera on a plane": scene(Plane(center=(0, 0, 0.5)), SIDE_LAMP, background=GREY),
        "camera on a box": scene(
            box(0, 0, 0, (1, 1, 1)).model_copy(update={"rotation": (1.0, 0, 0, 0), "half_extents": (1.0, 5.0, 0.5)}),
            SIDE_LAMP,
            background=GREY,
        ),
        "tiny numbers": scene(
            ball(0, 0, 0, 1, Material(base_color=(1e-30, 1e-30, 0), transmission=1e-30, emission=(1e-30, 0, 0))),
            background=(1e-30, 0, 0),
        ),
    }


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", extremes())
def test_extreme_scenes_give_finite_light(name, device):
    light = PathTracer(max_depth=16, device=device).trace([extremes()[name]], 13, 11, 64, 0)
    assert np.isfinite(light.mean).all()
    assert np.isfinite(light.variance).all()
    assert (light.mean >= 0).all()


MATERIALS = {
    "metal": Material(base_color=(1, 1, 1), metallic=1, specular=1, roughness=0.05),
    "glass": Material(base_color=(1, 1, 1), transmission=1, roughness=0.05),
    "matte": Material(base_color=(1, 1, 1), specular=0.0, roughness=0.5),
}
SHAPES = {
    "sphere": lambda material: ball(0.2, 0, 0.1, 0.8, material),
    "ellipsoid": lambda material: egg(0.2, 0, 0.1, (0.9, 0.4, 0.6), material),
    "box": lambda material: box(0.2, 0, 0.1, (0.6, 0.5, 0.4), material),
    "cylinder": lambda material: can(0.2, 0, 0.1, 0.5, 0.6, material),
    "rectangle": lambda material: panel(0.2, 0, 0.1, (0.7, 0.6), material),
    "disc": lambda material: panel(0.2, 0, 0.1, (0.7, 0.6), material, "ellipse"),
    "plane": lambda material: Plane(center=(0, 0, -0.5), normal=(0.1, -0.3, 1), material=material),
}


ENDLESS = ("rectangle", "disc", "plane")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("shape", "material"),
    # Of glass is what has an inside, and one with an end.
    [
        (shape, it)
        for shape in SHAPES
        for it in MATERIALS
        if it != "glass" or shape not in ("rectangle", "disc", "plane")
    ],
)
def test_white_furnace(shape, material, device):
    """What absorbs nothing vanishes before a uniform background, but for the paths cut off; in boxes of glass, many.

    A white matte surface is Burley's, which darkens at grazing angles and takes that back from behind.
    """
    item = SHAPES[shape](MATERIALS[material])
    light = PathTracer(max_depth=128, device=device).trace([scene(item, background=(1, 1, 1))], 9, 9, 512, 0)
    trapped = 0.2 if material == "glass" and shape in ("box", "cylinder") else 0.02
    np.testing.assert_allclose(light.mean, 1, atol={"matte": 0.06}.get(material, trapped))
    if material != "matte":
        assert light.mean.max() < 1 + 1e-3 + 6 * light.variance.max() ** 0.5


CLEAR = Material(base_color=(1, 1, 1), transmission=1.0, roughness=0.0)
PAPER = Material(base_color=(0.6, 0.6, 0.6), roughness=1.0)


def glass_on_paper(kind: str, gap: float) -> Scene:
    """Glass that stands on a sheet, and what stands on it, `gap` apart, each 1 high, seen from above."""
    items: list[Object] = [Plane(center=(0, 0, 0), normal=(0, 0, 1), material=PAPER)]
    center, above = (0, 0, 0.5 + gap), (0, 0, 1.5 + 2 * gap)
    if kind == "cylinder":
        items.append(Cylinder(center=center, radius=1, half_height=0.5, material=CLEAR))
    else:
        items.append(Box(center=center, half_extents=(1, 1, 0.5), material=CLEAR))
    if kind == "glass on it":
        items.append(Box(center=above, half_extents=(1, 1, 0.5), material=CLEAR))
    elif kind == "paper on it":
        items.append(Box(center=above, half_extents=(0.3, 0.3, 0.5), material=PAPER))
    camera = Camera(position=(0, -5, 4), look_at=(0, 0, 0.3), vertical_fov_degrees=30)
    return scene(*items, camera=camera, background=(1, 1, 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", ["box", "cylinder", "glass on it", "paper on it"])
def test_glass_may_stand_exactly_on_something(kind, device):
    """As well as a hair above it: what is at the same distance as its face was met first, or never, and dark."""
    tracer, middle = PathTracer(max_depth=16, device=device), np.s_[0, 6:10, 6:10]
    on, above = (tracer.trace([glass_on_paper(kind, gap)], 16, 16, 256, 0) for gap in (0.0, 1e-3))
    noise = math.sqrt((on.variance[middle].mean() + above.variance[middle].mean()) / 16)
    assert noise < 0.01
    assert on.mean[middle].mean() == pytest.approx(above.mean[middle].mean(), abs=4 * noise)


# Scenes that renderers were seen to fail at (one of them Mitsuba, which several are beyond), with their right values.


def mean_of(one: Scene, device: str, depth: int = 6, spp: int = 256, side: int = 31) -> float:
    return float(PathTracer(max_depth=depth, device=device).trace([one], side, side, spp, 0).mean.mean())


DULL = Material(base_color=(0.5, 0.5, 0.5), roughness=0.5, specular=0.0)
DARK = Material(base_color=(0, 0, 0), specular=0.0, emission=(1, 1, 1))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("radius", [300.0, 3000.0, 1e5, 9.9e5, math.inf])
def test_a_bare_ground_is_as_bright_whatever_its_radius(radius, device):
    """0.5026 is the mean of a view of grey ground under a sky of 1, half of it below the horizon."""
    camera = Camera(position=(0, 0, 1), look_at=(0, 1, 0), vertical_fov_degrees=20)
    ground = Plane(center=(0, 0, 0), material=DULL)
    if math.isfinite(radius):
        ground = Sphere(center=(0, 0, -radius), radius=radius, material=DULL)
    assert mean_of(scene(ground, background=(1, 1, 1), camera=camera), device) == pytest.approx(0.5026, abs=4e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_a_clear_ball_far_from_the_origin_is_clear(device):
    """0.9991 to depth 6: what is missing are longer paths in it."""
    clear = Material(base_color=(1, 1, 1), roughness=0.0, transmission=1)
    camera = Camera(position=(3e4, -4, 0), look_at=(3e4, 0, 0))
    far = scene(ball(3e4, 0, 0, 1, clear), background=(1, 1, 1), camera=camera)
    assert mean_of(far, device) == pytest.approx(0.9991, abs=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_lamp_a_million_away_is_as_bright_as_its_size(device):
    """A disc of tan(asin(8/140)) in a square of tan 10°: 0.0828."""
    camera = Camera(position=(-7e5, 0, 0), look_at=(0, 0, 0), vertical_fov_degrees=20)
    share = math.pi / 4 * (math.tan(math.asin(8 / 140)) / math.tan(math.radians(10))) ** 2
    lamp = scene(ball(7e5, 0, 0, 8e4, DARK), camera=camera)
    assert mean_of(lamp, device) == pytest.approx(share, rel=2e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("radius", [0.1, 1e-2, 1e-3, 3.2e-4, 1e-4])
def test_small_lamps_of_the_same_intensity_give_the_same_light(radius, device):
    """Radiance 0.1 / r², beyond what a scene's description allows at the smallest; on the ground alone."""
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, -0.5), vertical_fov_degrees=30)
    lamp, ground = ball(0, 0, 1, radius, DARK), ball(0, 0, -20.5, 20, DULL)
    batch = SceneBatch.of([scene(lamp, ground, camera=camera)])
    batch.emission[0] = 0.1 / radius**2
    light = PathTracer(device=device).trace(batch, 31, 31, 256, 0).mean[0, 16:]
    assert light.mean() == pytest.approx(0.00628, rel=3e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_flat_lamp_lights_the_ground_below(device):
    """1 : 20, as an ellipsoid: 0.0696. As a panel, nearly: its light from above is that of half an ellipsoid."""
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, -0.5), vertical_fov_degrees=10)
    ground = ball(0, 0, -20.5, 20, DULL)
    flat = Ellipsoid(center=(0, 0, 1), semi_axes=(1, 1, 0.05), material=DARK)
    assert mean_of(scene(flat, ground, camera=camera), device) == pytest.approx(0.0696, rel=5e-3)
    down = Panel(center=(0, 0, 1), half_extents=(1, 1), outline="ellipse", rotation=(0, 1, 0, 0), material=DARK)
    assert mean_of(scene(down, ground, camera=camera), device) == pytest.approx(0.0696, rel=0.03)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("roughness", [0.05, 0.5])
def test_a_metal_that_transmits_is_a_metal(roughness, device):
    """White, before a white sky: 1, less what is lost between rough microfacets; never above."""
    white = Material(base_color=(1, 1, 1), metallic=1, transmission=1, roughness=roughness)
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=32)
    light = PathTracer(device=device).trace(
        [scene(ball(0, 0, 0, 1, white), background=(1, 1, 1), camera=camera)], 31, 31, 256, 0
    )
    assert light.mean.max() <= 1 + 1e-3
    assert light.mean.mean() == pytest.approx(0.923 if roughness == 0.5 else 1, abs=2e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_from_within_glass(device):
    glassy, lamp = Material(transmission=1, roughness=0.05), Material(emission=(5, 4, 3))
    one = scene(
        ball(0, 0, 0, 0.6, Material(base_color=(0.8, 0.8, 0.8))),
        ball(1, 0.3, 0.2, 0.4, glassy),
        ball(-1, 0.2, 0.3, 0.3, lamp),
        camera=Camera(position=(1, 0.3, 0.2), look_at=(0, 0, 0)),
        background=(0.4, 0.4, 0.4),
    )
    assert mean_of(one, device) == pytest.approx(0.406, abs=3e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e5])
def test_units_do_not_matter(unit, device):
    camera = Camera(position=(0, -3 * unit, 0), look_at=(0, 0, 0))
    red = Material(base_color=(0.8, 0.2, 0.2))
    one = scene(ball(0, 0, 0, unit, red), background=(1, 1, 1), camera=camera)
    assert mean_of(one, device) == pytest.approx(0.602, abs=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_lamp_shines_outwards_alone(device):
    """A matte ball within a lamp is black, and so is the lamp from within."""
    camera = Camera(position=(0, -4, 0.6), look_at=(0, 0, 0))
    lamp = ball(0, 0, 0, 50, Material(emission=(1, 1, 1)))
    light = PathTracer(device=device).trace([scene(lamp, ball(0, 0, 0, 0.6), camera=camera)], 13, 11, 16, 0)
    assert (light.mean == 0).all()


@pytest.mark.parametrize("device", DEVICES)
def test_no_light_is_negative(device):
    """Between huge spheres that touch the camera, with tiny transmission and emission."""
    first = Material(base_color=(0, 1, 0.5), roughness=0, transmission=1e-30, emission=(1e-30, 0, 0))
    third = Material(base_color=(1e-30, 1e-30, 0), metallic=0.5, specular=1, transmission=1e-30, emission=(1e-30, 0, 0))
    middle = (0.2494268325769764, -1.5865057916872707, 1.3517443908599458)
    up = (-761495.5073171981, 55450.01138007271, 394147.62298060197)
    camera = Camera(position=(0, -5, 1), look_at=middle, up=up, vertical_fov_degrees=169.999)
    one = scene(
        ball(-1.8325732397090384, -1.0674379777429106, -1.9553818509086507, 1e6, first),
        ball(-1.0152676085552694, 1.8781808063222512, 0.7720454748693455, 1e6, Material()),
        ball(*middle, 1, third),
        background=(0.3, 0.3, 0.3),
        camera=camera,
    )
    light = PathTracer(device=device).trace([one], 31, 31, 64, 0)
    assert (light.mean >= 0).all()
    assert np.isfinite(light.variance).all()


@pytest.mark.parametrize("device", DEVICES)
def test_a_thousand_objects_are_traced(device):
    """And the light is that of the same objects in any order."""
    objects = gravel(1009, lamps=11)
    one, other = (scene(*order, background=GREY) for order in (objects, objects[::-1]))
    light = PathTracer(max_depth=4, device=device).trace([one, other], 31, 29, 32, 0)
    error = np.sqrt(light.variance.mean((1, 2)).sum(0) / (31 * 29))
    assert (np.abs(light.mean[0].mean((0, 1)) - light.mean[1].mean((0, 1))) < 5 * error).all()
    assert light.mean.min() > 0


@pytest.mark.parametrize("device", DEVICES)
def test_sixty_lamps_light_the_ground_as_their_sum(device):
    """Light adds up: groups of lamps apart, where nothing is reflected between, against all together by their tree."""
    ground = Plane(center=(0, 0, -1), material=WHITE)
    lamps = [ball(0.1 * (x % 10), 0.1 * (x // 10), 0.5, 0.02, DARK) for x in range(60)]
    tracer = PathTracer(max_depth=2, device=device)
    camera = Camera(position=(0, 0, 0.2), look_at=(0.2, 0.1, -1))  # that sees no lamp
    together = tracer.trace([scene(ground, *lamps, camera=camera)], 7, 5, 4096, 0)
    groups = [scene(ground, *lamps[first : first + 12], camera=camera) for first in range(0, 60, 12)]
    apart = tracer.trace(groups, 7, 5, 4096, 1)
    summed = Radiance(apart.mean.sum(0, keepdims=True), apart.variance.sum(0, keepdims=True), 4096)
    assert_agree("sum of lamps", together, summed)


def test_the_variance_of_a_path_is_that_without_strata(monkeypatch):
    lit = FEATURES["many lights"][0]
    stratified = PathTracer().trace([lit], 13, 11, 512, 1)
    monkeypatch.setattr(path, "strata_of", lambda spp, groups: (1, 1))
    independent = PathTracer().trace([lit], 13, 11, 512, 0)
    np.testing.assert_allclose(stratified.variance_of_a_path, independent.variance_of_a_path, rtol=0.1)
    np.testing.assert_allclose(independent.variance_of_a_path, 512 * independent.variance.mean((1, 2, 3)), rtol=1e-3)
    assert stratified.variance.mean() < 0.8 * independent.variance.mean()


@pytest.mark.parametrize("spp", [16, 17, 64, 65, 97, 100])
def test_the_stated_variance_is_the_true_one_for_any_number_of_paths(spp):
    """At a lamp's edge, where strata count: the spread of 75 images, of 117 pixels each."""
    lit = scene(ball(0.2, 0, 0.1, 0.9, LAMP))
    runs = [PathTracer(max_depth=1).trace([lit], 13, 9, spp, seed) for seed in range(75)]
    spread = np.var([run.mean for run in runs], axis=0, ddof=1).mean()
    assert np.mean([run.variance for run in runs]) == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize("kind", ["sphere", "ellipsoid"])
@pytest.mark.parametrize(("radius", "distance"), [(1e-2, 3), (1e-5, 3), (1e-6, 3), (1e-5, 100), (1e-6, 100)])
def test_lamps_of_any_size_give_their_light(kind, radius, distance):
    """To a small matte ball, that of a point: E/π = L r²/d²."""
    axes = (radius,) * 3 if kind == "sphere" else (radius, radius, 1.00001 * radius)
    emission = min((distance / radius) ** 2, 1e6)
    lamp = Material(base_color=(0, 0, 0), specular=0, emission=(emission,) * 3)
    lit = scene(
        ball(0, 0, 0, 0.01),
        Ellipsoid(center=(0, -distance, 0), semi_axes=axes, material=lamp),
        camera=Camera(position=(0, -0.05, 0.0002), look_at=(0, 0, 0.0002), vertical_fov_degrees=1),
    )
    traced = PathTracer(max_depth=2).trace([lit], 3, 5, 64, 0).mean.mean((0, 1, 2))
    albedo, irradiance = np.array(WHITE.base_color), emission * (radius / distance) ** 2  # over π
    # Burley's lobe of roughness 1 at normal incidence and exitance is Lambert's.
    np.testing.assert_allclose(traced, albedo * irradiance * (1 + 0.01 / distance) ** 2, rtol=0.02)


def test_few_paths_are_spread_over_the_pixel():
    """At a lamp's edge 4 paths in 2 × 2 strata have less variance than without, and the same mean; it is not known."""
    lit = scene(ball(0.2, 0, 0.1, 0.9, LAMP))
    tracer = PathTracer(max_depth=1)
    runs = [tracer.sample([lit], 4, 3, 4, seed) for seed in range(300)]
    plain = [tracer.trace([lit], 4, 3, 4, seed) for seed in range(300)]
    means = torch.stack([run.mean for run in runs]).reshape(300, -1)
    others = torch.stack([torch.from_numpy(run.mean) for run in plain]).reshape(300, -1)
    assert means.var(0).mean() < 0.6 * others.var(0).mean()
    off = (means.mean(0) - others.mean(0)) / ((means.var(0) + others.var(0)) / 300).sqrt().clamp(min=1e-6)
    assert off.abs().max() < 4.5
    assert torch.isinf(runs[0].variance).all()
    assert runs[0].path_variance.shape == (12,)
    assert np.mean([float(run.path_variance.mean()) for run in runs]) / 4 > float(means.var(0).mean())


@pytest.mark.parametrize("name", ["diffuse", "nested glass"])
def test_branches_have_the_mean_of_paths_and_less_noise_for_a_cameras_ray(name):
    tracer, lit = PathTracer(), FEATURES[name][0]
    alone = torch.stack([tracer.sample([lit], 7, 5, 64, seed).mean for seed in range(8)])
    branched = torch.stack([tracer.sample([lit], 7, 5, 64, seed + 50, branches=4).mean for seed in range(8)])
    noise = torch.sqrt((alone.var(0) + branched.var(0)).sum(0) / 8) / 35
    assert ((alone.mean((0, 1)) - branched.mean((0, 1))).abs() < 4 * noise + 1e-6).all()
    assert branched.var(0).mean() < alone.var(0).mean()
