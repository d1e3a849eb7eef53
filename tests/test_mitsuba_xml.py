"""Mitsuba's XML renders as the dictionary that the reference tracer hands it."""

import mitsuba
import numpy as np
import pytest
from outside import GRADIENT, SUN
from tracer_scenes import CAMERA, GROUND, LAMP, PARALLEL, SIDE_LAMP, egg, gravel, scene

from luxel.scene import Scene
from luxel.trace.mitsuba import MitsubaTracer, scene_plugin
from luxel.trace.mitsuba_xml import write_xml

GRAVEL = (GROUND, SIDE_LAMP, *gravel(23))


def both(world: Scene, path, spp: int) -> list[np.ndarray]:
    """The picture by the file, and by the dictionary."""
    MitsubaTracer(threads=1).start()
    loaded = mitsuba.load_file(str(path)), mitsuba.load_dict(scene_plugin(world, 24, 16, 6))
    return [np.array(mitsuba.render(each, spp=spp, seed=3)) for each in loaded]


@pytest.mark.parametrize("camera", [CAMERA, PARALLEL], ids=["perspective", "orthographic"])
def test_the_xml_renders_as_the_dictionary(camera, tmp_path):
    world = scene(*GRAVEL, background=(0.1, 0.2, 1 / 3), camera=camera)
    assert write_xml(world, tmp_path / "scene.xml", 24, 16) == [tmp_path / "scene.xml"]
    file, dictionary = both(world, tmp_path / "scene.xml", 4)
    assert file.shape == (16, 24, 3)
    differ = (np.abs(file - dictionary) > 1e-5 * dictionary + 1e-6).any(2)
    assert differ.mean() < 0.03  # a matrix read from a file is inverted anew, which turns a path here and there


def test_emissive_ellipsoids_are_meshes_beside_it(tmp_path):
    """These come first in the dictionary's scene, and so draw other paths."""
    world = scene(*GRAVEL, egg(0, 0, 1, (0.2, 0.3, 0.1), LAMP))
    written = write_xml(world, tmp_path / "scene.xml", 24, 16)
    assert [path.name for path in written] == ["scene.xml", "scene.objects[25].ply"]
    file, dictionary = both(world, tmp_path / "scene.xml", 256)
    np.testing.assert_allclose(file.mean((0, 1)), dictionary.mean((0, 1)), rtol=0.01)


def test_a_sky_is_a_picture_beside_it_and_the_sun_a_ball(tmp_path):
    world = scene(*GRAVEL).model_copy(update={"sky": GRADIENT, "sun": SUN})
    written = write_xml(world, tmp_path / "scene.xml", 24, 16)
    assert [path.name for path in written] == ["scene.xml", "scene.sky.pfm"]
    file, dictionary = both(world, tmp_path / "scene.xml", 64)
    np.testing.assert_allclose(file.mean((0, 1)), dictionary.mean((0, 1)), rtol=0.02)
