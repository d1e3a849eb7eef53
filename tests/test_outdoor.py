"""Scenes under suns and skies: what is drawn, and that it can be looked at."""

import math

import numpy as np
import pytest

from luxel.scene import Assorted, Composed, GradientSky, MapSky, Mixed, Outdoor, Scene, Spheres, Varied
from luxel.trace.path import PathTracer


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [Outdoor()(3, index) for index in range(60)]


def test_every_kind_of_light_is_drawn_about_as_often_as_it_says(scenes):
    maps = [scene for scene in scenes if isinstance(scene.sky, MapSky)]
    gradients = [scene for scene in scenes if isinstance(scene.sky, GradientSky)]
    suns = [scene.sun for scene in scenes if scene.sun is not None]
    lamps = [scene for scene in scenes if any(item.material.is_emissive for item in scene.objects)]
    assert 12 <= len(maps) <= 30
    assert 20 <= len(gradients) <= 40
    assert 25 <= len(suns) <= 50
    assert 20 <= len(lamps) <= 50
    assert all(scene.is_lit for scene in scenes)
    radii = [sun.angular_radius_degrees for sun in suns]
    assert 0.3 < np.mean(np.array(radii) == 0.265) < 0.7
    for sun in suns:
        irradiance = math.sin(math.radians(sun.angular_radius_degrees)) ** 2 * max(sun.radiance)
        assert 0.2 < irradiance < 20
        assert sun.direction[2] > 0.05
    brightest = [scene.sky.map.texels.max() for scene in maps]
    assert max(brightest) > 30
    assert len({scene.sky.sha256 for scene in maps}) == len(maps)


def test_scenes_are_themselves_when_read_again(scenes):
    assert all(Scene.from_json(scene.to_json()) == scene for scene in scenes[:12])
    assert scenes[7] == Outdoor()(3, 7)
    assert max(len(Outdoor(max_objects=9)(3, index).objects) for index in range(40)) <= 9


def test_pictures_have_an_exposure_that_can_be_looked_at(scenes):
    light = PathTracer().trace(scenes[:30], 12, 12, 16, 0).mean
    median = np.median(light.mean(3), axis=(1, 2))
    assert 0.05 < np.median(median) < 1.0
    assert (median > 0.003).mean() > 0.85
    assert (median < 3).mean() > 0.9


def test_assorted_takes_turns():
    kinds = (Outdoor(), Varied(), Composed(), Outdoor(), Varied(), Composed(), Outdoor(), Spheres())
    for index, kind in enumerate(kinds):
        assert Assorted()(5, index) == kind(5, index)
    assert Mixed()(5, 2) == Composed()(5, 2)
