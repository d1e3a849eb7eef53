"""The image model's first-hit maps against the core's intersections, and by hand."""

import math
from dataclasses import replace

import pytest
import torch
from pinhole import primary_rays

from luxel import InputError
from luxel.core.interactions import interact
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.experiments import EXPERIMENTS
from luxel.models.first_hit_maps import CHANNELS, first_hit_maps
from luxel.models.image_model import ImageModel
from luxel.models.tokens import Tokens, encode
from luxel.scene import Camera, Material, Scene, Sphere
from luxel.scene.distributions import Ellipsoids

WIDTH = 17
CONFIG = EXPERIMENTS["exact_first_hits"].make("tiny").image_model


def ball(camera_distance: float, radius: float) -> Scene:
    """A ball before the camera, whose picture is two units wide at depth 1."""
    lamp = Material(base_color=(0.1, 0.2, 0.3), emission=(1.0, 2.0, 3.0), roughness=0.4)
    camera = Camera(position=(0, -camera_distance, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
    return Scene(objects=(Sphere(center=(0, 0, 0), radius=radius, material=lamp),), camera=camera,
                 background=(0.5, 0.25, 0.0))  # fmt: skip


def test_maps_are_the_first_surfaces_through_the_pixels_centres():
    scenes = [Ellipsoids(max_objects=7)(5, index) for index in range(11)]
    batch = SceneBatch.of(scenes)
    maps = first_hit_maps(encode(batch), WIDTH)
    seen = [primary_rays(scene.camera, WIDTH, WIDTH) for scene in scenes]
    direction = torch.cat([torch.from_numpy(rays.directions).flatten(0, 1) for rays in seen]).float()
    scene = torch.arange(len(scenes)).repeat_interleave(WIDTH**2)
    rays = Rays(batch.camera_position[scene], direction, scene.int())
    met = interact(batch, rays)
    row = met.object_id.clamp(min=0)
    in_camera = batch.camera_rotation.mT[scene]
    depth = -(in_camera @ (direction * met.distance[:, None])[:, :, None])[:, 2, 0]
    normal = (in_camera @ met.normal[:, :, None])[:, :, 0]
    material = [batch.base_color, batch.metallic[:, None], batch.specular[:, None], batch.roughness[:, None],
                batch.transmission[:, None], batch.emission.log1p()]  # fmt: skip
    hit = torch.cat([torch.ones(len(row), 1), depth.log1p()[:, None], normal, torch.cat(material, 1)[row]], 1)
    sky = torch.cat([torch.zeros(len(row), CHANNELS - 3), batch.background.log1p()[scene]], 1)
    expected = torch.where(met.is_hit[:, None], hit, sky).unflatten(0, (len(scenes), WIDTH, WIDTH)).permute(0, 3, 1, 2)
    assert 0.1 < met.is_hit.float().mean() < 0.9
    torch.testing.assert_close(maps, expected, rtol=2e-3, atol=2e-3)


def test_a_ball_by_hand():
    """At the picture's middle its front at depth 3, seen along its normal; at the corner the background."""
    maps = first_hit_maps(encode(SceneBatch.of([ball(5.0, 2.0)])), WIDTH)
    front = [1.0, math.log(4), 0.0, 0.0, 1.0, 0.1, 0.2, 0.3, 0.0, 0.5, 0.4, 0.0, math.log(2), math.log(3), math.log(4)]
    assert maps[0, :, WIDTH // 2, WIDTH // 2].tolist() == pytest.approx(front, abs=1e-6)
    assert maps[0, :, 0, 0].tolist() == pytest.approx([0.0] * 12 + [math.log(1.5), math.log(1.25), 0.0], abs=1e-6)


def test_from_inside_a_ball_its_far_side_is_seen():
    maps = first_hit_maps(encode(SceneBatch.of([ball(1.0, 2.0)])), WIDTH)
    assert maps[0, 0].min() == 1
    assert maps[0, 1, WIDTH // 2, WIDTH // 2] == pytest.approx(math.log(4))
    assert maps[0, 4, WIDTH // 2, WIDTH // 2] == pytest.approx(-1)


def test_edges_far_away_do_not_blur():
    """A ball 10⁴ radii away fills half of the picture; |o|² − 1, of 10⁸, would be rounded to 8."""
    tokens = encode(SceneBatch.of([ball(1e4, 1.0)]))
    maps = first_hit_maps(tokens._replace(camera=torch.tensor([[2e-4]])), 101)
    steps = (torch.arange(101, dtype=torch.float64) + 0.5) * (2 / 101) - 1
    from_middle = torch.hypot(steps[:, None], steps)  # in half picture widths, of which the ball's radius is 1/2
    assert (from_middle - 0.5).abs().min() > 1e-5
    assert torch.equal(maps[0, 0] == 1, from_middle < 0.5)


def test_neither_order_nor_padding_changes_what_is_seen():
    scenes = [Ellipsoids(max_objects=7)(5, index) for index in range(5)]
    objects, mask, camera, background = tokens = encode(SceneBatch.of(scenes))
    turned = Tokens(objects.flip(1), mask.flip(1), camera, background)
    longer = encode(SceneBatch.of(scenes), 9)
    for other in (turned, longer):
        torch.testing.assert_close(first_hit_maps(other, WIDTH), first_hit_maps(tokens, WIDTH))


def test_gradients_of_a_scene_are_those_of_finite_differences():
    """Of the depth and normals of a ball that moves along and across the view; edges have none."""
    tokens = encode(SceneBatch.of([ball(5.0, 4.0)]))
    weights = torch.randn(4, 5, 5, generator=torch.Generator().manual_seed(3))

    def seen(objects: torch.Tensor) -> torch.Tensor:
        return (weights * first_hit_maps(tokens._replace(objects=objects), 5)[0, 1:5]).sum()

    objects = tokens.objects.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(seen(objects), objects)
    assert gradient.isfinite().all()
    for field in (0, 2, 12):  # the centre's x and z, the first semi-axis
        step = torch.zeros_like(tokens.objects)
        step[0, 0, field] = 1e-2
        difference = (seen(tokens.objects + step) - seen(tokens.objects - step)) / 2e-2
        assert gradient[0, 0, field] == pytest.approx(float(difference), rel=2e-2, abs=1e-3)


def test_padding_has_no_part_in_gradients():
    scenes = SceneBatch.of([Ellipsoids(max_objects=7)(5, index) for index in range(5)])
    gradients = []
    for length in (int(scenes.counts.max()), 11):
        tokens = encode(scenes, length)
        camera = tokens.camera.clone().requires_grad_()
        seen = first_hit_maps(tokens._replace(camera=camera), WIDTH).square().sum()
        gradients += torch.autograd.grad(seen, camera)
    assert gradients[0].isfinite().all()
    assert gradients[0].abs().min() > 0
    torch.testing.assert_close(gradients[1], gradients[0])


def test_the_network_sees_them_in_every_stage():
    """Its gradient reaches the weights that read them; in bfloat16, too, they are computed in float32."""
    torch.manual_seed(0)
    model = ImageModel(CONFIG)
    tokens = encode(SceneBatch.of([Ellipsoids(max_objects=4)(5, index) for index in range(3)]))
    exact = first_hit_maps(tokens, WIDTH)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(first_hit_maps(tokens, WIDTH), exact)
    (model.picture(tokens) - 3).square().sum().backward()
    gained = {name: p for name, p in model.named_parameters() if p.shape != dict(plain())[name]}
    assert {name.split(".")[1] for name in gained} == {str(index) for index in range(len(model.stages))}
    assert all(parameter.grad.abs().max() > 0 for parameter in gained.values())


def plain():
    """The shapes of the standard network's parameters."""
    return ((name, p.shape) for name, p in ImageModel(replace(CONFIG, first_hit_maps=False)).named_parameters())


def test_maps_of_other_features_are_refused():
    with pytest.raises(InputError, match=r"model\.object_features is 11, but first_hit_maps are of scenes' 31"):
        replace(CONFIG, object_features=11)
