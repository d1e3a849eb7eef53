import pytest
from fake_gui import FakeGui
from viewer_scenes import SCENE

from luxel.scene.description import Sun
from luxel.viewer.document import Document
from luxel.viewer.panels import fields
from luxel.viewer.panels.sun_panel import NEW, SunPanel, angles_of, direction_of


@pytest.fixture
def gui():
    return FakeGui()


@pytest.fixture
def document(gui, tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    panel = SunPanel(gui, document, gui.tell)
    document.listen(panel.refresh)
    return document


def test_the_sun_rises_and_sets(document, gui):
    assert "Azimuth °" not in gui.inputs
    gui["There is a sun"].user_sets(True)
    assert document.scene.sun == NEW
    assert angles_of(document.scene.sun.direction) == (gui["Azimuth °"].value, gui["Elevation °"].value)
    gui["There is a sun"].user_sets(False)
    assert document.scene == SCENE
    assert "Azimuth °" not in gui.inputs


def test_the_sun_is_turned_and_keeps_its_azimuth_at_the_zenith(document, gui, monkeypatch):
    document.edit(SCENE.model_copy(update={"sun": Sun(direction=(0, 2, 0), radiance=(6, 3, 0))}))
    assert (gui["Azimuth °"].value, gui["Elevation °"].value) == (90, 0)
    gui["Elevation °"].user_sets(90.0)
    assert document.scene.sun.direction == pytest.approx((0, 0, 1))
    assert gui["Azimuth °"].value == 90
    gui["Elevation °"].user_sets(30.0)
    gui["Azimuth °"].user_sets(180.0)
    assert document.scene.sun.direction == pytest.approx((-(3**0.5) / 2, 0, 0.5))
    gui["Angular radius °"].user_sets("2")
    gui["Radiance"].user_sets("12")
    assert document.scene.sun.angular_radius_degrees == 2
    assert document.scene.sun.radiance == pytest.approx((12, 6, 0), rel=0.01)
    monkeypatch.setattr(fields, "RUN_S", 0.0)
    gui["Angular radius °"].user_sets("100")
    assert "angular_radius_degrees" in gui.told[-1]
    assert gui["Angular radius °"].value == "2"


def test_angles_are_of_the_worlds_axes():
    assert direction_of(0.0, 0.0) == (1, 0, 0)
    assert direction_of(90.0, 0.0) == pytest.approx((0, 1, 0))
    assert direction_of(-90.0, -30.0) == pytest.approx((0, -(3**0.5) / 2, -0.5))
    assert angles_of((1.0, 1.0, 2**0.5)) == (45, 45)
