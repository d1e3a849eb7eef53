"""What is believed of each residual, by James and Stein or by a network, and how far off that is."""

import math

import pytest
import torch
from blended import HEIGHT, ONE, WIDTH, blender, residual_of, surfaces_of, traced
from tracer_scenes import FEATURES

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.models.blender import Blender, BlenderConfig, james_stein
from luxel.models.blending import blend
from luxel.models.residual_features import LEVELS
from luxel.models.traced_paths import LAMP_SHARE_ERROR
from luxel.scene import Material, Plane, Scene, Sphere


def test_james_and_stein_by_hand():
    """c = 3: of a band whose square is 4 and variance 1 a quarter is kept; of one whose square is 2 nothing.

    Half of a detail is mottle, with a variance of 1/24, and so half of that is believed.
    """
    bands = torch.zeros(1, LEVELS, 3)
    bands[0, 1], bands[0, 2] = 2.0, 2**0.5
    residual = residual_of(bands, torch.ones(1, LEVELS), 1.0, 1.0)
    residual.mottle[0, 0], residual.mottle_variance[0, 0] = 0.5, 1 / 24
    found = james_stein(residual)
    torch.testing.assert_close(found.details, torch.tensor([[0.25, 0.0]]))
    torch.testing.assert_close(found.bands[0, :3], torch.tensor([0.0, 0.25, 0.0]))
    torch.testing.assert_close(found.error, torch.tensor([0.25]))


def test_the_blender_is_what_was_saved_and_every_weight_has_a_gradient(tmp_path):
    saved = blender()
    saved.save_pretrained(tmp_path)
    again = Blender.from_pretrained(tmp_path)
    torch.testing.assert_close(again.state_dict(), saved.state_dict())
    (tmp_path / "config.json").write_text('{"kind": "ray"}')
    with pytest.raises(InputError, match=r"config\.json"):
        Blender.from_pretrained(tmp_path)
    scene = FEATURES["many lights"][0]
    paths = traced(scene, 4)
    picture = (paths.mean * 0.9 + 0.01).reshape(1, HEIGHT, WIDTH, 3)
    blended, error = blend(SceneBatch.of([scene]), surfaces_of(scene), picture, paths, saved.train())
    (blended.square().sum() + error.log().sum()).backward()
    for name, weights in saved.named_parameters():
        assert (weights.grad != 0).any(), name


def test_a_judge_multiplies_what_is_expected():
    """Untrained it says what `combine` does and (0.001 of the radiance)²; with a bias of log 4, 4 times it."""
    saved = Blender(BlenderConfig(hidden=8))
    residual = residual_of(torch.zeros(1, LEVELS, 3), torch.ones(1, LEVELS), 2, 1)
    told = [torch.ones(1, 3), residual, torch.full((1, 3), 1.5), torch.tensor([0.03])]
    with torch.no_grad():
        torch.testing.assert_close(saved.judged(*told), torch.tensor([0.03 + 4e-6]))
        saved.judge[2].bias.fill_(math.log(4))
        torch.testing.assert_close(saved.judged(*told), torch.tensor([4 * (0.03 + 4e-6)]))


def test_a_judge_leaves_what_a_lamps_share_is_off():
    """A lamp of a twentieth of a pixel, a thousand times as bright as the rest, which the judge expects to be right."""
    lamp = Sphere(center=(0.1, -1, 0.5), radius=0.05, material=Material(emission=(1e3, 1e3, 1e3)))
    scene = Scene(objects=(Plane(center=(0, 0, -1)), lamp), camera=ONE.camera, background=(1, 1, 1))
    saved, paths, surfaces = blender(), traced(scene, 4), surfaces_of(scene)
    picture = traced(scene, 4096).mean.reshape(1, HEIGHT, WIDTH, 3)
    shown = surfaces.pixel[surfaces.is_lamp]
    with torch.no_grad():
        saved.judge[2].bias.fill_(-12)
        _, error = blend(SceneBatch.of([scene]), surfaces, picture, paths, saved)
    assert len(shown) > 0
    assert (error.flatten()[shown].sqrt() > 1e3 * LAMP_SHARE_ERROR / 3).any()
