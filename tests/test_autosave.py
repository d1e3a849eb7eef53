from viewer_scenes import BALL, SCENE

from luxel.scene.description import Scene
from luxel.viewer.autosave import Autosave
from luxel.viewer.document import Document

RED = SCENE.with_material(BALL, base_color=(1, 0, 0))


def test_the_autosave_thread_keeps_the_last_state_and_tells_what_fails_once(tmp_path):
    document = Document(SCENE, tmp_path / "a.json")
    told = []
    autosave = Autosave(document, told.append, period_s=0.0)
    for radius in range(1, 9):
        document.edit(SCENE.with_object(BALL, radius=radius))
    autosave.stop()
    assert Scene.load(document.autosave_path).objects[BALL].radius == 8
    assert not told

    (tmp_path / "file").touch()
    homeless = Document(SCENE, tmp_path / "file" / "a.json")
    autosave = Autosave(homeless, told.append, period_s=0.0)
    homeless.edit(RED)
    autosave.stop()
    assert 1 <= len(told) <= 2  # the thread's, and what stopping tried
    assert "file: is a file, but a folder is meant" in told[0]
