import asyncio
from types import SimpleNamespace

import viser
from fake_gui import USER
from viewer_scenes import BALL, LAMP, SCENE

from luxel.viewer.document import Document
from luxel.viewer.gizmo import Gizmo


class FakeScene(viser.SceneApi):
    def __init__(self):
        self.there = []

    def add_transform_controls(self, name, **properties):
        handle = SimpleNamespace(**properties, callbacks=[])
        handle.on_update = handle.callbacks.append
        handle.remove = lambda: self.there.remove(handle)
        self.there.append(handle)
        return handle


def drag(handle, phase, position):
    handle.position = position
    (callback,) = handle.callbacks
    asyncio.run(callback(SimpleNamespace(phase=phase, target=handle, client=USER)))


def test_a_drag_moves_the_selected_object_and_is_one_change(tmp_path):
    scene, document, told = FakeScene(), Document(SCENE, tmp_path / "a.json"), []
    gizmo = Gizmo(scene, document, lambda client, message: told.append(message))
    document.listen(gizmo.refresh)
    assert not scene.there
    document.select(BALL)
    (handle,) = scene.there
    assert handle.position == (0, 0, 0)
    assert handle.disable_rotations  # of a sphere
    for phase, x in (("start", 0.0), ("update", 0.25), ("update", 0.5), ("end", 0.5)):
        drag(handle, phase, (x, 0.0, 0.0))
    assert document.scene.objects[BALL].center == (0.5, 0, 0)
    for phase, x in (("start", 0.5), ("update", 2e6), ("end", 0.75)):
        drag(handle, phase, (x, 0.0, 0.0))
    assert "center" in told[0]
    assert document.scene.objects[BALL].center == (0.75, 0, 0)
    document.undo()
    assert document.scene.objects[BALL].center == (0.5, 0, 0)
    assert handle.position == (0.5, 0, 0)
    document.undo()
    assert document.scene == SCENE
    document.select(LAMP)
    assert [other.position for other in scene.there] == [(-3, -3, 4)]
    document.select(None)
    assert not scene.there
