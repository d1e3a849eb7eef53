import asyncio
import math
from types import SimpleNamespace

import numpy as np
import pytest
import viser
from viewer_scenes import BALL, LAMP, SCENE

from luxel.scene.description import Box, Cylinder, Panel, Plane
from luxel.viewer.document import Document
from luxel.viewer.edits import with_item
from luxel.viewer.size_handles import SizeHandles

QUARTER_ABOUT_Z = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # x to y, y to −x
BOX = Box(center=(1, 0, 0), half_extents=(0.5, 1, 2), rotation=QUARTER_ABOUT_Z)


class Knob(SimpleNamespace):
    def on_drag(self, button, *, modifier=None):
        return lambda callback: self.callbacks.setdefault(modifier, callback)


class FakeScene(viser.SceneApi):
    def __init__(self):
        self.there = {}

    def add_icosphere(self, name, radius, color, *, cast_shadow):
        self.there[name] = Knob(callbacks={}, remove=lambda: self.there.pop(name))
        return self.there[name]


@pytest.fixture
def scene():
    return FakeScene()


@pytest.fixture
def document(scene, tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    handles = SizeHandles(scene, document, lambda client, message: pytest.fail(message))
    document.listen(handles.refresh)
    return document


def drag(knob, *ways, modifier=None, eye=(0.0, -5.0, 0.0)):
    """Press a knob, seen from `eye` relative to it, move the pointer by these ways from there, and let go."""
    pressed_at = np.array(knob.position)
    client = SimpleNamespace(camera=SimpleNamespace(position=pressed_at + eye))
    for phase, way in (("start", ways[0]), *(("update", way) for way in ways), ("end", ways[-1])):
        event = SimpleNamespace(phase=phase, client=client, start_position=pressed_at, end_position=pressed_at + way)
        asyncio.run(knob.callbacks[modifier](event))


def test_there_is_a_knob_for_every_extent(document, scene):
    assert not scene.there
    document.select(BALL)
    assert [knob.position for knob in scene.there.values()] == [(-0.8, 0, 0), (0, -0.8, 0), (0, 0, -0.8)]
    document.select(LAMP)
    assert scene.there["/size/x"].position == (-4, -3, 4)
    for item, count in ((Panel(center=(0, 0, 0), half_extents=(1, 2)), 2), (Plane(center=(0, 0, 0)), 0)):
        document.edit(with_item(SCENE, LAMP, item))
        assert len(scene.there) == count
    document.select(None)
    assert not scene.there


def test_a_drag_sizes_a_ball_and_is_one_change(document, scene):
    document.select(BALL)
    knob = scene.there["/size/x"]
    drag(knob, (-0.1, 0.0, 0.0), (-0.2, 0.0, 3.0))
    assert document.scene.objects[BALL].radius == pytest.approx(1.0)
    assert knob.position == pytest.approx((-1.0, 0, 0))
    drag(knob, (5.0, 0.0, 0.0))  # beyond the middle
    assert document.scene.objects[BALL].radius == pytest.approx(0.01)
    document.undo()
    document.undo()
    assert document.scene == SCENE


def test_boxes_change_along_their_own_axes_or_all_alike_with_shift(document, scene):
    document.edit(with_item(SCENE, BALL, BOX), BALL)
    assert scene.there["/size/x"].position == pytest.approx((1, -0.5, 0))
    drag(scene.there["/size/y"], (0.25, 0.0, 0.0))  # its y is the world's −x, and the knob at +x
    assert document.scene.objects[BALL].half_extents == pytest.approx((0.5, 1.25, 2))
    drag(scene.there["/size/z"], (0.0, 0.0, -2.0), modifier="shift")
    assert document.scene.objects[BALL].half_extents == pytest.approx((1, 2.5, 4))
    document.edit(with_item(SCENE, BALL, Cylinder(center=(0, 0, 0), radius=1, half_height=2)))
    drag(scene.there["/size/z"], (0.0, 0.0, -1.0))
    drag(scene.there["/size/x"], (0.25, 0.0, 0.0))
    cylinder = document.scene.objects[BALL]
    assert (cylinder.radius, cylinder.half_height) == pytest.approx((0.75, 3))


def test_an_axis_seen_at_a_slant_follows_the_pointer(document, scene):
    document.select(BALL)
    drag(scene.there["/size/x"], (-0.1, 0.1, 0.0), eye=(-3.0, -3.0, 0.0))
    assert document.scene.objects[BALL].radius == pytest.approx(1.0)  # 0.1 / (1 − ½) longer
