from types import SimpleNamespace

import numpy as np
import viser
from viewer_scenes import LAMP, SCENE, save_map

from luxel.scene.description import MapSky
from luxel.viewer.compose import Errors, Look
from luxel.viewer.document import Document
from luxel.viewer.render_loop import Frame, View
from luxel.viewer.status import Status

HALF = np.full((3, 5, 3), 0.5, np.float32)
FRAME = Frame(View(SCENE, 5, 3, 64), 0, HALF, HALF, HALF, 64, 0.01, 0.75, True)


class FakeGui(viser.GuiApi):
    def __init__(self):
        pass

    def add_html(self, content, order):
        self.html = SimpleNamespace(content=content)
        return self.html


def test_it_says_what_is_shown_and_whether_the_scene_is_saved(tmp_path):
    gui, document = FakeGui(), Document(SCENE, tmp_path / "a<b.json")
    status = Status(gui, "ray-small", document)
    status.show(FRAME, None, 0.25)
    assert "a&lt;b.json · ray-small<br>5×3, 64 paths a pixel<br>estimated error 0.01 (2.0 %), 1.0 s" in gui.html.content
    status.show(FRAME, Errors(31.25, 0.0625, np.zeros((3, 5, 3), np.uint8)), 0.0)
    assert "network to paths: PSNR 31.2 dB, FLIP 0.062" in gui.html.content
    document.edit(SCENE.model_copy(update={"objects": SCENE.objects[:1], "background": (0, 0, 0)}))
    status.refresh()
    assert "a&lt;b.json · not saved" in gui.html.content
    assert "nothing gives light" in gui.html.content
    status.fail("no <picture>")
    assert "no &lt;picture&gt;" in gui.html.content
    status.warn("inside <it>")
    status.show(FRAME, None, 0.25)
    assert "64 paths a pixel" in gui.html.content
    assert "inside &lt;it&gt;" in gui.html.content
    status.warn(None)
    assert "inside" not in gui.html.content


def test_of_pictures_while_something_moves_it_says_how_many_there_are_in_a_second(tmp_path):
    gui = FakeGui()
    status = Status(gui, "ray-small", Document(SCENE, tmp_path / "a.json"))
    status.show(FRAME._replace(spp=0, seconds=0.04, is_whole=False), None, 0.01)
    assert "5×3, network alone<br>20 frames/s" in gui.html.content
    status = Status(gui, "ray-small", Document(SCENE, tmp_path / "a.json"))
    status.show(FRAME._replace(spp=0, seconds=1.25, is_whole=False), None, 0.0)
    assert "5×3, network alone<br>1.2 s" in gui.html.content


def test_without_paths_it_says_what_needs_them(tmp_path):
    gui = FakeGui()
    status = Status(gui, "ray-small", Document(SCENE, tmp_path / "a.json"))
    for most_paths, look, told in (
        (0, Look("picture", "error"), True),
        (0, Look("truth"), True),
        (0, Look("picture", "network"), False),
        (0, Look("picture", "error", split=1.0), False),
        (64, Look("picture", "error"), False),
    ):
        status.show(FRAME._replace(view=View(SCENE, 5, 3, most_paths)), None, 0.0, look.needs_paths)
        assert ("error and truth need paths" in gui.html.content) == told


def test_a_map_whose_file_is_gone_is_no_obstacle(tmp_path):
    save_map(tmp_path / "sky.hdr")
    sky = MapSky(file=str(tmp_path / "sky.hdr"))
    scene = SCENE.without(LAMP).model_copy(update={"sky": sky, "background": (0, 0, 0)})
    (tmp_path / "sky.hdr").unlink()
    gui = FakeGui()
    Status(gui, "ray-small", Document(scene, tmp_path / "a.json"))
    assert "a.json · ray-small" in gui.html.content
