from luxel.scene.description import Scene
from luxel.viewer.start import new_scene


def test_a_new_scene_is_kept_and_opened_once_it_is_saved(tmp_path):
    document = new_scene(tmp_path / "scene.json")
    assert document.scene.is_lit
    assert not list(tmp_path.iterdir())
    document.edit(document.scene.without(0))
    document.autosave()
    again = new_scene(tmp_path / "scene.json")
    assert len(again.scene.objects) == 2
    again.save()
    assert Scene.load(tmp_path / "scene.json") == again.scene
    assert new_scene(tmp_path / "scene.json").scene == again.scene
