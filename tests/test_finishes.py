import colorsys

import numpy as np
import pytest

from luxel.scene.draws import Draws
from luxel.scene.finishes import FINISHES, OPAQUE, TONES, Palette, Tone, metal, mirror, tone


@pytest.mark.parametrize("finish", FINISHES, ids=lambda finish: finish.__name__)
def test_what_is_opaque_transmits_nothing_and_the_others_do(finish):
    for index in range(30):
        material = finish(Draws(0, index))
        assert (material.transmission == 0) == (finish in OPAQUE)


def test_shares_of_finishes_are_those_of_a_whole():
    assert sum(FINISHES.values()) == pytest.approx(1)
    assert sum(TONES.values()) == pytest.approx(1)


def test_a_tone_has_its_value_and_saturation():
    (only,) = [Tone((0.25, 0.5), (0.5, 1.0))]
    for index in range(50):
        _, saturation, value = colorsys.rgb_to_hsv(*tone(Draws(1, index), {only: 1.0}))
        assert 0.25 - 1e-5 <= value <= 0.5 + 1e-5
        assert 0.5 - 1e-4 <= saturation <= 1 + 1e-4


def test_metals_are_smooth_more_often_than_rough_and_mirrors_always():
    rough = np.array([metal(Draws(2, index)).roughness for index in range(400)])
    assert rough.max() < 0.6
    assert 0.55 < (rough < 0.3).mean() < 0.75  # of u^1.5 · 0.6: 0.5^(2/3) = 0.63
    assert {mirror(Draws(2, index)).roughness for index in range(9)} == {0.0}


def test_some_scenes_make_do_with_three_materials():
    few = 0
    for index in range(200):
        palette = Palette(Draws(4, index))
        few += len({repr(palette.any()) for _ in range(12)}) <= 3
    assert 0.23 < few / 200 < 0.43
