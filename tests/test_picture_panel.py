from fake_gui import FakeGui

from luxel.viewer.compose import Look
from luxel.viewer.panels.picture_panel import PicturePanel, Settings


def test_inputs_are_settings():
    gui, told = FakeGui(), []
    panel = PicturePanel(gui, Settings(height=120), told.append)
    assert panel.settings == Settings(height=120)
    gui["Exposure"].user_sets(1.5)
    gui["Left"].user_sets("network")
    gui["Split"].user_sets(0.5)
    gui["Tone map"].user_sets("reinhard")
    assert told[-1].look == Look("network", "truth", 0.5, "reinhard", 1.5)
    gui["Fill the window"].user_sets(False)
    assert not gui["Width"].disabled
    gui["Width"].user_sets(200)
    gui["Paths a pixel"].user_sets(16)
    assert (told[-1].width, told[-1].height, told[-1].most_paths) == (200, 120, 16)


def test_a_number_beyond_its_limits_is_taken_for_the_nearest():
    gui, told = FakeGui(), []
    PicturePanel(gui, Settings(height=120), told.append)
    for typed, height in ((0, 1), (-5, 1), (99999, 8192)):
        gui["Height"].user_sets(typed)
        assert told[-1].height == height
    gui["Paths a pixel"].user_sets(-1)
    assert told[-1].most_paths == 0
