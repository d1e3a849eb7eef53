"""The path tracer against Mitsuba, and what it promises beyond.

Every comparison has fixed seeds and a threshold for all of its values together (`proof`).
"""

import numpy as np
import pytest
import torch
from proof import DEGREES, assert_agree
from tracer_scenes import CAMERA, FEATURES, GREY, LAMP, SIDE_LAMP, ball, egg, glass, metal, on_floor, scene

from luxel import InputError
from luxel.scene import Camera, Material, Scene
from luxel.scene.camera import primary_rays
from luxel.scene.distributions import DISTRIBUTIONS
from luxel.trace import MitsubaTracer, Tracer, mitsuba
from luxel.trace.packed import EMISSION, Packed, pack
from luxel.trace.path import PathTracer, camera_rays, radiance
from luxel.trace.tracer import Radiance

SIDE = 12  # pixels


@pytest.fixture(autouse=True)
def fine_reference(monkeypatch):
    """More degrees of freedom, and light meshes fine enough for the reference to be the exact shape's."""
    monkeypatch.setattr(mitsuba, "BATCHES", DEGREES + 1)
    monkeypatch.setattr(mitsuba, "OUTLINE_ERROR", 0.002)


def compare(name: str, one: Scene, depth: int, spp: int) -> None:
    ours = PathTracer(max_depth=depth).trace([one], SIDE, SIDE, spp, 0)
    reference = MitsubaTracer(max_depth=depth, threads=1).trace([one], SIDE, SIDE, spp, 0)
    assert_agree(name, ours, reference)


@pytest.mark.parametrize("name", FEATURES)
def test_features_agree_with_mitsuba(name):
    compare(name, *FEATURES[name], spp=256)


@pytest.mark.slow
@pytest.mark.parametrize("name", FEATURES)
def test_features_agree_with_mitsuba_closely(name):
    compare(name, *FEATURES[name], spp=8192)


RANDOM = [
    (name, background, index)
    for name in ("spheres", "ellipsoids")
    for background in ("grey", "black")
    for index in range(6)
]


@pytest.mark.slow
@pytest.mark.parametrize(("distribution", "background", "index"), RANDOM)
def test_random_scenes_agree_with_mitsuba(distribution, background, index):
    one = DISTRIBUTIONS[distribution](background=background)(11, index)
    compare(f"{distribution} {background} {index}", one, depth=8, spp=4096)


def test_the_comparison_sees_two_hundredths():
    """A light 2 % too bright fails at 1024 paths; so at 8192 paths 0.7 % would."""
    lit, depth = FEATURES["diffuse, black background"]
    brighter = SIDE_LAMP.model_copy(update={"material": LAMP.model_copy(update={"emission": (2.04, 3.06, 5.1)})})
    other = lit.model_copy(update={"objects": tuple(brighter if one == SIDE_LAMP else one for one in lit.objects)})
    ours = PathTracer(max_depth=depth).trace([other], SIDE, SIDE, 1024, 0)
    with pytest.raises(AssertionError, match="least p-value"):
        assert_agree("too bright", ours, MitsubaTracer(max_depth=depth, threads=1).trace([lit], SIDE, SIDE, 1024, 0))


def test_it_is_a_tracer():
    assert isinstance(PathTracer(), Tracer)
    assert PathTracer().renderer.startswith("luxel ")


def traced(scenes: list[Scene], seed: int = 3, **options) -> Radiance:
    return PathTracer(**options).trace(scenes, 7, 5, 11, seed)


def test_an_image_depends_on_its_scene_alone():
    """Not on the batch, its order, the padding that it brings, or how many rays are traced at once."""
    scenes = [FEATURES[name][0] for name in ("many lights", "diffuse", "nested glass", "diffuse, background alone")]
    batch = traced(scenes)
    for number, one in enumerate(scenes):
        alone = traced([one])
        np.testing.assert_allclose(batch.mean[number], alone.mean[0], rtol=1e-6)
        np.testing.assert_allclose(batch.variance[number], alone.variance[0], rtol=1e-4, atol=1e-12)
    backwards = traced(scenes[::-1], rays=97)
    np.testing.assert_allclose(backwards.mean[::-1], batch.mean, rtol=1e-6)
    assert not np.allclose(traced(scenes, seed=4).mean, batch.mean, rtol=1e-3)


def test_object_order_changes_the_paths_but_not_the_light():
    one = on_floor(ball(-0.3, 0, -0.2, 0.7, glass(0.2)), ball(0.5, 0.1, 0, 0.4, metal(0.3)))
    other = one.model_copy(update={"objects": one.objects[::-1]})
    tracer = PathTracer()
    assert_agree("order", *(tracer.trace([each], SIDE, SIDE, 256, 0) for each in (one, other)))


def test_camera_rays_fill_the_pixels():
    """Their mean goes through the pixel's centre, and none leaves it."""
    packed = pack([scene(ball(0, 0, 0, 1))], 0, torch.device("cpu"))
    width, height, samples = 7, 5, 400
    pixel = torch.arange(width * height, dtype=torch.int32).repeat(samples)[None]
    sample = torch.arange(samples, dtype=torch.int32).repeat_interleave(width * height)[None]
    origin, direction = camera_rays(packed, pixel, sample, width, height).split(3)
    np.testing.assert_allclose(origin[:, 0, 0], CAMERA.position, atol=2e-3)
    directions = direction[:, 0].unflatten(1, (samples, -1)).movedim(0, -1).double().numpy()
    centres = primary_rays(CAMERA, width, height).directions.reshape(-1, 3)
    pixel_size = 2 * np.tan(np.radians(35 / 2)) / height
    offset = np.linalg.norm(directions - centres, axis=-1)
    assert offset.max() < pixel_size * 0.5**0.5
    assert offset.max() > pixel_size * 0.6
    np.testing.assert_allclose(directions.mean(0), centres, atol=5 * pixel_size / (12 * samples) ** 0.5)


def test_rays_of_their_own_see_what_the_camera_sees():
    one, depth = FEATURES["smooth glass"]
    rays = primary_rays(one.camera, 5, 3)
    directions = torch.from_numpy(rays.directions.reshape(1, -1, 3).copy())
    origins = torch.from_numpy(np.broadcast_to(rays.origin, directions.shape).copy())
    tracer = PathTracer(max_depth=depth)
    along = tracer.trace_rays([one], origins, 3 * directions, spp=1024)
    assert along.mean.shape == (1, 15, 3)
    # Narrow pixels around the same rays: 255 × 153 of them, of which every 51st is the middle of a large one.
    camera = one.camera
    tiny = np.stack(
        [
            PathTracer(max_depth=depth)
            .trace(
                [
                    one.model_copy(
                        update={
                            "camera": Camera(
                                position=camera.position,
                                look_at=tuple(np.array(camera.position) + direction),
                                vertical_fov_degrees=1.0,
                            )
                        }
                    )
                ],
                1,
                1,
                1024,
                number,
            )
            .mean[0, 0, 0]
            for number, direction in enumerate(rays.directions.reshape(-1, 3))
        ]
    )
    error = np.sqrt(2 * along.variance[0].numpy()) + 0.02
    assert np.all(np.abs(along.mean[0].numpy() - tiny) < 5 * error)


def rays_of_one_scene(rows: int, rays: int) -> None:
    PathTracer().trace_rays([FEATURES["diffuse"][0]], torch.zeros(rows, rays, 3), torch.ones(rows, rays, 3), 2)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: PathTracer(max_depth=0), "max_depth is 0"),
        (lambda: PathTracer().trace([FEATURES["diffuse"][0]], 0, 4, 2, 0), "width is 0"),
        (lambda: rays_of_one_scene(2, 3), "for 1 scenes"),
        (lambda: rays_of_one_scene(1, 0), "one ray"),
    ],
)
def test_what_cannot_be_traced_is_told(call, told):
    with pytest.raises(InputError, match=told):
        call()


def test_variance_is_unbiased():
    lit = FEATURES["plastic"][0]
    runs = [PathTracer().trace([lit], 7, 5, 9, seed) for seed in range(40)]
    spread = np.var([run.mean for run in runs], axis=0, ddof=1).mean()
    assert np.mean([run.variance for run in runs]) == pytest.approx(spread, rel=0.25)


def test_one_path_has_no_variance():
    one = PathTracer().trace([scene(ball(0, 0, 0, 0.5), background=GREY)], 3, 5, 1, 0)
    assert np.isinf(one.variance).all()
    assert np.isfinite(one.mean).all()
    with pytest.raises(InputError, match="spp is 0"):
        PathTracer().trace([scene(ball(0, 0, 0, 0.5))], 3, 5, 0, 0)


def test_extreme_scenes_give_finite_light():
    """The smallest and largest lengths that a scene may have, coincident and touching objects."""
    speck, slab = egg(0.2, 0, 0.1, (1e-6, 1e-6, 1e-6), LAMP), egg(0, 8, 0, (1e6, 1e-6, 1e6), glass(0.0))
    scenes = [
        scene(speck, ball(0, 0, 0, 0.5, glass(0.0)), background=GREY),
        scene(slab, SIDE_LAMP, ball(0, 0, 0, 0.5), background=GREY),
        scene(ball(0, 0, 0, 0.5), ball(0, 0, 0, 0.5, LAMP), ball(0, 0, 0, 0.5, glass(0.3))),
        scene(ball(0, 0, 0, 1e6, glass(0.5)), ball(0, 1e6, 0, 1e6, LAMP)),
    ]
    for one in scenes:
        light = PathTracer(max_depth=16).trace([one], 13, 11, 64, 0)
        assert np.isfinite(light.mean).all()
        assert np.isfinite(light.variance).all()
        assert (light.mean >= 0).all()


@pytest.mark.parametrize(
    "material",
    [
        Material(base_color=(1, 1, 1), metallic=1, specular=1, roughness=0.05),
        Material(base_color=(1, 1, 1), transmission=1, roughness=0.05),
    ],
    ids=["metal", "glass"],
)
def test_white_furnace(material):
    """Smooth surfaces that absorb nothing vanish in front of a uniform background, but for the paths cut off."""
    light = PathTracer(max_depth=64).trace(
        [scene(ball(0.2, 0, 0.1, 0.8, material), background=(1, 1, 1))], 9, 9, 512, 0
    )
    np.testing.assert_allclose(light.mean, 1, atol=0.02)
    assert light.mean.max() < 1 + 1e-3 + 6 * light.variance.max() ** 0.5


def differentiable(one: Scene, spp: int) -> tuple[Packed, list[torch.Tensor]]:
    """The scene with gradients, and the arguments of `radiance` for a small image."""
    packed = pack([one], 0, torch.device("cpu"))
    packed = packed._replace(
        materials=packed.materials.clone().requires_grad_(), background=packed.background.clone().requires_grad_()
    )
    pixel = torch.arange(12, dtype=torch.int32).repeat(spp)[None]
    sample = torch.arange(spp, dtype=torch.int32).repeat_interleave(12)[None]
    return packed, [camera_rays(packed, pixel, sample, 4, 3).detach(), pixel, sample]


@pytest.mark.parametrize("name", ["plastic", "rough glass", "glass that glows", "light that reflects", "many lights"])
def test_gradients_are_finite_and_light_is_linear_in_its_sources(name):
    """Radiance is homogeneous in emission and background together, so Euler's theorem gives it back, path by path."""
    one, depth = FEATURES[name]
    packed, rays = differentiable(one, 64)
    light = radiance(packed, *rays, depth)
    materials, background = torch.autograd.grad(light.sum(), [packed.materials, packed.background])
    assert torch.isfinite(materials).all()
    assert torch.isfinite(background).all()
    assert materials[..., :7].flatten(0, 1).any(0).all()  # every parameter of the BSDF
    total = (materials * packed.materials)[..., EMISSION].sum() + (background * packed.background).sum()
    assert total.item() == pytest.approx(light.sum().item(), rel=1e-4)


def test_gradient_by_colour_is_that_of_a_difference():
    """Without a specular lobe, the colour changes no direction: the same paths, brighter."""
    one = scene(ball(0, 0, -0.2, 0.8), ball(0.9, 0.3, 0.4, 0.6), SIDE_LAMP, background=GREY)
    packed, rays = differentiable(one, 64)
    (gradient,) = torch.autograd.grad(radiance(packed, *rays, 4).mean(), packed.materials)

    def brightness(step: float) -> float:
        changed = packed.materials.detach().clone()
        changed[0, 0, 1] += step
        return radiance(packed._replace(materials=changed), *rays, 4).mean().item()

    slope = (brightness(0.02) - brightness(-0.02)) / 0.04
    assert slope > 0.01
    assert gradient[0, 0, 1].item() == pytest.approx(slope, rel=2e-3)
