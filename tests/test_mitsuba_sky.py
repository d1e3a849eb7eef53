"""What stands for light from outside in Mitsuba: seen straight, it is the same picture."""

import numpy as np
import pytest
from outside import GRADIENT, SPOTS, under
from tracer_scenes import ball

from luxel.scene import Sun
from luxel.trace import MitsubaTracer
from luxel.trace.mitsuba_limits import known_wrong
from luxel.trace.mitsuba_sky import SUN_DISTANCE_FACTOR, far_plugins, sky_picture, sky_radiance, sun_distance
from luxel.trace.path import PathTracer

SPECK = ball(30, 0, 0, 0.01)  # out of sight
AHEAD = Sun(direction=(-0.3, 1, 0.1), angular_radius_degrees=8, radiance=(3, 2, 1))


@pytest.mark.parametrize("sky", [GRADIENT, SPOTS], ids=["gradient", "map"])
def test_the_sky_is_seen_where_it_is(sky):
    one = under(SPECK, sky=sky, background=(0.1, 0.2, 0.3))
    ours, theirs = (tracer(max_depth=1).trace([one], 16, 16, 64, 0).mean for tracer in (PathTracer, MitsubaTracer))
    off = np.abs(ours - theirs) / theirs  # of steep texels noise, by few points of a pixel
    assert np.median(off) < 0.003
    assert off.mean() < 0.01
    assert ours.std() > 0.03


def test_a_gradients_cusp_is_in_its_picture():
    """The mean over all latitudes of what is interpolated is right, and is not between exact values."""
    one, rows = under(SPECK, sky=GRADIENT), 65

    def exact(count):
        latitude = np.linspace(0, np.pi, count)
        return sky_radiance(one, np.stack([np.sin(latitude), 0 * latitude, np.cos(latitude)], 1))

    right, shown, of_exact = (
        np.trapezoid(values, axis=0) / (len(values) - 1)
        for values in (exact(100_001), sky_picture(one, rows)[:, 5].astype(np.float64), exact(rows))
    )
    assert (np.abs(shown - right) < 0.1 * np.abs(of_exact - right)).all()


def test_the_sun_is_as_large_as_it_is():
    """The mean is good to the strata's noise at its edge; both have the sky behind the sun added."""
    one = under(SPECK, sun=AHEAD, sky=GRADIENT)
    ours, theirs = (tracer(max_depth=1).trace([one], 16, 16, 256, 0).mean for tracer in (PathTracer, MitsubaTracer))
    np.testing.assert_allclose(ours.mean((0, 1, 2)), theirs.mean((0, 1, 2)), rtol=0.01)
    assert ours.max() > 3
    assert np.median(np.abs(ours - theirs)) < 0.005


def test_plugins_and_limits():
    assert far_plugins(under(SPECK)) == {}
    assert list(far_plugins(under(SPECK, background=(1, 1, 1)))) == ["far background"]
    found = far_plugins(under(ball(1, -3, 0.5, 1), sun=AHEAD))  # the camera is at (1, −5, 0.5)
    assert list(found) == ["far sun"]
    assert found["far sun"]["radius"] == pytest.approx(3 * SUN_DISTANCE_FACTOR * np.sin(np.radians(8)))
    assert sun_distance(under(ball(1, -3, 0.5, 9e5))) < 1e6
    small = AHEAD.model_copy(update={"angular_radius_degrees": 0.1})
    assert "sun.angular_radius_degrees is 0.1" in known_wrong(under(SPECK, sun=small))[0]
    assert not [line for line in known_wrong(under(SPECK, sun=AHEAD)) if "sun" in line]
    np.testing.assert_allclose(sky_radiance(under(SPECK, background=(1, 2, 3)), np.eye(3)), [[1, 2, 3]] * 3)
