import pytest
from fake_gui import FakeGui
from viewer_scenes import BALL, SCENE

from luxel.viewer.document import Document
from luxel.viewer.panels import fields
from luxel.viewer.panels.fields import Fields


@pytest.fixture
def radius(tmp_path):
    """An input for the ball's radius, its document and its page."""
    gui, document = FakeGui(), Document(SCENE, tmp_path / "a.json")
    inputs = Fields(document, gui.tell)
    document.listen(inputs.refresh)
    handle = inputs.bind_numbers(
        gui,
        "Radius",
        lambda state: state.scene.objects[BALL].radius,
        lambda value: document.edit(document.scene.with_object(BALL, radius=value)),
    )
    gui.clear = inputs.clear
    return handle, document, gui


def test_an_input_changes_the_document_and_follows_it(radius):
    handle, document, gui = radius
    handle.user_sets("0.5")
    assert document.scene.objects[BALL].radius == 0.5
    document.undo()
    assert handle.value == "0.8"
    handle.user_sets("-1")
    assert len(gui.told) == 1
    assert "radius is -1" in gui.told[0]
    assert handle.value == "0.8"
    gui.clear()
    assert not gui.inputs


def test_a_button_tells_what_fails(tmp_path):
    gui, document = FakeGui(), Document(SCENE.without(1), tmp_path / "a.json")
    button = Fields(document, gui.tell).button(gui.add_button("Delete"), lambda _: document.scene.without(0))
    button.user_sets()
    assert "must have at least one object" in gui.told[0]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("1", "1e", "1e9"), "radius is 1000000000.0, must be a number in [1e-6, 1e6]"),
        (("1", "1x"), "Radius is '1x', must be a number, such as 0.5 or 1e3"),
        (("1", ""), "Radius is '', must be a number, such as 0.5 or 1e3"),
    ],
)
def test_what_is_typed_is_refused_with_a_word_and_leaves_nothing_of_its_beginning(radius, typed, told):
    handle, document, gui = radius
    handle.user_sets(*typed)
    assert told in gui.told[0]
    assert len(gui.told) == 1
    assert (handle.value, document.scene.objects[BALL].radius) == ("0.8", 0.8)


@pytest.mark.parametrize(("crossing_s", "sent"), [(60.0, ["0.8", "1e3 ", "1e3"]), (0.0, ["0.8"])])
def test_what_is_typed_while_a_refusal_is_on_its_way_is_shown_as_it_is_taken(radius, crossing_s, sent, monkeypatch):
    """Else the browser showed the number before, and the scene had the new one."""
    handle, document, _ = radius
    monkeypatch.setattr(fields, "CROSSING_S", crossing_s)
    handle.user_sets("1e")
    handle.user_sets("1e3")
    assert (handle.value, document.scene.objects[BALL].radius) == ("1e3", 1e3)
    assert handle.sent == sent


def test_what_is_undone_is_no_beginning_of_what_is_typed_then(radius):
    handle, document, _ = radius
    handle.user_sets("0.5")
    document.undo()
    document.redo()
    handle.user_sets("0", "-1")
    assert (handle.value, document.scene.objects[BALL].radius) == ("0.5", 0.5)


def test_what_is_typed_is_taken_as_it_stands(radius):
    handle, document, gui = radius
    for text, number in (("0.125", 0.125), ("1e-3", 0.001), ("2.50", 2.5)):
        handle.user_sets(*(text[:end] for end in range(1, len(text) + 1)))
        assert (handle.value, document.scene.objects[BALL].radius, gui.told) == (text, number, [])
    document.select(BALL)
    assert handle.value == "2.50"
