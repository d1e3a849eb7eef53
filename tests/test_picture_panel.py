import pytest
from fake_gui import FakeGui

from luxel.viewer.compose import Look
from luxel.viewer.panels.picture_panel import PicturePanel, Settings


@pytest.fixture
def page():
    """A page with the panel, and the settings of which it told."""
    gui, told = FakeGui(), []
    PicturePanel(gui, Settings(height=120), told.append, gui.tell)
    return gui, told


def test_inputs_are_settings(page):
    gui, told = page
    gui["Exposure"].user_sets(1.5)
    gui["Left"].user_sets("network")
    gui["Tone map"].user_sets("reinhard")
    assert told[-1] == Settings(height=120, look=Look("network", None, 0.5, "reinhard", 1.5))
    assert gui["Width"].disabled
    gui["Fill the window"].user_sets(False)
    assert (gui["Width"].disabled, told[-1].width) == (False, 512)
    gui["Width"].user_sets("2", "20", "200")
    gui["Paths a pixel"].user_sets("1e3")
    assert (told[-1].width, told[-1].height, told[-1].most_paths) == (200, 120, 1000)
    gui["Fill the window"].user_sets(True)
    gui["Fill the window"].user_sets(False)
    assert (told[-1].width, gui["Width"].value, gui.told) == (200, "200", [])


def test_what_is_chosen_on_the_right_is_seen_at_once(page):
    gui, told = page
    assert gui["Split"].disabled
    for right in ("truth", "error"):
        gui["Right"].user_sets(right)
        assert (told[-1].look.layers, told[-1].look.split) == (("picture", right), 0.5)
    assert not gui["Split"].disabled
    gui["Split"].user_sets(0.25)
    gui["Right"].user_sets("nothing")
    assert told[-1].look.layers == ("picture",)


@pytest.mark.parametrize(
    ("label", "typed", "message"),
    [
        ("Height", "99999", "height is 99999, must be an integer in [1, 8192]"),
        ("Height", "0", "height is 0, must be an integer in [1, 8192]"),
        ("Height", "100.5", "Height is '100.5', must be a whole number, such as 512 or 1e3"),
        ("Paths a pixel", "-1", "most_paths is -1, must be "),
        ("Paths a pixel", "x", "Paths a pixel is 'x', must be a whole number"),
    ],
)
def test_what_no_picture_can_have_is_refused_with_a_word(page, label, typed, message):
    gui, told = page
    shown = gui[label].value
    gui[label].user_sets(typed)
    assert gui.told[0].startswith(message)
    assert gui[label].value == shown
    assert all(settings == Settings(height=120) for settings in told)
