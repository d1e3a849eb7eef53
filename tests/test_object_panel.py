from contextlib import nullcontext

import pytest
from fake_gui import FakeGui
from viewer_scenes import BALL, LAMP, SCENE

from luxel.scene.description import Box, Plane
from luxel.viewer.document import Document
from luxel.viewer.edits import with_added, with_item
from luxel.viewer.panels import fields
from luxel.viewer.panels.object_panel import ObjectPanel


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    panel = ObjectPanel(gui, nullcontext(), document, gui.tell, lambda client: document.scene.camera)
    document.listen(panel.refresh)
    return document


def test_the_selected_objects_fields_are_shown(document, gui):
    assert gui["Object"].options == ("–", "0 sphere", "1 sphere, lamp")
    assert "Radius" not in gui.inputs
    gui["Object"].user_sets("1 sphere, lamp")
    assert document.selected == LAMP
    assert (gui["Radius"].value, gui["Center"].value, gui["Radiance"].value) == ("1", "-3, -3, 4", "9")
    document.select(None)
    assert "Radius" not in gui.inputs


def test_fields_change_the_object_and_follow_undo(document, gui):
    document.select(BALL)
    gui["Radius"].user_sets("0.4")
    assert gui["Scale"].value == pytest.approx(0.5)
    gui["Scale"].user_sets(2.0)
    assert document.scene.objects[BALL].radius == pytest.approx(1.6)
    gui["Roughness"].user_sets(0.1)
    gui["Base color"].user_sets((255, 0, 0))
    gui["Radiance"].user_sets("3")
    material = document.scene.objects[BALL].material
    assert (material.roughness, material.base_color, material.emission) == (0.1, (1, 0, 0), (3, 3, 3))
    while document.undo():
        pass
    assert (document.scene, gui["Radius"].value, gui["Roughness"].value) == (SCENE, "0.8", 0.5)


def test_a_number_may_be_wrong_while_it_is_typed_in(document, gui, monkeypatch):
    document.select(BALL)
    gui["Radius"].user_sets("0", "0.", "0.4")
    assert (document.scene.objects[BALL].radius, gui["Radius"].value, gui.told) == (0.4, "0.4", [])
    monkeypatch.setattr(fields, "RUN_S", 0.0)
    gui["Radius"].user_sets("-", "-1")
    assert "radius is -1.0" in gui.told[0]
    assert (document.scene.objects[BALL].radius, gui["Radius"].value) == (0.4, "0.4")


def test_a_lamp_that_is_put_out_keeps_its_hue(document, gui):
    document.select(LAMP)
    hue = gui["Emission"].value
    gui["Radiance"].user_sets("0")
    assert not document.scene.objects[LAMP].material.is_emissive
    assert gui["Emission"].value == hue
    gui["Radiance"].user_sets("9")
    assert document.scene.objects[LAMP].material.emission == pytest.approx((9, 8, 7), rel=0.01)


def test_another_shape_has_other_fields(document, gui):
    document.select(BALL)
    gui["Shape"].user_sets("box")
    assert document.scene.objects[BALL].half_extents == pytest.approx((0.8, 0.8, 0.8))
    assert "Radius" not in gui.inputs
    gui["Half extents"].user_sets("1, 2, 3")
    gui["Rotation °"].user_sets("0 0 90")
    box = document.scene.objects[BALL]
    assert box.half_extents == (1, 2, 3)
    assert box.rotation == pytest.approx((0.5**0.5, 0, 0, 0.5**0.5))
    gui["Shape"].user_sets("panel")
    assert gui["Transmission"].disabled
    gui["Outline"].user_sets("ellipse")
    assert document.scene.objects[BALL].outline == "ellipse"
    gui["Shape"].user_sets("plane")
    gui["Normal"].user_sets("0, 1, 0")
    assert document.scene.objects[BALL].normal == (0, 1, 0)
    assert "Scale" not in gui.inputs


def test_objects_are_added_duplicated_and_deleted(document, gui):
    gui["Add"].user_sets("cylinder")
    assert (document.scene.objects[2].shape, document.selected) == ("cylinder", 2)
    assert gui["Add"].value == "…"
    gui["Selected"].user_sets("Duplicate")
    assert (len(document.scene.objects), document.selected) == (4, 3)
    gui["Selected"].user_sets("Delete")
    assert (len(document.scene.objects), document.selected) == (3, None)
    gui["Selected"].user_sets("Delete")
    assert len(document.scene.objects) == 3
    document.edit(SCENE.without(LAMP), BALL)
    gui["Selected"].user_sets("Delete")
    assert "must have at least one object" in gui.told[-1]


def test_of_many_objects_the_first_and_the_selected_are_listed(document, gui):
    many = SCENE.model_copy(update={"objects": SCENE.objects * 200})
    document.edit(many, 399)
    assert len(gui["Object"].options) == 1 + 200 + 1
    assert gui["Object"].value == "399 sphere, lamp"


def test_planes_and_boxes_are_shown_as_they_are(document, gui):
    document.edit(with_added(SCENE, Plane(center=(0, 0, -1))), 2)
    assert gui["Normal"].value == "0, 0, 1"
    document.edit(with_item(SCENE, BALL, Box(center=(0, 0, 0), half_extents=(1, 1, 1))), BALL)
    assert gui["Rotation °"].value == "0, 0, 0"
