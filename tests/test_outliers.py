"""What single rays find by chance, spread over their neighbourhood.

Legend: points [n] of a picture, one a pixel of a floor that fills it.
"""

from typing import Any, NamedTuple

import pytest
import torch
from kernels import DEVICES
from torch import Tensor

from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.models.atrous_filter import REACH, Filtered, filter_signals
from luxel.models.neighbourhood import as_neighbours, neighbourhood
from luxel.models.outliers import FROSTED_OUTLIER, OUTLIER, spread_outliers
from luxel.models.ray_model import RayModelConfig
from luxel.models.shading_points import points_of_fragments
from luxel.models.signals import GLOSSY_VARIANCE, INDIRECT_VARIANCE, NEARNESS, REFLECTION, SIGNALS, SURFACES
from luxel.models.specular import no_chains
from luxel.scene import Camera, Material, Panel, Scene

SIDE = 48
HIT = SIDE // 2 * SIDE + SIDE // 2
FROSTED = Material(transmission=1.0, roughness=0.12)
BLURRING = Material(transmission=1.0, roughness=0.4)
MATTE = Material(roughness=0.8)


class Picture(NamedTuple):
    batch: SceneBatch
    near: Any
    settings: Any


def picture(material: Material, device: str) -> Picture:
    """A wall that fills it, seen head-on by parallel rays."""
    wall = Panel(center=(0, 0, 0), half_extents=(9, 9), material=MATTE)
    camera = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), projection="orthographic", vertical_extent=2)
    batch = SceneBatch.of([Scene(objects=(wall,), camera=camera)], device)
    found = visible_fragments(batch, SIDE, SIDE, pixel_rays=16)
    table = points_of_fragments(batch, found)
    batch.roughness[:], batch.transmission[:] = material.roughness, material.transmission
    near = neighbourhood(table, no_chains(table), found)
    return Picture(batch, as_neighbours(near), RayModelConfig().gather_settings(SIDE, 0))


def filtered(made: Picture, signals: Tensor) -> Filtered:
    return filter_signals(made.batch, made.near, signals, SIDE)


def even_signals(device: str) -> Tensor:
    signals = torch.ones(SIDE * SIDE, SIGNALS, device=device)
    signals[:, NEARNESS] = 0.01
    return signals


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("kind", "variance", "material"),
    [
        (SURFACES, INDIRECT_VARIANCE, MATTE),
        (REFLECTION, GLOSSY_VARIANCE, FROSTED),
        (REFLECTION, GLOSSY_VARIANCE, BLURRING),
    ],
    ids=["surfaces", "reflection", "what glass blurs"],
)
def test_outliers_become_all_their_neighbours_and_no_light_is_lost(device, kind, variance, material):
    made, signals = picture(material, device), even_signals(device)
    signals[HIT, kind : kind + 3] = 500.0
    signals[HIT, variance] = 500.0**2
    plain, spread = filtered(made, signals), filtered(made, signals.clone())
    spread_outliers(made.batch, made.near, spread, made.settings)
    torch.testing.assert_close(spread.levels[-1], plain.levels[-1], rtol=0, atol=0)
    others = [i for i in range(SIGNALS) if i not in (kind, kind + 1, kind + 2, variance)]
    for before, after in zip(plain.levels[:-1], spread.levels[:-1], strict=True):
        assert after[HIT, kind] < 0.4 * before[HIT, kind]
        assert after[HIT, variance] < 0.3 * before[HIT, variance]
        torch.testing.assert_close(after[:, kind].sum(), before[:, kind].sum(), rtol=1e-3, atol=0)
        assert torch.equal(after[:, others], before[:, others])


@pytest.mark.parametrize("device", DEVICES)
def test_far_from_outliers_nothing_changes(device):
    made, signals = picture(MATTE, device), even_signals(device)
    signals[HIT, SURFACES : SURFACES + 3] = 500.0
    signals[HIT, INDIRECT_VARIANCE] = 500.0**2
    plain, spread = filtered(made, signals), filtered(made, signals.clone())
    spread_outliers(made.batch, made.near, spread, made.settings)
    pixels = torch.arange(SIDE * SIDE, device=device)
    far = ((pixels // SIDE - SIDE // 2).abs() > REACH) | ((pixels % SIDE - SIDE // 2).abs() > REACH)
    assert far.any()
    for before, after in zip(plain.levels, spread.levels, strict=True):
        assert torch.equal(before[far], after[far])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("kind", "value", "rays"),
    [(SURFACES, "below", 1), (SURFACES, 500.0, 2), (REFLECTION, 500.0, 1)],
    ids=["less", "of two rays", "by a matte lobe"],
)
def test_what_is_no_outlier_stays(device, kind, value, rays):
    """What is less bright, what two rays bring, and what matte surfaces reflect."""
    made, signals = picture(MATTE, device), even_signals(device)
    brought = OUTLIER / made.settings.diffuse_rays - 0.1 if value == "below" else value
    signals[HIT, kind : kind + 3] = brought
    signals[HIT, [INDIRECT_VARIANCE, GLOSSY_VARIANCE]] = brought**2 / rays
    plain, spread = filtered(made, signals), filtered(made, signals.clone())
    spread_outliers(made.batch, made.near, spread, made.settings)
    for before, after in zip(plain.levels, spread.levels, strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("material", "is_outlier"), [(FROSTED, False), (BLURRING, True)], ids=["narrow", "wide"])
def test_less_is_an_outlier_where_lobes_of_glass_are_wide(device, material, is_outlier):
    made, signals = picture(material, device), even_signals(device)
    brought = (OUTLIER + FROSTED_OUTLIER) / 2 / made.settings.glossy_rays
    signals[HIT, REFLECTION : REFLECTION + 3] = brought
    signals[HIT, GLOSSY_VARIANCE] = brought**2
    plain, spread = filtered(made, signals), filtered(made, signals.clone())
    spread_outliers(made.batch, made.near, spread, made.settings)
    assert (spread.levels[0][HIT, REFLECTION] < plain.levels[0][HIT, REFLECTION]).item() == is_outlier
