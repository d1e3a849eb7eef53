import pytest

from luxel.viewer.colours import hue_of, linear_of, picked_of, radiance_of, strength_of


def test_the_picker_shows_srgb():
    assert picked_of((0.0, 0.5, 1.0)) == (0, 188, 255)  # 0.5 linear is 0.7354 in sRGB
    assert linear_of((0, 188, 255)) == (0.0, pytest.approx(0.5029, abs=1e-4), 1.0)


def test_every_value_of_the_picker_comes_back():
    for value in range(256):
        colour = (value, 255 - value, 7)
        assert picked_of(linear_of(colour)) == colour


def test_radiance_is_a_hue_times_a_strength():
    assert strength_of((2.0, 8.0, 0.0)) == 8
    assert hue_of((2.0, 8.0, 0.0)) == picked_of((0.25, 1.0, 0.0))
    radiance = radiance_of(hue_of((2.0, 8.0, 0.0)), 4.0)
    assert radiance == (pytest.approx(1.0, rel=0.01), 4.0, 0.0)


def test_no_radiance_is_white_and_a_black_hue_gives_white():
    assert hue_of((0.0, 0.0, 0.0)) == (255, 255, 255)
    assert radiance_of((0, 0, 0), 3.0) == (3.0, 3.0, 3.0)
    assert radiance_of((10, 20, 30), 0.0) == (0.0, 0.0, 0.0)
