"""The ray model: what it knows without learning, its invariances, gradients and sizes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import luxel
from luxel import InputError
from luxel.core import fragments
from luxel.core.rays import Rays, image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.models import features, ray_model
from luxel.models.attention import AttentionConfig
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.models.sequence import TransformerConfig
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere, Varied
from luxel.scene.camera import tan_half_fov

SMALL = RayModelConfig(width=11, point_width=12, heads=2, layers=2, emitter_width=7)
VARIANTS = {
    "base": SMALL,
    "no_secondary_rays": replace(SMALL, bounces=0),
    "two_bounces": replace(SMALL, bounces=2),
    "no_estimates": replace(SMALL, estimates=False),
    "scene_transformer": replace(
        SMALL, scene_transformer=TransformerConfig(layers=1, attention=AttentionConfig(heads=2))
    ),
    "one_ray_a_pixel": replace(SMALL, grid=1),
}
SCENES = [Varied(max_objects=7)(1, index) for index in range(5)]
SKY = (0.3, 0.5, 0.7)
AHEAD = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
LAMP = Material(base_color=(0, 0, 0), emission=(2, 3, 5))
GLASS = Material(transmission=1.0, roughness=0.1)
MIRROR = Material(base_color=(0.9, 0.8, 0.7), metallic=1.0, roughness=0.05)
HALF = math.sqrt(0.5)
EVERY_SHAPE = Scene(
    objects=(
        Plane(center=(0, 0, -1.05)),
        Sphere(center=(-1.2, 0, 0), radius=0.4, material=GLASS),
        Ellipsoid(center=(-0.4, 0, 0.3), semi_axes=(0.3, 0.2, 0.5), rotation=(0.6, 0.3, 0.5, 0.4)),
        Box(center=(0.4, 0.2, -0.1), half_extents=(0.3, 0.3, 0.8), rotation=(0.9, 0, 0, 0.4), material=GLASS),
        Cylinder(center=(1.2, 0, -0.4), radius=0.3, half_height=0.6, material=MIRROR),
        Panel(center=(0, 1.5, 0), half_extents=(2.0, 1.0), rotation=(HALF, HALF, 0, 0), material=MIRROR),
        Panel(center=(0, 0, 1.5), half_extents=(0.5, 0.5), rotation=(0, 1, 0, 0), outline="ellipse", material=LAMP),
        Panel(center=(-1, -1, -0.5), half_extents=(0.4, 0.2), rotation=(HALF, 0.6, 0.2, 0), material=LAMP),
    ),
    camera=AHEAD,
    background=SKY,
)


def made(config: RayModelConfig) -> RayModel:
    torch.manual_seed(0)
    return RayModel(config).eval()


def random_rays(batch: SceneBatch, count: int, seed: int = 0, spread: float = 1.0) -> Rays:
    """Rays of the scenes' cameras, `count` of each scene, one scene's after another's."""
    points = spread * (torch.rand(len(batch) * count, 2, generator=torch.Generator().manual_seed(seed)) - 0.5)
    return image_plane_rays(batch, points, torch.arange(len(batch), dtype=torch.int32).repeat_interleave(count))


def picture(model: RayModel, scene: Scene, **size: int) -> Tensor:
    with torch.no_grad():
        return model(SceneBatch.of([scene]), **size)[0]


@pytest.mark.parametrize("name", VARIANTS)
def test_radiance_is_finite_not_negative_and_every_parameter_has_its_gradient(name):
    """Against differences along the gradient: the loss rises by its length."""
    model, batch = made(VARIANTS[name]), SceneBatch.of([*SCENES, EVERY_SHAPE])
    rays = random_rays(batch, 31)

    def loss() -> Tensor:
        radiance = model(batch, rays)
        assert radiance.shape == (6 * 31, 3)
        assert radiance.isfinite().all()
        assert radiance.min() >= 0
        return radiance.double().square().mean()

    loss().backward()
    for parameter, value in model.named_parameters():
        assert value.grad is not None, parameter
        length = value.grad.double().norm()
        if parameter.endswith(("weigh.bias", "key.bias")):  # they shift all that a softmax is taken of: no effect
            assert length < 1e-5, parameter
            continue
        assert length > 0, parameter
        step = 3e-3 * value.detach().norm().clamp(min=1) * value.grad / length
        with torch.no_grad():
            value += step
            above = loss()
            value -= 2 * step
            below = loss()
            value += step
        rise = (above - below) / (2 * step.double().norm())
        assert rise.item() == pytest.approx(length.item(), rel=0.05), parameter


def test_half_precision_says_about_the_same():
    model, batch = made(VARIANTS["scene_transformer"]), SceneBatch.of(SCENES)
    rays = random_rays(batch, 13)
    expected, image = model(batch, rays), model(batch, width=7)
    with torch.autocast("cpu", torch.bfloat16):
        half, half_image = model(batch, rays), model(batch, width=7)
    assert half.dtype == half_image.dtype == torch.float32
    half.sum().backward()
    torch.testing.assert_close(half, expected, rtol=0.1, atol=0.02)
    torch.testing.assert_close(half_image, image, rtol=0.1, atol=0.02)


def test_pictures_of_any_size():
    model = made(SMALL)
    assert picture(model, SCENES[0]).shape == (11, 11, 3)
    assert picture(model, SCENES[0], width=7).shape == (7, 7, 3)
    assert picture(model, SCENES[0], width=17, height=5).shape == (5, 17, 3)


def test_scenes_of_every_shape_have_pictures():
    """From all sides, from within glass and from under the opaque ground, whose lower side is black."""
    model, views = made(SMALL), [(0, -5, 0.5), (4, -3, 2), (0.5, 6, 1), (0.3, 0.2, 5), (0.4, 0.2, -0.2), (0.3, -1, -3)]
    cameras = [Camera(position=view, look_at=(0.1, 0, 0)) for view in views]
    batch = SceneBatch.of([EVERY_SHAPE.model_copy(update={"camera": camera}) for camera in cameras])
    with torch.no_grad():
        images = model(batch, width=31, height=23)
    assert images.shape == (6, 23, 31, 3)
    assert images.isfinite().all()
    assert images.min() >= 0
    found = fragments.visible_fragments(batch, 31, 23, SMALL.grid)
    assert len(batch.number_in_scene[found.object_id].unique()) == len(EVERY_SHAPE.objects)
    share = torch.zeros(6 * 23 * 31).index_add(0, found.scene * 23 * 31 + found.pixel, found.coverage)
    is_sky = (images - torch.tensor(SKY)).abs().amax(3).flatten() < 1e-5
    assert is_sky[share == 0].all()
    assert is_sky[share > 0.5].float().mean() < 0.01
    assert not images[5].any()


def test_the_weights_that_come_with_luxel_light_a_room_of_panels():
    """A floor under a lamp: E = L · A cos² θ / d² and more by way of the walls, which the lamp's outline decides."""
    model = RayModel.from_pretrained(str(Path(luxel.__file__).parent / "pretrained" / "ray-small"))
    lamp = Material(base_color=(0, 0, 0), specular=0, emission=(10, 10, 10))
    floor = Material(base_color=(0.5, 0.5, 0.5), specular=0, roughness=1)
    scene = Scene(
        objects=(
            Plane(center=(0, 0, 0), material=floor),
            Panel(center=(0, 0, 4), half_extents=(0.3, 0.4), rotation=(0, 1, 0, 0), material=lamp),
        ),
        camera=Camera(position=(0.5, 0, 3), look_at=(0, 0, 0), vertical_fov_degrees=10),
    )
    below = picture(model, scene, width=9)[4, 4, 0].item()
    assert below == pytest.approx(10 * 0.5 / math.pi * 4 * 0.3 * 0.4 / 4**2, rel=0.15)


def test_a_picture_is_made_of_its_rays():
    """Where one object fills a pixel, the pixel is the radiance along the ray through its middle."""
    model = made(SMALL)
    ball = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.0),), camera=AHEAD, background=SKY)
    batch, tan = SceneBatch.of([ball]), tan_half_fov(AHEAD)
    image = picture(model, ball, width=9, height=9)
    points = torch.tensor([[2 * tan / 9, 0.0], [2 * tan / 9, -2 * tan / 9], [8 * tan / 9, 8 * tan / 9]])
    with torch.no_grad():
        along = model(batch, image_plane_rays(batch, points, torch.zeros(3, dtype=torch.int32)))
    torch.testing.assert_close(image[4, 5], along[0])
    torch.testing.assert_close(image[5, 5], along[1])
    torch.testing.assert_close(along[2], torch.tensor(SKY))  # a corner
    torch.testing.assert_close(image[0, 0], torch.tensor(SKY))


def test_the_length_of_a_ray_changes_nothing():
    model, batch = made(SMALL), SceneBatch.of(SCENES)
    rays = random_rays(batch, 7)
    with torch.no_grad():
        expected, found = model(batch, rays), model(batch, replace(rays, direction=1000 * rays.direction))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_order_and_company_change_nothing():
    model, scenes = made(VARIANTS["scene_transformer"]), [*SCENES, EVERY_SHAPE]
    batch = SceneBatch.of(scenes)
    rays = random_rays(batch, 7, seed=1)
    with torch.no_grad():
        expected = model(batch, rays).unflatten(0, (6, 7))
        mixed = torch.randperm(42, generator=torch.Generator().manual_seed(2))
        shuffled = model(batch, Rays(rays.origin[mixed], rays.direction[mixed], rays.scene[mixed]))
        torch.testing.assert_close(shuffled, expected.flatten(0, 1)[mixed], rtol=1e-4, atol=1e-5)
        for number, scene in enumerate(scenes):
            order = torch.randperm(len(scene.objects), generator=torch.Generator().manual_seed(number))
            turned = scene.model_copy(update={"objects": tuple(scene.objects[i] for i in order)})
            these = slice(7 * number, 7 * number + 7)
            own = Rays(rays.origin[these], rays.direction[these], torch.zeros(7, dtype=torch.int32))
            for alone, rtol, atol in ((scene, 1e-4, 1e-5), (turned, 1e-3, 1e-4)):
                found = model(SceneBatch.of([alone]), own)
                torch.testing.assert_close(found, expected[number], rtol=rtol, atol=atol)


def test_memory_is_bounded_and_how_it_is_cut_changes_nothing(monkeypatch):
    model = made(SMALL)
    crowd = Scene(objects=tuple(item for scene in SCENES for item in scene.objects) * 8, camera=AHEAD, background=SKY)
    expected = picture(model, crowd, width=7)
    monkeypatch.setattr(ray_model, "CPU_NUMBERS", 1 << 18)
    monkeypatch.setattr(fragments, "GRIDS_AT_ONCE", 1 << 5)
    largest, point_features = [], features.point_features

    def noting(*arguments):
        inputs = point_features(*arguments)
        largest.append(inputs.pairs.numel())
        return inputs

    monkeypatch.setattr(features, "point_features", noting)
    torch.testing.assert_close(picture(model, crowd, width=7), expected, rtol=1e-4, atol=1e-5)
    # A ray that is followed makes two of one, all of which are read together.
    assert 0 < max(largest) <= 2 * ray_model.CPU_NUMBERS
    assert len(largest) > 7 * 7 // 20


@pytest.mark.parametrize("rays", [True, False])
def test_training_goes_on_where_nothing_is_in_view(rays):
    model = made(SMALL).train()
    camera = Camera(position=(0, 0, 0), look_at=(0, -1, 0))
    away = SceneBatch.of([Scene(objects=(Sphere(center=(0, 9, 0), radius=1.0),), camera=camera, background=SKY)])
    radiance = model(away, random_rays(away, 5)) if rays else model(away, width=4)
    torch.testing.assert_close(radiance, torch.tensor(SKY).expand_as(radiance))
    radiance.sum().backward()
    assert all(weights.grad is not None and not weights.grad.any() for weights in model.parameters())


def test_light_is_linear_in_what_emits():
    model, batch = made(SMALL), SceneBatch.of([*SCENES, EVERY_SHAPE])
    rays = random_rays(batch, 17, seed=1)
    dark = torch.zeros_like(batch.background)
    with torch.no_grad():
        lamps = model(replace(batch, background=dark), rays)
        sky = model(batch, rays) - lamps
        both = model(replace(batch, emission=7 * batch.emission, background=3 * batch.background), rays)
    assert lamps.max() > 1
    torch.testing.assert_close(both, 7 * lamps + 3 * sky, rtol=1e-4, atol=1e-4)


def test_a_rolled_camera_sees_the_same_along_the_same_rays():
    """Features are in the points' own frames: the picture's upright does not enter, but where a ray meets head-on."""
    model = made(SMALL)
    balls = [((0.3, 0.1, 0.4), 0.5), ((-0.6, 0.2, -0.2), 0.4), ((0.2, -0.7, -0.5), 0.3)]
    material = Material(base_color=(0.7, 0.4, 0.2), roughness=0.4)
    objects = tuple(Sphere(center=center, radius=radius, material=material) for center, radius in balls)
    seen, rays = [], None
    for roll in (0.0, 0.7):
        camera = Camera(position=(0.0, -4.0, 0.0), look_at=(0, 0, 0), up=(math.sin(roll), 0.0, math.cos(roll)))
        batch = SceneBatch.of([Scene(objects=objects, camera=camera, background=SKY)])
        rays = rays or random_rays(batch, 41, seed=1, spread=0.4)
        with torch.no_grad():
            seen.append(model(batch, rays))
    assert ((seen[0] - torch.tensor(SKY)).abs().amax(1) > 0.01).sum() > 10
    torch.testing.assert_close(seen[1], seen[0], rtol=1e-3, atol=1e-4)


def test_a_larger_scene_seen_from_farther_looks_the_same():
    model = made(SMALL)

    def view(scale: float) -> Tensor:
        objects = (
            *(
                Sphere(center=(scale * x, 0.0, 0.1 * scale), radius=scale * radius)
                for x, radius in ((-0.6, 0.5), (0.5, 0.4))
            ),
            Plane(center=(0, 0, -0.6 * scale)),
            Panel(center=(0, 0, 2 * scale), half_extents=(scale, 0.5 * scale), rotation=(0, 1, 0, 0), material=LAMP),
        )
        camera = Camera(position=(0.0, -4.0 * scale, 0.5 * scale), look_at=(0, 0, 0))
        return picture(model, Scene(objects=objects, camera=camera, background=SKY))

    torch.testing.assert_close(view(3.0), view(1.0), rtol=2e-3, atol=1e-3)


def test_channels_are_alike():
    model, batch = made(SMALL), SceneBatch.of([*SCENES, EVERY_SHAPE])
    rays = random_rays(batch, 17, seed=1)
    names = ("base_color", "emission", "background")
    swapped = replace(batch, **{name: getattr(batch, name).roll(1, -1) for name in names})
    with torch.no_grad():
        expected, found = model(batch, rays).roll(1, -1), model(swapped, rays)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_what_needs_no_learning_is_exact():
    """A lamp that reflects nothing, the sky, and the lamp's share of the pixels at its outline."""
    lamp = Sphere(
        center=(0, 0, 0), radius=1.0, material=Material(base_color=(0, 0, 0), emission=(40, 20, 10), specular=0)
    )
    model = made(replace(SMALL, grid=16))
    image = picture(model, Scene(objects=(lamp,), camera=AHEAD, background=SKY), width=32, height=32)
    black = picture(model, Scene(objects=(lamp,), camera=AHEAD), width=32, height=32)
    torch.testing.assert_close(image[16, 16], torch.tensor([40.0, 20.0, 10.0]))
    torch.testing.assert_close(image[0, 0], torch.tensor(SKY))
    pixel = 2 * np.tan(np.radians(20)) / 32
    expected = np.pi * 1 / (5**2 - 1) / pixel**2  # the outline's cone is a disc of tangent 1/√(5² − 1)
    red = black[..., 0] / black[16, 16, 0]
    assert float(red.sum()) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("front", [True, False])
def test_a_panel_emits_on_its_front(front):
    """Its normal, +z before it is turned, is towards the camera if it is turned by a right angle about x."""
    material = Material(base_color=(0, 0, 0), emission=(40, 20, 10), specular=0)
    turn = (HALF, HALF if front else -HALF, 0, 0)
    panel = Panel(center=(0, 0, 0), half_extents=(1, 1), rotation=turn, material=material)
    middle = picture(made(SMALL), Scene(objects=(panel,), camera=AHEAD, background=SKY))[5, 5]
    torch.testing.assert_close(middle, torch.tensor([40.0, 20.0, 10.0] if front else [0.0, 0.0, 0.0]))


def test_gradients_reach_color_and_emission():
    """Of emissions, in which radiance is linear, and of colours as the network reads them, against differences.

    What is computed before the network, albedos among it, counts as constant.
    """
    model, batch = made(SMALL), SceneBatch.of([*SCENES, EVERY_SHAPE])
    rays = random_rays(batch, 17, seed=1)
    emission, color = (values.clone().requires_grad_(True) for values in (batch.emission, batch.base_color))
    model(replace(batch, emission=emission, base_color=color), rays).sum().backward()
    assert emission.grad is not None
    assert color.grad is not None
    change = torch.rand(emission.shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        brighter = replace(batch, emission=torch.where(batch.emission > 0, batch.emission + change, 0.0))
        rise = model(brighter, rays).double().sum() - model(batch, rays).double().sum()
        expected = (emission.grad * (brighter.emission - batch.emission)).double().sum()
        assert rise.item() == pytest.approx(expected.item(), rel=1e-3)
        prepared = model.prepare(batch)
        step = 1e-2 * color.grad / color.grad.norm()
        shifts = (batch.padded(sign * step, prepared.base_color.shape[1]) for sign in (1, -1))
        above, below = (
            model.radiance(prepared._replace(base_color=prepared.base_color + shift), rays).double().sum()
            for shift in shifts
        )
        assert ((above - below) / 2e-2).item() == pytest.approx(color.grad.norm().item(), rel=0.02)


@pytest.mark.parametrize(("field", "value"), [("layers", 0), ("bounces", -1), ("grid", 0), ("point_width", 13)])
def test_impossible_configurations_are_refused(field, value):
    with pytest.raises(InputError, match=f"{field} (is )?{value}"):
        replace(SMALL, **{field: value})
