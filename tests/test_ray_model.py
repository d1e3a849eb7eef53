"""The ray model: what it knows without learning, its invariances, gradients and sizes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from luxel import InputError
from luxel.models import ray_model, visibility
from luxel.models.attention import AttentionConfig
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.models.sequence import TransformerConfig
from luxel.scene import FIELDS, Camera, Material, Scene, Sphere, Tokens, Varied, encode

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


def made(config: RayModelConfig) -> RayModel:
    torch.manual_seed(0)
    return RayModel(config).eval()


def tensors(tokens: Tokens) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in tokens]


def picture(model: RayModel, scene: Scene, **size: int) -> torch.Tensor:
    with torch.no_grad():
        return model(*tensors(encode([scene])), **size)[0]


@pytest.mark.parametrize("name", VARIANTS)
def test_radiance_is_finite_not_negative_and_has_a_gradient_for_every_parameter(name):
    model = made(VARIANTS[name])
    rays = torch.rand(len(SCENES), 13, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    radiance = model(*tensors(encode(SCENES)), rays=rays)
    assert radiance.shape == (5, 13, 3)
    assert radiance.isfinite().all()
    assert radiance.min() >= 0
    radiance.square().sum().backward()
    for parameter, value in model.named_parameters():
        assert value.grad is not None, parameter
        assert value.grad.isfinite().all(), parameter
        assert value.grad.any(), parameter


def test_half_precision_says_about_the_same():
    model = made(VARIANTS["scene_transformer"])
    rays = torch.rand(len(SCENES), 13, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    expected = model(*tensors(encode(SCENES)), rays=rays)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(*tensors(encode(SCENES)), rays=rays)
    assert half.dtype == torch.float32
    half.sum().backward()
    torch.testing.assert_close(half, expected, rtol=0.1, atol=0.02)


def test_pictures_of_any_size():
    model = made(SMALL)
    assert picture(model, SCENES[0]).shape == (11, 11, 3)
    assert picture(model, SCENES[0], width=17, height=5).shape == (5, 17, 3)


def test_a_picture_is_made_of_its_rays():
    """Where one object fills a pixel, the pixel is the radiance along the ray through its middle."""
    model = made(SMALL)
    ball = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.0),), camera=AHEAD, background=SKY)
    arrays = tensors(encode([ball]))
    image = picture(model, ball, width=9, height=9)
    tan = float(arrays[2])
    rays = torch.tensor([[[2 * tan / 9, 0.0], [2 * tan / 9, -2 * tan / 9], [8 * tan / 9, 8 * tan / 9]]])
    with torch.no_grad():
        along = model(*arrays, rays=rays)[0]
    torch.testing.assert_close(image[4, 5], along[0])
    torch.testing.assert_close(image[5, 5], along[1])
    torch.testing.assert_close(along[2], torch.tensor(SKY))  # a corner
    torch.testing.assert_close(image[0, 0], torch.tensor(SKY))


def test_order_padding_and_company_change_nothing():
    model = made(VARIANTS["scene_transformer"])
    arrays = tensors(encode(SCENES))
    rays = torch.rand(5, 7, 2, generator=torch.Generator().manual_seed(1)) - 0.5
    with torch.no_grad():
        expected = model(*arrays, rays=rays)
        padded = model(*tensors(encode(SCENES, objects=19)), rays=rays)
        torch.testing.assert_close(padded, expected, rtol=1e-4, atol=1e-5)
        for number, scene in enumerate(SCENES):
            tokens, mask, *rest = tensors(encode([scene], objects=9))
            torch.testing.assert_close(
                model(tokens, mask, *rest, rays=rays[number : number + 1])[0], expected[number], rtol=1e-4, atol=1e-5
            )
            order = torch.randperm(mask.shape[1], generator=torch.Generator().manual_seed(number))
            turned = model(tokens[:, order], mask[:, order], *rest, rays=rays[number : number + 1])[0]
            torch.testing.assert_close(turned, expected[number], rtol=1e-3, atol=1e-4)


def test_memory_is_bounded_and_how_it_is_cut_changes_nothing(monkeypatch):
    model = made(SMALL)
    crowd = Scene(objects=tuple(item for scene in SCENES for item in scene.objects) * 8, camera=AHEAD, background=SKY)
    expected = picture(model, crowd, width=7)
    monkeypatch.setattr(ray_model, "CPU_NUMBERS", 1 << 18)
    monkeypatch.setattr(visibility, "PAIRS_AT_ONCE", 1 << 11)
    largest, read = [], ray_model.read

    def noting(scenes, points, *arguments):
        inputs = read(scenes, points, *arguments)
        largest.append(inputs.pairs.numel())
        return inputs

    monkeypatch.setattr(ray_model, "read", noting)
    torch.testing.assert_close(picture(model, crowd, width=7), expected, rtol=1e-4, atol=1e-5)
    # A ray that is followed makes two of one, all of which are read together.
    assert 0 < max(largest) <= 2 * ray_model.CPU_NUMBERS
    assert len(largest) > 7 * 7 // 20


@pytest.mark.parametrize("rays", [True, False])
def test_training_goes_on_where_nothing_is_in_view(rays):
    model = made(SMALL).train()
    away = Scene(objects=(Sphere(center=(0, 9, 0), radius=1.0),), camera=Camera(position=(0, 0, 0), look_at=(0, -1, 0)))
    inputs = [torch.from_numpy(array) for array in encode([away])]
    light = model(*inputs, rays=torch.zeros(1, 5, 2)) if rays else model(*inputs, width=4)
    light.sum().backward()
    assert all(weights.grad is not None and not weights.grad.any() for weights in model.parameters())


def test_light_is_linear_in_what_emits():
    model = made(SMALL)
    tokens, mask, camera, background = tensors(encode(SCENES))
    rays = torch.rand(5, 17, 2, generator=torch.Generator().manual_seed(1)) - 0.5
    brighter = tokens.clone()
    brighter[..., FIELDS["emission"]] *= 7
    brighter[..., FIELDS["log_emission"]] = brighter[..., FIELDS["emission"]].log1p()
    with torch.no_grad():
        lamps = model(tokens, mask, camera, torch.zeros_like(background), rays=rays)
        sky = model(tokens, mask, camera, background, rays=rays) - lamps
        both = model(brighter, mask, camera, 3 * background, rays=rays)
    torch.testing.assert_close(both, 7 * lamps + 3 * sky, rtol=1e-4, atol=1e-4)


def test_a_rolled_camera_sees_the_same_along_the_same_rays():
    """Features are in the points' own frames: the picture's upright does not enter, but where a ray meets head-on."""
    model = made(SMALL)
    balls = [((0.3, 0.1, 0.4), 0.5), ((-0.6, 0.2, -0.2), 0.4), ((0.2, -0.7, -0.5), 0.3)]
    material = Material(base_color=(0.7, 0.4, 0.2), roughness=0.4)
    objects = tuple(Sphere(center=center, radius=radius, material=material) for center, radius in balls)
    rays = 0.4 * (torch.rand(1, 41, 2, generator=torch.Generator().manual_seed(1)) - 0.5)
    angle = 0.7
    seen = []
    for roll in (0.0, angle):
        camera = Camera(position=(0.0, -4.0, 0.0), look_at=(0, 0, 0), up=(math.sin(roll), 0.0, math.cos(roll)))
        cosine, sine = math.cos(roll), math.sin(roll)
        turned = rays @ torch.tensor([[cosine, sine], [-sine, cosine]])
        with torch.no_grad():
            seen.append(model(*tensors(encode([Scene(objects=objects, camera=camera, background=SKY)])), rays=turned))
    assert (seen[0] - torch.tensor(SKY)).abs().max() > 0.01
    torch.testing.assert_close(seen[1], seen[0], rtol=1e-3, atol=1e-4)


def test_a_larger_scene_seen_from_farther_looks_the_same():
    model = made(SMALL)

    def view(scale: float) -> torch.Tensor:
        objects = tuple(
            Sphere(center=(scale * x, 0.0, 0.1 * scale), radius=scale * radius)
            for x, radius in ((-0.6, 0.5), (0.5, 0.4))
        )
        camera = Camera(position=(0.0, -4.0 * scale, 0.5 * scale), look_at=(0, 0, 0))
        return picture(model, Scene(objects=objects, camera=camera, background=SKY))

    torch.testing.assert_close(view(3.0), view(1.0), rtol=2e-3, atol=1e-4)


def test_channels_are_alike():
    model = made(SMALL)
    tokens, mask, camera, background = tensors(encode(SCENES))
    rays = torch.rand(5, 17, 2, generator=torch.Generator().manual_seed(1)) - 0.5
    swapped = tokens.clone()
    for name in ("base_color", "emission", "log_emission"):
        swapped[..., FIELDS[name]] = tokens[..., FIELDS[name]].roll(1, -1)
    with torch.no_grad():
        expected = model(tokens, mask, camera, background, rays=rays).roll(1, -1)
        found = model(swapped, mask, camera, background.roll(1, -1), rays=rays)
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


def test_gradients_reach_colour_and_emission():
    """Of the material, the linear part; what was computed before the network counts as constant."""
    model = made(SMALL)
    tokens, *rest = tensors(encode(SCENES))
    tokens.requires_grad_(True)
    model(tokens, *rest).sum().backward()
    assert tokens.grad is not None
    assert tokens.grad[..., FIELDS["emission"]].any()
    assert tokens.grad[..., FIELDS["base_color"]].any()


@pytest.mark.parametrize(("field", "value"), [("layers", 0), ("bounces", -1), ("grid", 0), ("point_width", 13)])
def test_impossible_configurations_are_refused(field, value):
    with pytest.raises(InputError, match=f"{field} (is )?{value}"):
        replace(SMALL, **{field: value})
