from fake_gui import FakeGui
from viewer_scenes import BALL, SCENE

from luxel.viewer.document import Document
from luxel.viewer.panels.fields import Fields


def test_an_input_changes_the_document_and_follows_it(tmp_path):
    gui, document = FakeGui(), Document(SCENE, tmp_path / "a.json")
    fields = Fields(document, gui.tell)
    document.listen(fields.refresh)
    handle = fields.bind(
        gui.add_number("Radius", 0.8),
        lambda state: state.scene.objects[BALL].radius,
        lambda value: document.edit(document.scene.with_object(BALL, radius=value)),
    )
    handle.user_sets(0.5)
    assert document.scene.objects[BALL].radius == 0.5
    document.undo()
    assert handle.value == 0.8
    handle.user_sets(-1)
    assert len(gui.told) == 1
    assert "radius is -1" in gui.told[0]
    assert handle.value == 0.8
    fields.clear()
    assert not gui.inputs


def test_a_button_tells_what_fails(tmp_path):
    gui, document = FakeGui(), Document(SCENE.without(1), tmp_path / "a.json")
    button = Fields(document, gui.tell).button(gui.add_button("Delete"), lambda _: document.scene.without(0))
    button.user_sets()
    assert "must have at least one object" in gui.told[0]
