import math
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import viser

from luxel.scene.description import Camera
from luxel.viewer.cameras import Window
from luxel.viewer.status import Status
from luxel.viewer.tab import Tab

PERSPECTIVE = Camera(position=(0, -5, 1), look_at=(0, 0, 1))
PARALLEL = Camera(position=(3, -4, 2), look_at=(0, 0, 2), projection="orthographic", vertical_extent=1.75)
WINDOW = Window(1.0, 2.0)
ITS_OWN = {"position": (3.0, 3.0, 3.0), "look_at": (0.0, 0.0, 0.0), "fov": 1.3}
"""Where a browser is before it is told."""


class InterruptedCamera:
    """As viser's, which sends what differs from what it knows; once, the browser speaks before its target is sent."""

    def __init__(self):
        self.known, self.sent, self.has_spoken = dict(ITS_OWN), dict(ITS_OWN), False

    def __getattr__(self, name):
        return (0.0, 0.0, 1.0) if name == "up_direction" else self.known[name]

    def __setattr__(self, name, value):
        if name not in ITS_OWN:
            vars(self)[name] = value
        elif not np.allclose(value, self.known[name]):
            offset = np.subtract(value, self.known[name])
            self.known[name] = self.sent[name] = value
            if name == "position":
                self.look_at = tuple(self.look_at + offset)
                if not self.has_spoken:
                    self.known, self.has_spoken = dict(ITS_OWN), True


class SlowCamera(SimpleNamespace):
    """Whose angle, the last to be read, takes one thread a while to read."""

    slow, asked, go_on = None, threading.Event(), threading.Event()

    @property
    def fov(self):
        found = vars(self)["fov"]
        if threading.current_thread() is self.slow:
            self.asked.set()
            self.go_on.wait(9)
        return found

    @fov.setter
    def fov(self, value):
        vars(self)["fov"] = value


class FakeClient(viser.ClientHandle):
    def __init__(self):
        self.camera, self.atomic = SimpleNamespace(**ITS_OWN, up_direction=(0.0, 0.0, 1.0)), nullcontext


def tab_at(camera):
    tab = Tab(FakeClient(), object.__new__(Status), camera)
    tab.stand(camera, WINDOW)
    tab.moved()
    return tab


@pytest.mark.parametrize("camera", [PERSPECTIVE, PARALLEL], ids=["perspective", "orthographic"])
def test_a_tab_looks_from_where_it_is_put(camera):
    tab = tab_at(camera)
    there = tab.client.camera
    found, away = tab.camera(WINDOW), math.dist(there.position, there.look_at)
    np.testing.assert_allclose(found.position, camera.position, atol=1e-8)
    assert found.model_copy(update={"position": camera.position}) == camera
    assert there.near < there.min_orbit_distance < away < there.max_orbit_distance < there.far


def test_a_tab_takes_the_scenes_projection_and_keeps_its_own_view():
    tab = tab_at(PERSPECTIVE)
    tab.take_projection(PARALLEL, WINDOW)
    tab.moved()
    camera = tab.camera(WINDOW)
    assert camera.is_orthographic
    assert camera.vertical_extent == pytest.approx(2 * 5 * math.tan(math.radians(20)))
    np.testing.assert_allclose(camera.position, PERSPECTIVE.position, atol=1e-8)
    tab.take_projection(PERSPECTIVE, WINDOW)
    tab.moved()
    assert tab.camera(WINDOW).vertical_fov_degrees == pytest.approx(40)


def test_clicks_are_rays_of_what_is_shown():
    middle = np.array((3.0, -4.0, 2.0)), np.array((-0.6, 0.8, 0.0))
    for found, expected in zip(tab_at(PARALLEL).ray(WINDOW, *middle), middle, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9)
    slanted = np.array((1.0, 2.0, 3.0)), np.array((0.6, 0.0, 0.8))
    for found, expected in zip(tab_at(PERSPECTIVE).ray(WINDOW, *slanted), slanted, strict=True):
        np.testing.assert_array_equal(found, expected)


def says(tab, **stand):
    """The browser tells where it is."""
    vars(tab.client.camera).update(stand)
    tab.moved()


def test_a_browser_is_not_believed_before_it_is_where_it_was_put(monkeypatch):
    monkeypatch.setattr("luxel.viewer.tab.PATIENCE_S", 0.0)
    tab = Tab(FakeClient(), object.__new__(Status), PERSPECTIVE)
    tab.stand(PERSPECTIVE, WINDOW)
    says(tab, **ITS_OWN)
    assert tab.camera(WINDOW) == PERSPECTIVE
    tab.take_projection(PARALLEL, WINDOW)
    says(tab, **ITS_OWN)
    assert tab.camera(WINDOW).vertical_extent == pytest.approx(2 * 5 * math.tan(math.radians(20)))
    tab.take_projection(PERSPECTIVE, WINDOW)
    there = tab.client.camera
    says(tab, position=there.position, look_at=there.look_at, fov=there.fov)
    says(tab, position=(0.0, -6.0, 1.0))
    assert tab.camera(WINDOW).position == (0, -6, 1)


def test_a_browser_that_takes_its_angle_first_is_not_believed_half_way(monkeypatch):
    """As viser's does, which tells of a new angle before it draws, and has a new place only when it has drawn."""
    monkeypatch.setattr("luxel.viewer.tab.PATIENCE_S", 0.0)
    tab = Tab(FakeClient(), object.__new__(Status), PERSPECTIVE)
    tab.stand(PERSPECTIVE, WINDOW)
    says(tab, position=ITS_OWN["position"])
    tab.take_projection(PARALLEL, WINDOW)
    assert tab.camera(WINDOW).vertical_extent == pytest.approx(2 * 5 * math.tan(math.radians(20)))


def test_a_browser_that_went_elsewhere_is_believed_after_a_while(monkeypatch):
    tab = tab_at(PERSPECTIVE)
    tab.stand(PARALLEL, WINDOW)
    says(tab, position=(0.0, -7.0, 1.0), look_at=(0.0, 0.0, 1.0))
    assert tab.camera(WINDOW) == PARALLEL
    monkeypatch.setattr("luxel.viewer.tab.PATIENCE_S", 0.0)
    assert tab.camera(WINDOW).look_at == (0, 0, 1)


def test_a_browser_that_is_there_already_is_believed_at_once():
    tab = tab_at(PERSPECTIVE)
    tab.stand(PERSPECTIVE, WINDOW)
    says(tab, position=(0.0, -7.0, 1.0))
    assert tab.camera(WINDOW).position == (0, -7, 1)


def test_a_browser_that_speaks_while_it_is_put_is_put_there_all_the_same():
    client = FakeClient()
    client.camera = InterruptedCamera()
    tab = Tab(client, object.__new__(Status), PERSPECTIVE)
    tab.stand(Camera(position=(0, -5, 0), look_at=ITS_OWN["look_at"]), WINDOW)
    assert client.camera.has_spoken
    np.testing.assert_allclose(client.camera.sent["position"], (0, -5, 0))
    np.testing.assert_allclose(client.camera.sent["look_at"], ITS_OWN["look_at"])


def test_a_browser_that_arrives_while_it_is_put_elsewhere_is_not_believed():
    """What it says is heard by one thread, and another puts it."""
    client = FakeClient()
    client.camera = there = SlowCamera(**ITS_OWN, up_direction=(0.0, 0.0, 1.0))
    tab = Tab(client, object.__new__(Status), PERSPECTIVE)
    tab.stand(PERSPECTIVE, WINDOW)
    hears = threading.Thread(target=tab.moved)
    puts = threading.Thread(target=tab.stand, args=(PARALLEL, WINDOW))
    there.slow = hears
    hears.start()
    there.asked.wait(9)
    puts.start()
    puts.join(0.2)
    there.go_on.set()
    hears.join()
    puts.join()
    vars(there).update(ITS_OWN)  # what was on its way
    assert tab.camera(WINDOW) == PARALLEL
