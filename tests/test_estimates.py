"""What the network reads of points, and what it corrects."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.scene_tables import eta_of
from luxel.models.estimates import (
    CHANNEL_FEATURES,
    CORRECTED,
    ESTIMATES,
    FILTERED,
    MIRRORED,
    POINT_FEATURES,
    TAIL,
    TRANSMITTED,
    Measured,
    measure,
)
from luxel.models.shading_points import OBJECT, points_of_rays
from luxel.models.signals import (
    CAUSTIC,
    CAUSTIC_MOMENT,
    DIRECT,
    DIRECT_VARIANCE,
    GLOSSY_VARIANCE,
    INDIRECT_VARIANCE,
    NEARNESS,
    OPENNESS,
    REFLECTION,
    ROUGH_ALBEDO,
    SIGNALS,
    SKY,
    SURFACES,
    TRUNCATED,
    UNSHADOWED,
)
from luxel.scene import Camera, Material, Panel, Scene, Sphere, Varied
from luxel.scene.description import Object

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
LIGHT = (2.0, 3.0, 5.0)
STARTS = [sum(FILTERED[:kind]) for kind in range(len(FILTERED))]
ONCE = [*(start + levels - 2 for start, levels in zip(STARTS, FILTERED, strict=True))]
ONCE += [MIRRORED, TRANSMITTED]
"""Of each kind that the network sees the estimate at the level that is called near; the scale is their sum."""
HALF = math.sqrt(0.5)
SHARES = [TRUNCATED, TRUNCATED + 1, TRUNCATED + 2, OPENNESS, NEARNESS, ROUGH_ALBEDO]
VARIANCES = [DIRECT_VARIANCE, INDIRECT_VARIANCE, GLOSSY_VARIANCE]
"""Signals that are no radiance."""


def scenes_of(*objects: Object, background: tuple[float, float, float] = (0.1, 0.2, 0.3)) -> SceneBatch:
    return SceneBatch.of([Scene(objects=objects, camera=CAMERA, background=background)])


def table_of(batch: SceneBatch, *rays: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    """ShadingPoints of rays of the first scene, each an origin and a direction."""
    origin, direction = (torch.tensor([ray[k] for ray in rays]) for k in (0, 1))
    return points_of_rays(batch, Rays(origin, direction, torch.zeros(len(rays), dtype=torch.int32)))


def measured(
    batch: SceneBatch, table: Tensor, levels: list[Tensor], chains: Tensor | None = None, light: Tensor | None = None
) -> Measured:
    """With neighbours as in the midst of a flat surface, and a brightest light of 7 if no other is given."""
    count = len(table)
    chains = torch.zeros(count, 2, 3) if chains is None else chains
    light = torch.full((len(batch), 3), 7.0) if light is None else light
    return measure(batch, table, levels, [torch.ones(count)] * 3, chains, light)[0]


def random_levels(count: int) -> list[Tensor]:
    """Positive Signals at four levels, all different."""
    numbers = torch.Generator().manual_seed(0)
    return [torch.rand(count, SIGNALS, generator=numbers) + 0.1 for _ in range(4)]


AHEAD = ((0.0, -5.0, 0.0), (0.0, 1.0, 0.0))
PAST = ((0.0, -5.0, 0.0), (0.0, 0.0, 1.0))
GREY = Sphere(center=(0, 0, 0), radius=1, material=Material(base_color=(0.2, 0.4, 0.8), specular=0))


def test_the_numbers_of_estimates_and_features():
    assert [sum(FILTERED), MIRRORED + 1, TRANSMITTED + 1, TAIL + 1] == [MIRRORED, TRANSMITTED, TAIL, CORRECTED]
    assert ESTIMATES == CORRECTED + 1
    found = measured(scenes_of(GREY), table_of(scenes_of(GREY), AHEAD), random_levels(1))
    assert found.point.shape == (1, POINT_FEATURES)
    assert found.channel.shape == (1, 3, CHANNEL_FEATURES)
    assert found.estimates.shape == (1, 3, ESTIMATES)
    assert found.scale.shape == found.emitted.shape == found.bound.shape == (1, 3)


def test_the_scale_is_the_sum_of_the_estimates_each_kind_once():
    batch = SceneBatch.of([Varied()(0, 3)])
    rays = Rays(
        batch.camera_position.expand(31, 3),
        torch.nn.functional.normalize(batch.center.mean(0) - batch.camera_position, dim=1)
        + 0.3 * torch.randn(31, 3, generator=torch.Generator().manual_seed(0)),
        torch.zeros(31, dtype=torch.int32),
    )
    table = points_of_rays(batch, rays)
    assert (table[:, OBJECT] != MISS).sum() > 5
    found = measured(batch, table, random_levels(31), torch.rand(31, 2, 3))
    torch.testing.assert_close(found.scale, found.estimates[..., ONCE].sum(-1))
    assert (found.estimates >= 0).all()


def test_a_diffuse_points_estimates_are_its_albedo_times_what_it_gathers():
    """Head-on, of a ball without any gloss; a shadow at one level on light without shadows of another."""
    batch, levels = scenes_of(GREY), random_levels(1)
    levels[0][:, DIRECT_VARIANCE] = 0
    found = measured(batch, table_of(batch, AHEAD), levels)
    albedo = torch.tensor([0.2, 0.4, 0.8])
    sharp, beside, near, far = (level[0] for level in levels)
    share = (sharp[DIRECT : DIRECT + 3] / sharp[UNSHADOWED : UNSHADOWED + 3]).clamp(max=1)
    of = found.estimates[0]
    torch.testing.assert_close(of[:, 0], albedo * near[UNSHADOWED : UNSHADOWED + 3] * share)
    torch.testing.assert_close(of[:, 2], albedo * near[DIRECT : DIRECT + 3])
    torch.testing.assert_close(of[:, 3], albedo * far[DIRECT : DIRECT + 3])
    torch.testing.assert_close(of[:, CORRECTED], albedo * beside[CAUSTIC : CAUSTIC + 3])
    assert not of[:, [MIRRORED, TRANSMITTED]].any()


@pytest.mark.parametrize(("deviation", "own"), [(0.0, 1.0), (0.2, 0.75), (0.4, 0.0), (4.0, 0.0)])
def test_a_shadow_is_a_points_own_as_far_as_it_is_not_noise(deviation, own):
    """Half the light beside, 0.7 by its own rays, of which patterns have a quarter of the variance."""
    batch, levels = scenes_of(GREY), random_levels(1)
    for level, share in zip(levels, (0.7, 0.5, 0.5, 0.5), strict=True):
        level[0, UNSHADOWED : UNSHADOWED + 3] = 2.0
        level[0, DIRECT : DIRECT + 3] = 2.0 * share
    levels[0][0, DIRECT_VARIANCE] = (2.0 * deviation) ** 2
    of = measured(batch, table_of(batch, AHEAD), levels).estimates[0]
    expected = torch.tensor([0.2, 0.4, 0.8]) * 2.0 * (0.5 + own * 0.2)
    torch.testing.assert_close(of[:, 0], expected)


@pytest.mark.parametrize("others", [0.0, 2.0])
def test_paths_vary_by_lights_behind_glass_as_few_meet_them(others):
    """Of a mean m and a mean square (1 + others) m², on a ball of albedos 0.2, 0.4 and 0.8; not at all if all do."""
    batch, levels = scenes_of(GREY), random_levels(1)
    levels[1][0, CAUSTIC : CAUSTIC + 3] = 3.0
    levels[1][0, CAUSTIC_MOMENT] = (1 + others) * 3.0**2
    chains, light = torch.zeros(1, 2, 3), torch.full((1, 3), 7.0)
    _, variance = measure(batch, table_of(batch, AHEAD), levels, [torch.ones(1)] * 3, chains, light)
    mean_albedo = (0.2 + 0.4 + 0.8) / 3
    torch.testing.assert_close(variance, torch.tensor([mean_albedo**2 * others * 3.0**2]))


def test_a_rough_lobe_reflects_its_albedo_times_the_light_that_its_rays_found():
    """Whatever they weigh together; without such rays, what is gathered."""
    rough = Sphere(center=(0, 0, 0), radius=1, material=Material(roughness=0.6))
    batch, levels = scenes_of(rough), random_levels(1)
    for level in levels:
        level[:, REFLECTION : REFLECTION + 3] = level[:, [ROUGH_ALBEDO]] * torch.tensor(LIGHT)
    found = measured(batch, table_of(batch, AHEAD), levels).estimates[0, :, STARTS[4] : MIRRORED]
    albedo = found[0, 0].item() / LIGHT[0]
    torch.testing.assert_close(found, albedo * torch.tensor(LIGHT)[:, None].expand(3, 4))
    assert 0.03 < albedo < 0.05  # nearly Fresnel's 0.04 head-on, of which facets hide some
    for level in levels:
        level[:, ROUGH_ALBEDO] = 0
    found = measured(batch, table_of(batch, AHEAD), levels).estimates[0, :, STARTS[4] : MIRRORED]
    gathered = torch.stack([level[0, REFLECTION : REFLECTION + 3] for level in levels], 1)
    torch.testing.assert_close(found, gathered)


@pytest.mark.parametrize(("metallic", "begins_near"), [(0.0, True), (0.4, True), (0.7, False)])
def test_a_sheens_reflection_begins_with_that_of_near_neighbours(metallic, begins_near):
    """Which a point's own few rays don't know; a metal's, most of what it shows, is taken at all levels."""
    rough = Sphere(center=(0, 0, 0), radius=1, material=Material(roughness=0.6, metallic=metallic))
    batch, levels = scenes_of(rough), random_levels(1)
    found = measured(batch, table_of(batch, AHEAD), levels).estimates[0, :, STARTS[4] : MIRRORED]
    assert (found[:, 0] == found[:, 2]).all() == (found[:, 1] == found[:, 2]).all() == begins_near
    assert (found[:, 3] != found[:, 2]).all()


def test_each_level_of_a_narrow_metals_reflection_but_the_first_is_that_before():
    """As the first is of neighbours' rays, too."""
    ball = Sphere(center=(0, 0, 0), radius=1, material=Material(roughness=0.3, metallic=1.0))
    batch, levels = scenes_of(ball), random_levels(1)
    for level in levels:
        level[:, ROUGH_ALBEDO] = 0
    found = measured(batch, table_of(batch, AHEAD), levels).estimates[0, :, STARTS[4] : MIRRORED]
    sharp, beside, near, _ = (level[0, REFLECTION : REFLECTION + 3] for level in levels)
    torch.testing.assert_close(found, torch.stack([sharp, sharp, beside, near], 1))


def test_less_than_no_sky_is_none():
    batch, levels = scenes_of(GREY), random_levels(1)
    for level in levels:
        level[:, SKY : SKY + 3] = -0.1
    found = measured(batch, table_of(batch, AHEAD), levels)
    assert not found.estimates[0, :, STARTS[1] : STARTS[2]].any()
    for level in levels:  # where nothing else arrives, nor is anything lost
        level[:, [*range(DIRECT, DIRECT + 3), *range(SURFACES, SURFACES + 3)]] = 0
    found = measured(batch, table_of(batch, AHEAD), levels)
    assert (found.estimates >= 0).all()
    assert found.channel.isfinite().all()


def test_what_chains_show_is_an_estimate_each():
    batch, chains = scenes_of(GREY), torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    found = measured(batch, table_of(batch, AHEAD), random_levels(1), chains)
    torch.testing.assert_close(found.estimates[0, :, MIRRORED], chains[0, 0])
    torch.testing.assert_close(found.estimates[0, :, TRANSMITTED], chains[0, 1])


def test_a_point_without_object_gives_zeros_but_for_the_sky():
    batch = scenes_of(GREY)
    table = table_of(batch, PAST, AHEAD, PAST)
    assert (table[:, OBJECT] == MISS).tolist() == [True, False, True]
    found = measured(batch, table, random_levels(3), torch.ones(3, 2, 3))
    for values in (found.point, found.channel, found.estimates, found.scale, found.bound):
        assert not values[[0, 2]].any()
    torch.testing.assert_close(found.emitted[[0, 2]], batch.background.expand(2, 3))
    assert measured(batch, table, random_levels(3)).scale[1].all()


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e30])
@pytest.mark.parametrize("name", ["black", "white", "mirror", "glass", "metal"])
def test_features_are_finite_and_bounded_whatever_is_gathered(name, level):
    """Nothing, next to nothing, and more than any scene has; from outside, at a graze, and from within."""
    material = {
        "black": Material(base_color=(0, 0, 0), specular=0),
        "white": Material(base_color=(1, 1, 1), specular=1),
        "mirror": Material(base_color=(1, 1, 1), metallic=1, roughness=0),
        "glass": Material(transmission=1, roughness=0),
        "metal": Material(metallic=1, transmission=1, specular=0),
    }[name]
    batch = scenes_of(Sphere(center=(0, 0, 0), radius=1, material=material))
    table = table_of(batch, AHEAD, ((0.9999999, -5.0, 0.0), (0.0, 1.0, 0.0)), ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    signals = torch.full((3, SIGNALS), level)
    signals[:, SHARES] = 0.5
    levels = [signals] * 4
    found = measured(batch, table, levels, torch.full((3, 2, 3), level))
    for values in (found.point, found.channel):
        assert values.isfinite().all()
        assert values.min() >= 0
        assert values.max() <= 4
    assert found.estimates.isfinite().all()


def test_features_know_no_unit_of_light():
    batch, levels = SceneBatch.of([Varied()(0, 3)]), random_levels(1)
    table = table_of(scenes_of(GREY), AHEAD)
    batch = scenes_of(GREY)
    plain = measured(batch, table, levels)
    powers = torch.full((SIGNALS,), 8.0)
    powers[SHARES], powers[VARIANCES] = 1.0, 64.0
    bright = measured(batch, table, [level * powers for level in levels])
    torch.testing.assert_close(bright.point, plain.point)
    torch.testing.assert_close(bright.channel, plain.channel)
    torch.testing.assert_close(bright.scale, 8 * plain.scale)


LAMP = Material(base_color=(0, 0, 0), specular=0, emission=LIGHT)


@pytest.mark.parametrize("outline", ["rectangle", "ellipse"])
def test_a_panel_emits_from_its_front_alone(outline):
    """Its front is towards −y when it is turned by a right angle about x; neither side is an inside."""
    panel = Panel(center=(0, 0, 0), half_extents=(1, 1), rotation=(HALF, HALF, 0, 0), outline=outline, material=LAMP)
    batch = scenes_of(panel)
    behind = ((0.0, 5.0, 0.0), (0.0, -1.0, 0.0))
    found = measured(batch, table_of(batch, AHEAD, behind), random_levels(2))
    np.testing.assert_allclose(found.emitted.numpy(), [LIGHT, (0, 0, 0)])
    assert not found.point[:, 8].any()
    torch.testing.assert_close(found.point[0, 0], found.point[1, 0])


def test_a_solid_lamp_emits_outwards():
    batch = scenes_of(Sphere(center=(0, 0, 0), radius=1, material=LAMP))
    within = ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    found = measured(batch, table_of(batch, AHEAD, within), random_levels(2))
    np.testing.assert_allclose(found.emitted.numpy(), [LIGHT, (0, 0, 0)])
    assert found.point[:, 8].tolist() == [0, 1]


def test_diffuse_surfaces_may_be_brighter_than_the_brightest_light():
    """By Burley's lobe, which returns more than arrives at a slant: white ground that of an even sky by 1.4."""
    batch = scenes_of(GREY)
    light = torch.tensor([LIGHT])
    found = measured(batch, table_of(batch, AHEAD), random_levels(1), light=light)
    torch.testing.assert_close(found.bound, light * torch.tensor([[1.2, 1.4, 1.8]]))


def test_the_bound_is_the_brightest_light_and_more_of_it_within_glass():
    """By η², as radiance is where light is refracted into something denser."""
    batch = scenes_of(Sphere(center=(0, 0, 0), radius=1, material=Material(transmission=1, roughness=0.5)))
    within = ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    light = torch.tensor([LIGHT])
    found = measured(batch, table_of(batch, AHEAD, within), random_levels(2), light=light)
    torch.testing.assert_close(
        found.bound,
        torch.cat([light, light * float(eta_of(batch.specular.numpy(), batch.transmission.numpy())[0]) ** 2]),
    )
