"""Inputs for a part of the scene show its fields, change them, and rest while the part is of another kind."""

from types import SimpleNamespace

import pytest
from fake_gui import FakeGui
from viewer_scenes import SCENE

from luxel.scene.description import GradientSky, Scene, Sun
from luxel.viewer.document import Document
from luxel.viewer.panels.part_fields import PartFields

SUNNY = SCENE.model_copy(update={"sun": Sun(direction=(0, 0, 1), radiance=(6, 3, 0), angular_radius_degrees=1.5)})


@pytest.fixture
def gui():
    return FakeGui()


def bound(gui, scene, tmp_path, part, kind):
    """The document, and inputs for its part that follow it."""
    document = Document(scene, tmp_path / "a.json")
    inputs = PartFields(document, gui.tell, part, kind)
    document.listen(inputs.refresh)
    return SimpleNamespace(document=document, inputs=inputs)


def test_a_number_of_a_part_is_shown_and_changed(gui, tmp_path):
    to = bound(gui, SUNNY, tmp_path, "sun", Sun)
    to.inputs.numbers(gui.add_number("Radius", 1.5), "angular_radius_degrees")
    gui["Radius"].user_sets(4.0)
    assert to.document.scene.sun == SUNNY.sun.model_copy(update={"angular_radius_degrees": 4.0})
    to.document.undo()
    assert (to.document.scene, gui["Radius"].value) == (SUNNY, 1.5)


def test_radiance_is_a_hue_and_its_strongest_channel(gui, tmp_path):
    to = bound(gui, SUNNY, tmp_path, "sun", Sun)
    to.inputs.radiance(gui, "radiance", step=0.1)
    assert gui["Radiance"].value == 6
    assert gui["Color"].value == (255, 188, 0)  # sRGB of 1/2: 1.055 · 0.5^(1/2.4) − 0.055 = 0.7354, of 255 187.5
    gui["Radiance"].user_sets(0.0)
    assert to.document.scene.sun.radiance == (0, 0, 0)
    assert gui["Color"].value == (255, 188, 0), "black keeps the hue it had"
    gui["Radiance"].user_sets(12.0)
    assert to.document.scene.sun.radiance == pytest.approx((12, 6, 0), rel=0.01)


def test_a_field_of_the_scene_itself_has_no_part(gui, tmp_path):
    to = bound(gui, SCENE, tmp_path, None, Scene)
    to.inputs.numbers(gui.add_vector3("Background", SCENE.background), "background")
    gui["Background"].user_sets((1.0, 2.0, 3.0))
    assert to.document.scene == SCENE.model_copy(update={"background": (1, 2, 3)})


def test_inputs_of_a_part_that_is_gone_keep_their_values_and_change_nothing(gui, tmp_path):
    sky = GradientSky(zenith=(0, 0, 1), horizon=(1, 1, 1), ground=(0.5, 0.4, 0.3))
    to = bound(gui, SUNNY.model_copy(update={"sky": sky}), tmp_path, "sun", Sun)
    to.inputs.numbers(gui.add_number("Radius", 1.5), "angular_radius_degrees")
    to.document.edit(SCENE)
    assert gui["Radius"].value == 1.5
    gui["Radius"].user_sets(4.0)
    assert to.document.scene == SCENE
    assert not gui.told


def test_a_value_out_of_range_is_told_and_the_old_one_shown(gui, tmp_path):
    to = bound(gui, SUNNY, tmp_path, "sun", Sun)
    to.inputs.numbers(gui.add_number("Radius", 1.5), "angular_radius_degrees")
    gui["Radius"].user_sets(100.0)
    assert (to.document.scene, gui["Radius"].value) == (SUNNY, 1.5)
    assert "angular_radius_degrees is 100" in gui.told[-1]
