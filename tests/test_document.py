import pytest
from viewer_scenes import BALL, LAMP, SCENE

from luxel import InputError
from luxel.scene.description import Scene
from luxel.viewer.document import MERGE_S, Document, State, autosave_beside

RED = SCENE.with_material(BALL, base_color=(1, 0, 0))
ALONE = SCENE.without(BALL)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def document(tmp_path):
    return Document(SCENE, tmp_path / "a.json", Clock())


def test_changes_are_undone_and_made_again_with_their_selection(document):
    told = []
    document.listen(told.append)
    document.select(LAMP)
    document.edit(RED)
    document.edit(ALONE, None)
    assert document.state == State(ALONE, None)
    assert document.undo()
    assert document.state == State(RED, LAMP)
    assert document.undo()
    assert document.state == State(SCENE, LAMP)
    assert not document.undo()
    assert document.redo()
    assert document.redo()
    assert not document.redo()
    assert document.state == State(ALONE, None)
    assert told == [
        *(State(SCENE, LAMP), State(RED, LAMP), State(ALONE, None)),
        *(State(RED, LAMP), State(SCENE, LAMP), State(RED, LAMP), State(ALONE, None)),
    ]


def test_a_change_forgets_what_was_undone_and_no_change_is_none(document):
    document.edit(RED)
    document.edit(RED)
    document.undo()
    assert (document.can_undo, document.can_redo) == (False, True)
    document.edit(ALONE)
    assert (document.can_undo, document.can_redo) == (True, False)


def test_a_drag_is_one_change_but_not_two_drags(document):
    clock = document._clock
    for step, now in ((1, 0.0), (2, 0.5), (3, 0.5 + MERGE_S)):
        clock.now = now
        document.edit(SCENE.with_object(BALL, radius=step), gesture="drag")
    clock.now += MERGE_S + 0.1
    document.edit(SCENE.with_object(BALL, radius=4), gesture="drag")
    document.edit(SCENE.with_object(BALL, radius=5), gesture="another")
    sizes = []
    while document.undo():
        sizes.append(document.scene.objects[BALL].radius)
    assert sizes == [4, 3, 0.8]


def test_nothing_is_selected_that_is_not_there(document):
    document.select(LAMP)
    document.edit(SCENE.without(BALL))
    assert document.selected is None


def test_what_is_not_saved_is_restored_and_can_be_undone(document):
    SCENE.save(document.path)
    assert not document.autosave()
    document.edit(RED)
    assert not document.is_saved
    assert document.autosave()
    assert not document.autosave()
    assert document.autosave_path.name == "a.autosave.json"
    assert Scene.load(document.path) == SCENE

    again = Document.open(document.path)
    assert again.scene == RED
    again.undo()
    assert again.scene == SCENE
    again.redo()
    again.save()
    assert Scene.load(document.path) == RED
    assert again.is_saved
    assert [path.name for path in document.path.parent.iterdir()] == ["a.json"]
    assert not Document.open(document.path).can_undo


def test_a_scene_that_is_as_its_file_again_leaves_no_autosave(document):
    document.edit(RED)
    document.autosave()
    document.undo()
    document.autosave()
    assert not document.autosave_path.exists()


def test_saving_under_another_name_leaves_the_first_file(document):
    SCENE.save(document.path)
    document.edit(RED)
    document.autosave()
    document.save(document.path.with_name("b.json"))
    names = sorted(path.name for path in document.path.parent.iterdir())
    assert names == ["a.json", "b.json"]
    assert document.path.name == "b.json"
    assert Scene.load(document.path.with_name("a.json")) == SCENE


def test_another_scene_is_opened_and_the_first_is_not_lost(document):
    document.edit(RED)
    document.replace(ALONE, document.path.with_name("b.json"))
    assert (document.scene, document.path.name, document.is_saved) == (ALONE, "b.json", True)
    assert Scene.load(document.path.with_name("a.autosave.json")) == RED
    assert not document.undo()  # into a scene that is another file's


def test_a_gesture_does_not_go_on_in_another_scene(document):
    document.edit(RED, gesture="hue")
    document.replace(SCENE, document.path.with_name("b.json"))
    document.edit(RED, gesture="hue")
    document.undo()
    assert document.scene == SCENE


def test_the_same_file_read_again_is_a_change_to_undo(document):
    document.edit(RED)
    document.replace(ALONE, document.path)
    assert (document.scene, document.is_saved) == (ALONE, True)
    document.undo()
    assert (document.scene, document.is_saved) == (RED, False)


def test_an_autosave_that_is_damaged_is_told_with_the_remedy(document):
    SCENE.save(document.path)
    document.autosave_path.write_text("{")
    with pytest.raises(InputError, match=r"a\.autosave\.json: .*; move this autosave away, or mend it$"):
        Document.open(document.path)
    assert document.autosave_path.read_text() == "{"


def test_what_another_file_has_unsaved_is_restored_when_it_is_opened(document):
    other = document.path.with_name("b.json")
    ALONE.save(other)
    RED.save(autosave_beside(other))
    document.replace(ALONE, other)
    assert (document.scene, document.is_saved) == (RED, False)
    document.undo()
    assert document.scene == ALONE


def test_scenes_that_differ_in_their_endings_have_autosaves_of_their_own(tmp_path):
    names = [autosave_beside(tmp_path / name).name for name in ("a.json", "a.safetensors")]
    assert names == ["a.autosave.json", "a.safetensors.autosave.json"]
