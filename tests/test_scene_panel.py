import pytest
from fake_gui import USER, FakeGui
from viewer_scenes import SCENE

from luxel.scene.description import Camera
from luxel.viewer.document import Document
from luxel.viewer.panels.scene_panel import ScenePanel

VIEW = Camera(position=(5, 0, 0), look_at=(0, 0, 1))


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    seen = []
    panel = ScenePanel(gui, document, gui.tell, lambda client: VIEW, seen.append)
    document.listen(panel.refresh)
    gui.seen = seen
    return document


def test_the_sky_is_a_hue_and_a_radiance(document, gui):
    gui["Radiance"].user_sets(0.6)
    assert document.scene.background == pytest.approx((0.4, 0.5, 0.6), rel=0.01)
    gui["Color"].user_sets((255, 255, 255))
    assert document.scene.background == (0.6, 0.6, 0.6)
    document.undo()
    assert document.scene == SCENE


def test_the_camera_is_typed_in_or_taken_from_a_tab(document, gui):
    gui["Position"].user_sets((0.0, -9.0, 1.0))
    gui["Field of view °"].user_sets(25.0)
    camera = document.scene.camera
    assert (camera.position, camera.vertical_fov_degrees) == ((0, -9, 1), 25)
    gui["Look at"].user_sets((0.0, -9.0, 1.0))
    assert "look_at must differ from position" in gui.told[0]
    assert gui["Look at"].value == (0, 0, 0)
    gui["Take this view"].user_sets()
    assert document.scene.camera == VIEW
    assert gui["Position"].value == (5, 0, 0)
    gui["Look through it"].user_sets()
    assert gui.seen == [USER]
