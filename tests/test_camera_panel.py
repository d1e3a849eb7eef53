import math

import pytest
from fake_gui import USER, FakeGui
from viewer_scenes import SCENE

from luxel.scene.description import Camera
from luxel.viewer.document import Document
from luxel.viewer.panels.camera_panel import CameraPanel

VIEW = Camera(position=(5, 0, 0), look_at=(0, 0, 1))


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    seen = []
    panel = CameraPanel(gui, document, gui.tell, lambda client: VIEW, seen.append)
    document.listen(panel.refresh)
    gui.seen = seen
    return document


def test_the_camera_is_typed_in_or_taken_from_a_tab(document, gui):
    gui["Position"].user_sets("0, -9, 1")
    gui["Field of view °"].user_sets(25.0)
    camera = document.scene.camera
    assert (camera.position, camera.vertical_fov_degrees) == ((0, -9, 1), 25)
    gui["Look at"].user_sets("0, -9, 1")
    assert "look_at must differ from position" in gui.told[0]
    assert gui["Look at"].value == "0, 0, 0"
    gui["Take this view"].user_sets()
    assert document.scene.camera == VIEW
    assert gui["Position"].value == "5, 0, 0"
    gui["Look through it"].user_sets()
    assert gui.seen == [USER]


def test_the_projection_changes_and_what_is_seen_stays(document, gui):
    extent = 2 * 5 * math.tan(math.radians(20))
    assert (float(gui["Extent"].value), gui["Extent"].disabled) == (pytest.approx(extent, rel=1e-5), True)
    gui["Projection"].user_sets("orthographic")
    camera = document.scene.camera
    assert (camera.projection, camera.vertical_extent) == ("orthographic", pytest.approx(extent))
    assert (gui["Field of view °"].disabled, gui["Extent"].disabled) == (True, False)
    gui["Extent"].user_sets("2.5")
    assert document.scene.camera.vertical_extent == 2.5
    gui["Projection"].user_sets("perspective")
    assert document.scene.camera.vertical_fov_degrees == pytest.approx(math.degrees(2 * math.atan(1.25 / 5)))
    while document.undo():
        pass
    assert (document.scene, gui["Projection"].value) == (SCENE, "perspective")
