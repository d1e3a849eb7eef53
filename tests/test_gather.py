"""What points gather, against the path tracer and by hand.

Legend: points [n], of single rays, which go through all patterns of a tile and so have few errors left.
"""

import math

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run
from outside import GRADIENT, under
from scipy import stats
from torch import Tensor
from tracer_scenes import DOWN, GREY, GROUND, LAMP, ball, box, egg, glass, metal, panel, scene

from luxel.core import scene_tables
from luxel.core.fragments import Fragments, visible_fragments
from luxel.core.guide_targets import GuideTargets, guide_table
from luxel.core.rays import Rays
from luxel.core.sampling import sobol_point
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.direct_light import OUTSHINING, PILOT_DIVISOR, is_outshone, net_point, pilot_member
from luxel.models.gather import gather
from luxel.models.gather_points import PATTERNS_OF_TILE, GatherSettings
from luxel.models.neighbourhood import as_neighbours, neighbourhood
from luxel.models.shading_points import OBJECT, ShadingPoint, as_points, points_of_fragments, points_of_rays
from luxel.models.signals import (
    CAUSTIC,
    CAUSTIC_MOMENT,
    DIRECT,
    DIRECT_VARIANCE,
    GLOSSY_VARIANCE,
    HIGHLIGHT,
    INDIRECT_VARIANCE,
    LIGHT_SIGNALS,
    NEARNESS,
    OPENNESS,
    REFLECTION,
    ROUGH_ALBEDO,
    SIGNALS,
    SKY,
    SURFACES,
    TRUNCATED,
    UNSHADOWED,
    Signals,
    with_rgb,
)
from luxel.models.specular import no_chains
from luxel.scene import Box, Cylinder, Material, Panel, Plane, Scene, Sphere
from luxel.scene.camera import rotation_matrix
from luxel.trace.path import PathTracer

CHALK = Material(base_color=(0.8, 0.5, 0.3), roughness=0.8, specular=0.0)
PLASTIC = Material(base_color=(0.5, 0.6, 0.2), roughness=0.7, specular=0.6)
GLASS = Material(base_color=(1, 1, 1), transmission=1.0, roughness=0.0)
UPRIGHT = (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)  # a quarter turn about x: a panel's front looks to −y
RADIANCES = (DIRECT, CAUSTIC, SKY, SURFACES, HIGHLIGHT, REFLECTION, UNSHADOWED)
NOISES = (DIRECT_VARIANCE, INDIRECT_VARIANCE, GLOSSY_VARIANCE)
PATTERN = OBJECT + 1  # the word of a ShadingPoint
FALSE_ALARM = 1e-3  # a test; seeds are fixed, so that it passes always or never


def settings_of(**changes: int) -> GatherSettings:
    settings = GatherSettings()
    values = {"light_rays": 16, "diffuse_rays": 16, "glossy_rays": 16, "bounces": 3}
    values |= {"patterns_per_point": PATTERNS_OF_TILE, "occlusion": 1, "height": 64}
    for name, value in (values | changes).items():
        setattr(settings, name, value)
    return settings


def downwards(xs: list[float], ys: list[float], slant: float = 0.3) -> Rays:
    """From above, upon a lattice of places at z = −1, at a slant."""
    place = torch.cartesian_prod(torch.tensor(xs), torch.tensor(ys))
    end = torch.cat([place, torch.full_like(place[:, :1], -1.0)], 1)
    direction = torch.tensor([slant, 0.5 * slant, -1.0]).expand_as(end)
    return Rays(end - 3 * direction, direction, torch.zeros(len(end), dtype=torch.int32))


def signals_of(scene: Scene, rays: Rays, device: str = "cpu", **changes: int) -> Tensor:
    batch = SceneBatch.of([scene], device)
    table = points_of_rays(batch, rays.to(device))
    assert (table[:, OBJECT] >= 0).all()
    return gather(batch, table, settings_of(**changes)).cpu().double()


def rgb(signals: Tensor, signal: int) -> Tensor:
    return signals[:, signal : signal + 3]


def diffuse_albedo(scene: Scene, rays: Rays) -> Tensor:
    batch = SceneBatch.of([scene])
    number = points_of_rays(batch, rays)[:, OBJECT].long()
    share = (1 - batch.metallic[number]) * (1 - batch.transmission[number])
    return (batch.base_color[number] * share[:, None]).double()


def least_p(one: Tensor, other: Tensor, variance: Tensor) -> tuple[float, float]:
    """Of z-tests of all values, and the threshold of all together (Šidák)."""
    p = 2 * stats.norm.sf(((one - other).abs() / variance.clamp(min=1e-30).sqrt()).numpy())
    return float(p.min()), 1 - (1 - FALSE_ALARM) ** (1 / p.size)


STONES = (ball(-0.4, 0.2, -0.6, 0.4, CHALK), box(0.6, -0.2, -0.7, (0.3, 0.2, 0.3), PLASTIC))
FAR_LAMP = ball(2.4, -2.2, 1.9, 0.5, LAMP)
NEAR_LAMP = panel(0.3, 0.4, 0.9, (0.4, 0.3), LAMP, rotation=DOWN)
CEILING_LAMP = panel(0.0, 0.0, 2.2, (4.0, 4.0), LAMP, rotation=DOWN)
DARK_GLOBE = (
    ball(-1.4, 0.9, -0.3, 0.1, Material(emission=(400, 400, 400))),
    ball(-1.4, 0.9, -0.3, 0.3, glass(0.4).model_copy(update={"base_color": (0, 0, 0)})),
)
"""Rays are sent there, and find nothing."""
WALL = panel(0.0, 1.6, 0.0, (2.0, 1.0), PLASTIC, rotation=(math.sqrt(0.5), math.sqrt(0.5), 0, 0))
FLOORS = {
    "chalk": Plane(center=(0, 0, -1), material=CHALK),
    "plastic": Plane(center=(0, 0, -1), material=PLASTIC),
    "glossy": Plane(center=(0, 0, -1), material=Material(base_color=(0.3, 0.4, 0.6), roughness=0.35)),
    "rough metal": Plane(center=(0, 0, -1), material=metal(0.5)),
}
ROUGH = {name: (floor, *STONES, WALL) for name, floor in FLOORS.items()}
PLACES = downwards([-1.1, -0.7, 0.1, 0.9], [-0.9, 0.1, 0.7])


@pytest.mark.parametrize("name", list(ROUGH))
@pytest.mark.parametrize(
    "lamps",
    [(FAR_LAMP,), (NEAR_LAMP,), (FAR_LAMP, NEAR_LAMP), (CEILING_LAMP, *DARK_GLOBE)],
    ids=["far", "near", "both", "large, beside a target"],
)
def test_direct_light_is_the_path_tracers(name, lamps):
    """To 1 %, and 1 % of the brightest: of 1024 rays to lights in 32 × 32 strata, an edge crosses some 2 · 32.

    Each of those is wrong by half a stratum at most, to either side: √64 / 2048 is 0.4 %.
    """
    lit = scene(*ROUGH[name], *lamps)
    signals = signals_of(lit, PLACES, light_rays=64, diffuse_rays=64, glossy_rays=64)
    assert not rgb(signals, CAUSTIC).any()
    found = diffuse_albedo(lit, PLACES) * rgb(signals, DIRECT) + rgb(signals, HIGHLIGHT)
    true = PathTracer(max_depth=2).trace_rays([lit], PLACES, 16384)
    tolerance = 0.01 * true.mean + 0.01 * true.mean.amax() + 4 * true.variance.sqrt()
    assert ((found - true.mean).abs() <= tolerance).all()
    of_mean = true.variance.sum().sqrt().item() / true.mean.numel()
    assert found.mean().item() == pytest.approx(true.mean.mean().item(), rel=5e-3, abs=4 * of_mean)


@pytest.mark.parametrize("name", list(ROUGH))
def test_sky_and_surfaces_are_the_rest_up_to_the_depth(name):
    """Of a path tracer of as many bounces: z-tests, with the variances that the points themselves tell."""
    lit = scene(*ROUGH[name], FAR_LAMP, background=GREY)
    bounces = 2
    rays = {"light_rays": 64, "diffuse_rays": 128, "glossy_rays": 128, "bounces": bounces}
    signals = signals_of(lit, PLACES, **rays)
    albedo = diffuse_albedo(lit, PLACES)
    found = albedo * (rgb(signals, SKY) + rgb(signals, SURFACES)) + rgb(signals, REFLECTION)
    whole, direct = (PathTracer(max_depth=depth).trace_rays([dark], PLACES, 2048) for depth, dark in (
        (bounces + 2, lit), (2, lit.model_copy(update={"background": (0.0, 0.0, 0.0)}))
    ))  # fmt: skip
    true = (whole.mean - direct.mean).double()
    noise = albedo.mean(1) ** 2 * signals[:, INDIRECT_VARIANCE] + signals[:, GLOSSY_VARIANCE]
    variance = (whole.variance + direct.variance).mean(1).double() + noise
    assert (noise.sqrt() < 0.05 * true.mean(1)).all()
    p, threshold = least_p(found.mean(1), true.mean(1), variance)
    assert p >= threshold
    torch.testing.assert_close(found.mean(0), true.mean(0), rtol=0.03, atol=0)


def test_surfaces_are_as_bright_whether_or_not_rays_are_sent_to_targets(monkeypatch):
    """Where these hide nothing, and what surfaces reflect is a lamp's that rays find about as well as its samples."""
    lit = scene(*ROUGH["chalk"], CEILING_LAMP, *DARK_GLOBE)
    rays = {"light_rays": 4, "diffuse_rays": 1024, "glossy_rays": 1, "bounces": 1}
    guided = signals_of(lit, PLACES, **rays)
    monkeypatch.setattr(scene_tables, "guide_table", lambda _, scenes: guide_table(GuideTargets.none(), scenes))
    plain = signals_of(lit, PLACES, **rays)
    one, other = (rgb(signals, SURFACES).mean().item() for signals in (guided, plain))
    noise = (guided[:, INDIRECT_VARIANCE] + plain[:, INDIRECT_VARIANCE]).sum().sqrt().item() / len(plain)
    assert one != other
    assert noise < 0.015 * other
    assert abs(one - other) < 4 * noise


@pytest.mark.parametrize("bounces", [0, 1])
def test_what_more_bounces_bring_is_what_fewer_are_cut_off_from(bounces):
    """In a furnace every bounce brings a unit of radiance times what its paths are still worth."""
    furnace = scene(FLOORS["chalk"], *STONES, WALL, background=(1, 1, 1))
    fewer, more = (signals_of(furnace, PLACES, bounces=each) for each in (bounces, bounces + 1))
    assert (rgb(more, TRUNCATED) < rgb(fewer, TRUNCATED)).all()
    assert (rgb(more, SURFACES) + 1e-9 >= rgb(fewer, SURFACES)).all()
    # Both follow the same rays; with nothing but sky at their ends what is brought is at most what was lost.
    assert (rgb(more, SURFACES) - rgb(fewer, SURFACES) <= 1.05 * rgb(fewer, TRUNCATED) + 1e-6).all()


def test_without_occlusion_a_point_sees_what_it_would_see_alone():
    lamp = ball(4.0, -3.0, 5.0, 0.2, Material(emission=(90, 70, 50)))
    alone = scene(FLOORS["chalk"], lamp, background=GREY)
    crowded = scene(FLOORS["chalk"], lamp, WALL, ball(1.0, -0.7, 0.3, 0.6, CHALK), background=GREY)
    places = downwards([-1.1, -0.3, 0.2], [-0.9, 0.7], slant=0.0)
    blind = signals_of(crowded, places, occlusion=0)
    assert torch.equal(blind, signals_of(alone, places, occlusion=0))
    assert not rgb(blind, SURFACES).any()
    assert (blind[:, OPENNESS] == 1).all()
    seeing = signals_of(alone, places)
    torch.testing.assert_close(rgb(blind, DIRECT), rgb(seeing, UNSHADOWED), rtol=0.01, atol=0)
    torch.testing.assert_close(rgb(blind, DIRECT), rgb(blind, UNSHADOWED), rtol=1e-6, atol=0)
    torch.testing.assert_close(rgb(blind, SKY), rgb(seeing, SKY), rtol=0.01, atol=0)


def test_light_without_shadows_is_the_same_whatever_is_in_between():
    """A lamp that no ray over the hemisphere finds."""
    lamp = ball(4.0, -3.0, 5.0, 0.02, Material(emission=(90, 70, 50)))
    alone, shaded = (
        signals_of(scene(FLOORS["chalk"], lamp, *others), downwards([0.0], [0.0], 0.0))
        for others in ((), (ball(0.8, -0.6, 0.2, 0.3, CHALK),))
    )
    assert rgb(alone, DIRECT).min() > 0
    assert torch.equal(rgb(alone, DIRECT), rgb(alone, UNSHADOWED))
    assert torch.equal(rgb(shaded, UNSHADOWED), rgb(alone, UNSHADOWED))
    assert not rgb(shaded, DIRECT).any()


def test_light_through_glass_is_found_by_points_and_not_by_their_straight_lines():
    """A pane under the lamp takes all light from DIRECT, and lets through what its surfaces do not reflect.

    By refraction the lamp is seen nearer by a third of the pane's thickness, which is 1 − 1 / 1.5 of it.
    """
    lamp = ball(0.0, 0.0, 5.0, 0.3, LAMP)
    pane = Box(center=(0, 0, 1), half_extents=(20, 20, 0.1), material=GLASS)
    above = downwards([0.0, 0.4], [0.0], 0.1)
    places = Rays(above.origin + 2.6 * above.direction, above.direction, above.scene)  # beneath the pane
    clear, glazed = (signals_of(scene(FLOORS["chalk"], lamp, *others), places) for others in ((), (pane,)))
    assert not rgb(glazed, DIRECT).any()
    nearer = (6 / (6 - 0.2 / 3)) ** 2
    torch.testing.assert_close(rgb(glazed, CAUSTIC), 0.96**2 * nearer * rgb(clear, DIRECT), rtol=0.003, atol=0)
    assert not rgb(clear, CAUSTIC).any()
    expected = np.mean(LAMP.emission) * rgb(glazed, CAUSTIC).mean(1)
    torch.testing.assert_close(glazed[:, CAUSTIC_MOMENT].double(), expected, rtol=1e-3, atol=0)


GLASSES = {
    "ball": ball(0, 0, 0.6, 0.8, GLASS),
    "lying cylinder": Cylinder(center=(0, 0, 0.6), radius=0.8, half_height=2, rotation=UPRIGHT, material=GLASS),
    "block": Box(center=(0, 0, 0.6), half_extents=(1.5, 1.5, 0.6), material=GLASS),
}


@pytest.mark.parametrize("name", GLASSES)
@pytest.mark.parametrize("x", [0.0, 0.4])  # beside the axis
def test_glass_gathers_light_as_the_path_tracer_says(name, x):
    """On a chip beneath it, which reflects next to nothing back; to 2 %, which bent lines are good for."""
    chip = Panel(center=(x, 0, -1.4), half_extents=(0.02, 0.02), material=CHALK)
    lit = scene(chip, GLASSES[name], ball(0.3, -0.2, 7.0, 0.8, LAMP))
    origin = torch.tensor([[x + 0.6, 0.0, -0.9]])
    rays = Rays(origin, torch.tensor(chip.center) - origin, torch.zeros(1, dtype=torch.int32))
    signals = signals_of(lit, rays)
    found = diffuse_albedo(lit, rays) * sum(rgb(signals, each) for each in (DIRECT, CAUSTIC, SKY, SURFACES))
    true = PathTracer(max_depth=6).trace_rays([lit], rays, 200_000)
    error = true.variance.sqrt()
    assert (error < 0.05 * true.mean).all()
    assert ((found - true.mean).abs() <= 0.02 * true.mean + 3.3 * error).all()  # of a normal, one in a thousand


def test_a_lamp_in_a_ball_in_a_ball_lights_what_is_around_as_the_path_tracer_says():
    """Their surfaces magnify it by η², and straight lines have no focus: by radiance alone it would be η⁴ darker."""
    chip = Panel(center=(0, 0, -1.4), half_extents=(0.02, 0.02), material=CHALK)
    shells = (ball(0, 0, 0.6, 1.0, GLASS), ball(0, 0, 0.6, 0.7, GLASS))
    lit = scene(chip, *shells, ball(0, 0, 0.6, 0.25, Material(base_color=(0, 0, 0), specular=0.0, emission=(9, 7, 5))))
    origin = torch.tensor([[0.6, 0.0, -0.9]])
    rays = Rays(origin, torch.tensor(chip.center) - origin, torch.zeros(1, dtype=torch.int32))
    found = diffuse_albedo(lit, rays) * rgb(signals_of(lit, rays), CAUSTIC)
    true = PathTracer().trace_rays([lit], rays, 200_000)
    assert (true.variance.sqrt() < 0.02 * true.mean).all()
    torch.testing.assert_close(found, true.mean.double(), rtol=0.1, atol=0)


def downwards_at_metal(ground: Material) -> tuple[Scene, Rays]:
    """A wall of metal that shows the ground at a slant, and the sky."""
    wall = panel(0.0, 1.6, 0.0, (9.0, 1.0), metal(0.3), rotation=UPRIGHT)
    end = torch.tensor([[x, 1.6, z] for x in (-0.7, 0.0, 0.5) for z in (-0.8, -0.5, -0.1)])
    direction = torch.tensor([0.1, 1.0, -0.15]).expand_as(end)
    rays = Rays(end - direction, direction, torch.zeros(len(end), dtype=torch.int32))
    return scene(Plane(center=(0, 0, -1), material=ground), wall, background=GREY), rays


def test_metal_shows_glossy_ground_at_a_slant_as_the_path_tracer_says():
    """Whose facets, made as rough as the metal's, would reflect a tenth less of the sky."""
    lit, rays = downwards_at_metal(Material(base_color=(0.25, 0.25, 0.28), roughness=0.2))
    found = rgb(signals_of(lit, rays, glossy_rays=64), REFLECTION)
    true = PathTracer().trace_rays([lit], rays, 4096)
    assert found.mean().item() == pytest.approx(true.mean.mean().item(), rel=0.02)


def test_what_metal_shows_is_followed_one_surface_further():
    """As nothing says what its rays are cut off from: to the sky by way of the ground, without any bounce."""
    lit, rays = downwards_at_metal(CHALK)
    found = rgb(signals_of(lit, rays, glossy_rays=64, bounces=0), REFLECTION)
    true = PathTracer(max_depth=3).trace_rays([lit], rays, 4096)
    assert found.mean().item() == pytest.approx(true.mean.mean().item(), rel=0.02)


@pytest.mark.parametrize("shape", [Box, Cylinder])
def test_ground_is_lit_through_the_glass_that_stands_on_it_without_dots(shape):
    """Rounding puts some of it into the glass; where, lines of sight and bent ones need not agree."""
    turn = (math.cos(0.25), 0.6 * math.sin(0.25), 0.8 * math.sin(0.25), 0.0)
    axes, middle = rotation_matrix(turn), np.array([3.0, 0.9, -2.1])
    up = axes[:, 2]
    sizes = {"half_extents": (0.5, 0.5, 0.5)} if shape is Box else {"radius": 0.5, "half_height": 0.5}
    glass = shape(center=tuple(middle + 0.5 * up), rotation=turn, material=GLASS, **sizes)
    ground = Plane(center=tuple(middle), normal=tuple(up), material=CHALK)
    lit = scene(ground, glass, ball(*(middle + 4 * up), 0.5, LAMP))
    across = np.random.default_rng(0).uniform(-0.3, 0.3, (2003, 2)) @ axes[:, :2].T
    origin = torch.tensor(middle + across + 0.3 * up, dtype=torch.float32)
    rays = Rays(origin, torch.tensor(-up, dtype=torch.float32).expand(2003, 3), torch.zeros(2003, dtype=torch.int32))
    through = rgb(signals_of(lit, rays), CAUSTIC).mean(1)
    assert through.std() < 0.02 * through.mean()
    assert through.min() > 0.9 * through.mean()


BLACK = Material(base_color=(0, 0, 0), specular=0.0)
MIRROR = Material(base_color=(0.9, 0.8, 0.6), metallic=1, roughness=0.05)
TURNED = (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)  # the other way
MIRRORS = {
    "panel": Panel(center=(0, 1, 0), half_extents=(0.8, 1), rotation=UPRIGHT, material=MIRROR),
    "its back": Panel(center=(0, 1, 0), half_extents=(0.8, 1), rotation=TURNED, material=MIRROR),
    "box": Box(center=(0, 1.5, 0), half_extents=(0.8, 0.5, 1), material=MIRROR),
}


@pytest.mark.parametrize("name", MIRRORS)
@pytest.mark.parametrize("x", [0.1, 1.1])  # where the mirror shows the whole lamp, and a part of it
def test_a_flat_mirror_throws_the_light_that_the_path_tracer_says(name, x):
    """Onto a chip before it, which a screen keeps from seeing the lamp itself."""
    chip = Panel(center=(x, -0.5, -1), half_extents=(0.02, 0.02), material=CHALK)
    screen = Panel(center=(x, -1, 0), half_extents=(0.4, 0.4), rotation=UPRIGHT, material=BLACK)
    lit = scene(chip, screen, MIRRORS[name], ball(0.2, -2.0, 1.2, 0.4, LAMP))
    origin = torch.tensor([[x + 0.3, -0.5, -0.7]])
    rays = Rays(origin, torch.tensor(chip.center) - origin, torch.zeros(1, dtype=torch.int32))
    signals = signals_of(lit, rays)
    found = diffuse_albedo(lit, rays) * sum(rgb(signals, each) for each in (DIRECT, CAUSTIC, SKY, SURFACES))
    true = PathTracer(max_depth=6).trace_rays([lit], rays, 400_000)
    error = true.variance.sqrt()
    assert (error < 0.03 * true.mean).all()
    assert ((found - true.mean).abs() <= 0.03 * true.mean + 3.3 * error).all()
    assert (rgb(signals, CAUSTIC) > 0.9 * rgb(signals, SURFACES)).all()
    ratio = signals[:, CAUSTIC_MOMENT] / (np.mean(LAMP.emission) * rgb(signals, CAUSTIC).mean(1))
    assert (min(MIRROR.base_color) < ratio).all()
    assert (ratio < max(MIRROR.base_color)).all()


def test_a_mirror_shows_what_is_before_it_alone():
    """No light from a lamp behind it, from one that the mirror's image of is behind a screen, or by a rough one."""
    lamp, behind = (ball(0.2, y, 1.2, 0.4, LAMP) for y in (-2.0, 3.0))
    mirror, rough = (MIRRORS["panel"].model_copy(update={"material": made}) for made in (MIRROR, metal(0.5)))
    shade = Panel(center=(0.1, 0.9, 0), half_extents=(0.8, 1), rotation=UPRIGHT, material=BLACK)
    chip = Panel(center=(0.1, -0.5, -1), half_extents=(0.02, 0.02), material=CHALK)
    origin = torch.tensor([[0.4, -0.5, -0.7]])
    rays = Rays(origin, torch.tensor(chip.center) - origin, torch.zeros(1, dtype=torch.int32))
    through = {
        name: rgb(signals_of(scene(chip, *others), rays), CAUSTIC)
        for name, others in {
            "lit": (mirror, lamp), "behind": (mirror, behind), "shaded": (mirror, shade, lamp), "rough": (rough, lamp),
        }.items()
    }  # fmt: skip
    assert through.pop("lit").min() > 0
    assert not any(values.any() for values in through.values())


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_points_gather_the_same_to_the_bit(device, monkeypatch):
    lit = scene(*ROUGH["glossy"], FAR_LAMP, egg(0.2, 0.9, 0.1, (0.3, 0.2, 0.4), GLASS), background=GREY)
    one = signals_of(lit, PLACES, device, patterns_per_point=1)
    assert torch.equal(one, signals_of(lit, PLACES, device, patterns_per_point=1))
    monkeypatch.setattr("luxel.core.launch.MIN_SLICE", 5)
    assert torch.equal(one, signals_of(lit, PLACES, device, patterns_per_point=1))
    assert one.isfinite().all()


def brighter(lit: Scene, factor: float) -> Scene:
    """All of whose lights are so many times as bright."""
    objects = tuple(
        item.model_copy(
            update={
                "material": item.material.model_copy(
                    update={"emission": tuple(factor * value for value in item.material.emission)}
                )
            }
        )
        for item in lit.objects
    )
    background = tuple(factor * value for value in lit.background)
    return lit.model_copy(update={"objects": objects, "background": background})


def test_signals_follow_the_lights_exactly():
    """By a power of two, so that nothing is rounded in another way; what is no light stays as it is."""
    lit = scene(*ROUGH["glossy"], FAR_LAMP, NEAR_LAMP, egg(0.2, 0.5, -0.1, (0.3, 0.2, 0.4), GLASS), background=GREY)
    once, eightfold = (signals_of(brighter(lit, factor), PLACES) for factor in (1.0, 8.0))
    scale = torch.ones(SIGNALS, dtype=torch.double)
    for signal in RADIANCES:
        scale[signal : signal + 3] = 8
    scale[[*NOISES, CAUSTIC_MOMENT]] = 64
    assert torch.equal(eightfold, scale * once)
    assert (once.amax(0) > 0).all()


def test_a_lone_convex_object_sees_nothing_but_sky():
    alone = scene(ball(0, 0, -1.5, 0.8, CHALK), background=GREY)
    signals = signals_of(alone, downwards([-0.4, 0.0, 0.3], [-0.3, 0.2], 0.0))
    assert (signals[:, OPENNESS] == 1).all()
    assert not rgb(signals, SURFACES).any()
    assert not rgb(signals, TRUNCATED).any()
    torch.testing.assert_close(signals[:, NEARNESS], torch.zeros(6).double(), rtol=0, atol=1e-8)
    # Lambert's share but for Burley's Fresnel factors, which take less than a tenth and add less than a fifth.
    ratio = rgb(signals, SKY) / torch.tensor(GREY)
    assert 0.9 < ratio.min() <= ratio.max() < 1.2


@pytest.mark.parametrize("angle", [0.0, 0.4, 0.9, math.pi / 2, 2.2])
def test_openness_over_a_plane_is_the_share_of_the_hemisphere_above_the_horizon(angle):
    """(1 + cos θ) / 2 of a ball whose normal is θ from straight up, to two sigmas.

    Of 4096 rays in 64 × 64 strata the horizon crosses 2 · 64, and half of each may be wrong, to either side.
    """
    stone = Sphere(center=(0, 0, 3), radius=0.5, material=CHALK)
    normal = torch.tensor([[math.sin(angle), 0.0, math.cos(angle)]])
    centre = torch.tensor([[0.0, 0.0, 3.0]])
    rays = Rays(centre + 2 * normal, -normal, torch.zeros(1, dtype=torch.int32))
    grounded = scene(stone, Plane(center=(0, 0, 0), material=CHALK), background=GREY)
    signals = signals_of(grounded, rays, diffuse_rays=256)
    share = (1 + math.cos(angle)) / 2
    assert signals[0, OPENNESS].item() == pytest.approx(share, abs=2 * math.sqrt(128) / 2 / 4096)
    assert signals[0, NEARNESS] < 1 - signals[0, OPENNESS] + 1e-6  # what is near is the ground alone
    assert (signals[0, NEARNESS] > 1e-6) == (share < 1)


def test_nearness_is_the_mean_over_rays_of_a_pixels_width_to_it_and_their_lengths():
    """In a ball of radius r about the point's own small one, all is (r − s) away: p / (p + r − s)."""
    shell, small = 2.0, 0.05
    inner = Sphere(center=(0, 0, 0), radius=small, material=CHALK)
    outer = Sphere(center=(0, 0, 0), radius=shell, material=CHALK)
    rays = Rays(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[0.0, 0.0, -1.0]]), torch.zeros(1, dtype=torch.int32))
    enclosed = scene(inner, outer)
    away = np.linalg.norm(np.array([0, 0, small]) - enclosed.camera.position)
    for height in (4, 64):
        pixel = 2 * math.tan(math.radians(enclosed.camera.vertical_fov_degrees) / 2) / height * away
        nearness = signals_of(enclosed, rays, height=height)[0, NEARNESS].item()
        assert pixel / (pixel + shell + small) < nearness < pixel / (pixel + shell - small)
    assert signals_of(enclosed, rays)[0, OPENNESS] == 0


def test_where_all_rays_bring_the_same_there_is_no_noise():
    """Nothing, exactly; of a constant sky, no more than Burley's factors differ."""
    dark = signals_of(scene(*ROUGH["glossy"]), PLACES)
    assert not dark[:, list(NOISES)].any()
    alone = signals_of(scene(FLOORS["chalk"], background=GREY), PLACES)
    assert (alone[:, INDIRECT_VARIANCE].sqrt() < 0.1 * rgb(alone, SKY).mean(1) / math.sqrt(256)).all()
    assert (alone[:, DIRECT_VARIANCE] == 0).all()


def test_open_ground_under_a_gradient_has_the_skys_light_by_few_rays():
    """The mean radiance by the cosine, 0.2 horizon + 0.8 zenith, whatever a point's pattern is; seen from above."""
    sky = np.array(GRADIENT.horizon) * 0.2 + np.array(GRADIENT.zenith) * 0.8
    above = downwards([-1.1, 0.3], [-0.9, 0.7], slant=0.0)
    alone = under(FLOORS["chalk"], sky=GRADIENT)
    for patterns_per_point in (1, PATTERNS_OF_TILE):
        signals = rgb(signals_of(alone, above, diffuse_rays=4, patterns_per_point=patterns_per_point), SKY)
        factor = signals.mean(1) / sky.mean()
        np.testing.assert_allclose(signals, np.outer(factor, sky), rtol=0.04)
        np.testing.assert_allclose(factor, 1 - 1 / 42 + 1.6 * 5 / 168, rtol=0.01)  # Burley's, head-on, of roughness 0.8


def test_what_is_known_of_an_open_sky_changes_nothing_on_the_average():
    """Where walls hide a part of it: of patterns of 4 rays, against those of many."""
    covered = under(FLOORS["chalk"], *STONES, WALL, sky=GRADIENT)
    batch = SceneBatch.of([covered])
    place = points_of_rays(batch, downwards([0.1], [0.7]))
    table = place.repeat(256, 1)
    table[:, PATTERN] = torch.arange(256)
    few = rgb(gather(batch, table, settings_of(diffuse_rays=4, patterns_per_point=1)).double(), SKY)
    many = rgb(gather(batch, place, settings_of(diffuse_rays=1024)).double(), SKY)
    assert few.std(0).min() > 0.02
    torch.testing.assert_close(few.mean(0, keepdim=True), many, rtol=0.01, atol=0)


def test_without_a_difference_of_index_nothing_shines():
    """Nor does rounding: of its noise and its mean the ratio is anything."""
    dull = Plane(center=(0, 0, -1), material=Material(base_color=(0.4, 0.3, 0.2), specular=0.0, roughness=1.0))
    signals = signals_of(scene(dull, WALL, FAR_LAMP, background=GREY), PLACES)
    for signal in (HIGHLIGHT, REFLECTION):
        assert not rgb(signals, signal).any()
    assert not signals[:, GLOSSY_VARIANCE].any()


@pytest.mark.parametrize("name", ["chalk", "plastic"])
def test_of_a_rough_lobe_the_same_light_from_everywhere_is_reflected_without_noise(name):
    """Of the ratio of what it reflects to what it would of a radiance of 1."""
    material = Material(base_color=(0.5, 0.5, 0.5), roughness={"chalk": 1.0, "plastic": 0.5}[name])
    floor = Plane(center=(0, 0, -1), material=material)
    signals = signals_of(scene(floor, background=GREY), PLACES, diffuse_rays=4, patterns_per_point=1)
    assert (signals[:, ROUGH_ALBEDO] > 0).all()
    expected = signals[:, [ROUGH_ALBEDO]] * torch.tensor(GREY, dtype=torch.float64)
    torch.testing.assert_close(rgb(signals, REFLECTION), expected, rtol=1e-4, atol=0)
    assert (signals[:, GLOSSY_VARIANCE].sqrt() < 1e-2 * rgb(signals, REFLECTION).mean(1)).all()


def test_noise_is_the_variance_of_independent_rays():
    """A ball over black ground sees sky with p = (1 + cos θ) / 2 of n rays: (1/p − 1) / n of the square of the mean."""
    angle = 1.2
    black = Material(base_color=(0, 0, 0), roughness=1.0, specular=0.0)
    normal = torch.tensor([[math.sin(angle), 0.0, math.cos(angle)]])
    centre = torch.tensor([[0.0, 0.0, 3.0]])
    rays = Rays(centre + 2 * normal, -normal, torch.zeros(1, dtype=torch.int32))
    grounded = scene(
        Sphere(center=(0, 0, 3), radius=0.5, material=CHALK), Plane(center=(0, 0, 0), material=black), background=GREY
    )
    for diffuse_rays in (4, 64):
        signals = signals_of(grounded, rays, diffuse_rays=diffuse_rays)[0]
        count, p = PATTERNS_OF_TILE * diffuse_rays, (1 + math.cos(angle)) / 2
        mean = signals[SKY : SKY + 3].mean().item()
        assert signals[INDIRECT_VARIANCE].item() == pytest.approx(mean**2 * (1 / p - 1) / count, rel=0.15)


def test_patterns_of_a_tile_together_are_what_a_point_alone_gathers():
    """The same rays: signals that are sums over them are the mean over the patterns."""
    lit = scene(GROUND, ball(0.3, 0.2, -0.6, 0.4, CHALK), FAR_LAMP, background=GREY)
    batch = SceneBatch.of([lit])
    places = downwards([-0.3], [0.1])
    table = points_of_rays(batch, places)
    whole = gather(batch, table, settings_of(light_rays=8, diffuse_rays=4))[0]
    each = []
    for pattern in range(PATTERNS_OF_TILE):
        turned = table.clone()
        turned[:, PATTERN] = pattern
        each.append(gather(batch, turned, settings_of(light_rays=8, diffuse_rays=4, patterns_per_point=1))[0])
    mean = torch.stack(each).mean(0)
    torch.testing.assert_close(mean[OPENNESS], whole[OPENNESS], rtol=1e-5, atol=0)
    # What is known of the sky counts by each pattern's own share of it, or by that of all.
    torch.testing.assert_close(mean[SKY], whole[SKY], rtol=3e-3, atol=0)
    # Weights of the two ways to find a lamp depend on their numbers' ratio alone.
    torch.testing.assert_close(mean[DIRECT : DIRECT + 3], whole[DIRECT : DIRECT + 3], rtol=1e-4, atol=0)
    assert torch.stack(each)[:, SKY].std() > 0


def test_no_object_gathers_nothing_and_an_opaque_inside_is_dark():
    lit = scene(ball(0, 0, 0, 1.0, CHALK), FAR_LAMP, background=GREY)
    batch = SceneBatch.of([lit])
    origin = torch.tensor([[0.0, 0.0, 9.0], [0.0, 0.0, 0.0]])
    rays = Rays(origin, torch.tensor([[0.0, 0.0, 1.0]]).expand(2, 3), torch.zeros(2, dtype=torch.int32))
    signals = gather(batch, points_of_rays(batch, rays), settings_of())
    assert not signals.any()


def test_no_points_gather_nothing():
    none = Rays(torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0, dtype=torch.int32))
    batch = SceneBatch.of([scene(GROUND)])
    assert gather(batch, points_of_rays(batch, none), settings_of()).shape == (0, SIGNALS)


@wp.kernel(enable_backward=False)
def points_of_strata(index: wp.array[int], member: wp.array[int], point: wp.array[wp.vec2]):
    i = wp.tid()
    pattern = index[i] // 16
    member[i] = pilot_member(pattern)
    point[i] = sobol_point(16 * pattern + net_point(index[i] % 16, pattern, 16), 0)


def is_net(points: np.ndarray) -> bool:
    """Whether 2ⁿ points are one in each elementary interval of so large an area."""
    bits = len(points).bit_length() - 1
    cells = [(points * (1 << b, 1 << (bits - b))).astype(int) @ (1 << (bits - b), 1) for b in range(bits + 1)]
    return all(len(set(cell.tolist())) == len(points) for cell in cells)


def test_rays_to_lights_are_nets_in_each_pattern_and_in_a_tiles_together():
    """All of a pattern, four whose lights follow one another, and pilots; of a tile's 16 patterns each light's, too."""
    members, points = run(points_of_strata, np.arange(32 * 16, dtype=np.int32))
    members, points = members[::16], points.reshape(32, 16, 2)
    pilots = np.stack([of[member::PILOT_DIVISOR] for of, member in zip(points, members, strict=True)])
    tiles = points.reshape(2, 16, 4, 4, 2)  # patterns, and strata by fours
    of_light = [tile[:, four, one] for tile in tiles for four in range(4) for one in range(4)]
    of_four = [tile[:, four].reshape(64, 2) for tile in tiles for four in range(4)]
    assert all(is_net(some) for some in (*points, *points.reshape(-1, 4, 2), *of_light, *of_four))
    assert all(is_net(some) for some in (*pilots, *pilots.reshape(2, 64, 2)))
    assert all(set(four) == set(range(PILOT_DIVISOR)) for four in members.reshape(-1, 4).tolist())  # of 2 × 2 pixels


def shadow_of_ball() -> tuple[SceneBatch, Fragments]:
    """Of a small lamp, on a floor."""
    small = ball(0.5, 0.3, 1.5, 0.15, Material(emission=(20.0, 20.0, 20.0)))
    batch = SceneBatch.of([scene(FLOORS["chalk"], ball(0.0, 0.0, -0.2, 0.3, CHALK), small)])
    return batch, visible_fragments(batch, 48, 48, 16)


def test_pictures_send_all_rays_to_lights_only_where_shadows_may_end():
    """Elsewhere a quarter, with as much light: of a ball's shadow all that differs is far from its edge, and noise.

    The quarter is among all of them, and not sent again: all are those that a point without neighbours sends.
    """
    batch, found = shadow_of_ball()
    table = points_of_fragments(batch, found)
    near = as_neighbours(neighbourhood(table, no_chains(table), found))
    settings = settings_of(light_rays=32, diffuse_rays=4, patterns_per_point=1)
    looked, every = gather(batch, table, settings, near), gather(batch, table, settings)
    quarter = gather(batch, table, settings, near, torch.full((len(table),), 0.05))
    as_every = torch.isclose(looked, every, rtol=1e-5, atol=1e-7).all(1)
    same = as_every, (rgb(looked, UNSHADOWED) == rgb(quarter, UNSHADOWED)).all(1)  # which has no MIS weights
    assert (same[0] | same[1]).all()
    shares = [rgb(each, DIRECT).mean(1) / rgb(each, UNSHADOWED).mean(1).clamp(min=1e-9) for each in (every, looked)]
    on_floor = found.object_number == 0
    in_half_shadow = (shares[0] > 0.02) & (shares[0] < 0.98) & on_floor
    assert 20 < in_half_shadow.sum() < 0.3 * len(table)
    assert same[0][in_half_shadow].float().mean() > 0.95
    assert same[1].float().mean() > 0.5
    assert (shares[0] - shares[1])[on_floor].abs().max() < 0.15
    assert rgb(looked, DIRECT).mean().item() == pytest.approx(rgb(every, DIRECT).mean().item(), rel=2e-3)


@pytest.mark.parametrize("roughness", [0.35, 0.2])
@pytest.mark.parametrize("hidden", [False, True], ids=["open", "half hidden"])
def test_a_pixels_highlights_of_small_lamps_are_nearly_those_of_its_tile(roughness, hidden):
    """Of one of four lamps, in its reflection and beside it, in each of 64 patterns: samples without rays are many.

    With those alone that rays are sent to, deviations are 0.05 to 0.18. In the mean highlights are right, too, where
    half of the lamp is hidden, or all.
    """
    material = Material(base_color=(0.1, 0.1, 0.1), roughness=roughness)
    lamps = [ball(x, 1.0 + 0.2 * x, -0.5, 0.08, Material(emission=(40.0, 36.0, 30.0))) for x in (-1.2, -0.4, 0.4, 1.2)]
    blocker = (Box(center=(0.5, 0.6, -0.5), half_extents=(0.1, 0.02, 0.5), material=CHALK),) if hidden else ()
    lit = scene(Plane(center=(0, 0, -1), material=material), *lamps, *blocker)
    batch = SceneBatch.of([lit])
    places = torch.tensor([[0.4, 0.3, -1.0], [0.45, 0.25, -1.0]])
    origin = torch.tensor([0.4, -4.0, 1.8]).expand_as(places)
    table = points_of_rays(batch, Rays(origin, places - origin, torch.zeros(2, dtype=torch.int32)))
    each = []
    for pattern in range(64):
        turned = table.clone()
        turned[:, PATTERN] = pattern
        found = gather(batch, turned, settings_of(diffuse_rays=6, glossy_rays=8, patterns_per_point=1))
        each.append(rgb(found, HIGHLIGHT).mean(1))
    of_pixels = torch.stack(each)
    whole = rgb(gather(batch, table, settings_of(light_rays=256, glossy_rays=128)), HIGHLIGHT).mean(1)
    torch.testing.assert_close(of_pixels.mean(0), whole, rtol=0.01, atol=1e-3)
    if not hidden:
        assert (of_pixels.std(0) < torch.tensor([0.045, 0.12]) * whole).all()


def test_points_of_which_little_is_seen_send_a_quarter_everywhere():
    """Half of the points, by turns, arrive at the camera by 9 %, the others by 11 %."""
    batch, found = shadow_of_ball()
    table = points_of_fragments(batch, found)
    near = as_neighbours(neighbourhood(table, no_chains(table), found))
    settings = settings_of(light_rays=32, diffuse_rays=4, patterns_per_point=1)
    weak = torch.arange(len(table)) % 2 == 0
    looked = gather(batch, table, settings, near)
    mixed = gather(batch, table, settings, near, torch.where(weak, 0.09, 0.11))
    few = gather(batch, table, settings, near, torch.full((len(table),), 0.05))
    assert (mixed[weak] == few[weak]).all()
    assert (mixed[~weak] == looked[~weak]).all()
    assert (looked[weak] != few[weak]).any(1).sum() > 20


def test_of_faint_points_few_rays_of_other_kinds_are_sent_too():
    """Of 2 % of their light a quarter, rounded up; of 4 % as many as of all."""
    batch, found = shadow_of_ball()
    table = points_of_fragments(batch, found)
    near = as_neighbours(neighbourhood(table, no_chains(table), found))
    settings, few = (settings_of(diffuse_rays=count, patterns_per_point=1) for count in (6, 2))
    full, weak, faint = (torch.full((len(table),), share) for share in (1.0, 0.04, 0.02))
    assert (gather(batch, table, settings, near, faint) == gather(batch, table, few, near, weak)).all()
    of_full, of_weak = (gather(batch, table, settings, near, share)[:, LIGHT_SIGNALS:] for share in (full, weak))
    assert (of_full == of_weak).all()


@wp.kernel(enable_backward=False)
def outshone(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    unshadowed: float,
    caustic: float,
    highlight: float,
    found: wp.array[int],
):
    i = wp.tid()
    signals = Signals()
    signals = with_rgb(signals, UNSHADOWED, wp.vec3(unshadowed, unshadowed, unshadowed))
    signals = with_rgb(signals, CAUSTIC, wp.vec3(caustic, caustic, caustic))
    signals = with_rgb(signals, HIGHLIGHT, wp.vec3(highlight, highlight, highlight))
    found[i] = wp.where(is_outshone(scenes, points[i], signals), 1, 0)


@pytest.mark.parametrize("device", DEVICES)
def test_a_lamp_outshines_what_it_may_reflect_where_it_shines_brightly_enough(device):
    """A panel's front, not its back, and nothing that does not shine; 1 in all arrives there."""
    down, up = (
        Rays(torch.tensor([[0.0, 0.0, z]]), torch.tensor([[0.0, 0.0, -z]]), torch.zeros(1, dtype=torch.int32))
        for z in (1.0, -1.0)
    )
    found = []
    for over in (1.05, 0.95, 0.0):
        emission = (over * float(OUTSHINING),) * 3
        lamp = Panel(center=(0, 0, 0), half_extents=(1, 1), material=Material(emission=emission))
        batch = SceneBatch.of([scene(lamp)], device)
        for rays in (down, up):
            result = torch.full((1,), -1, dtype=torch.int32, device=device)
            points = as_points(points_of_rays(batch, rays.to(device)))
            arrays = [launchable(batch), points, 0.5, 0.25, 0.25, wp.from_torch(result)]
            wp.launch(outshone, 1, arrays, device=device)
            found.append(result.item())
    assert found == [1, 0, 0, 0, 0, 0]
