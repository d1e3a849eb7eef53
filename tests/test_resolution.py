import pytest

from luxel.viewer.resolution import MIN_PIXELS, TARGET_S, Resolution


def test_it_settles_at_what_a_machine_can_do_in_time():
    resolution = Resolution()
    for _ in range(20):
        width, height = resolution.size(640, 400)
        resolution.measured(width * height, 0.005 + width * height / 1e6)
    assert 0.8 * TARGET_S <= 0.005 + width * height / 1e6 <= 1.25 * TARGET_S
    assert width / height == pytest.approx(1.6, rel=0.02)


def test_it_is_at_most_what_is_asked_for_and_stays_there():
    resolution = Resolution()
    for _ in range(20):
        size = resolution.size(64, 40)
        assert size == (64, 40)
        resolution.measured(64 * 40, 0.001)


def test_one_slow_picture_halves_it_and_it_does_not_vanish():
    resolution = Resolution(pixels=40000.0)
    resolution.measured(200 * 200, 10.0)
    assert resolution.pixels == 200 * 200 / 2
    for _ in range(20):
        resolution.measured(round(resolution.pixels), 10.0)
    assert resolution.pixels == MIN_PIXELS
    assert resolution.size(100, 100) == (48, 48)


def test_what_is_near_the_target_changes_nothing():
    resolution = Resolution(pixels=5000.0)
    resolution.measured(5000, 1.2 * TARGET_S)
    assert resolution.pixels == 5000
