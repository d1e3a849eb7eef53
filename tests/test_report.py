import re
from pathlib import Path

import numpy as np
from data_folder import write_data_folder

from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import Evaluation, Summary
from luxel.evaluation.page import Line
from luxel.evaluation.report import Section, of_test_set, write_report
from luxel.image.side_by_side import Figures, SideBySide

RNG = np.random.default_rng(0)
EVALUATION = Evaluation("clamp", 128, "0123456789abcdef" * 4, 3, 9.0, "mse", {"psnr": Summary(21.5, 20.0, 22.0)}, {})
CURVES = [Line("train", [32, 64], [0.1, 0.05]), Line("test", [64], [0.07])]


def scene(title: str) -> SideBySide:
    truth, one, two = RNG.random((3, 11, 13, 3)).astype(np.float32)
    return SideBySide.of(title, truth, {"<one>": one, "two": two}, 64)


def test_the_page_holds_its_pictures_itself_and_links_the_rest(tmp_path: Path):
    page, place = tmp_path / "deeper" / "index.html", tmp_path / "deeper" / "scene 1"
    scenes = [scene("scene <1>"), scene("scene 2")]
    files = [[place / "scene.json", place / "<one>.exr"], []]
    section = Section("Unseen", scenes, {"machine": "2 cores"}, files)
    folders = {place: [place / "scene.json"], tmp_path / "data": [tmp_path / "data" / "manifest.json"]}
    write_report(page, "A run", [section, Section("Others", [scene("3")])], EVALUATION, CURVES, folders)
    text = page.read_text()
    assert text.count('src="data:image/png;base64,') == 3 * (1 + 2 + 2), "truth, two outputs, two errors"
    assert not re.search(r"src=\"(?!data:)", text), "nothing may be loaded from elsewhere"
    links = ["scene%201", "scene%201/scene.json", "scene%201/%3Cone%3E.exr", "../data", "../data/manifest.json"]
    assert set(re.findall(r"<a href=\"(.*?)\"", text)) == set(links)
    for word in ("scene &lt;1&gt;", "&lt;one&gt;", "64 spp", "<svg", "21.5", "0123456789abcdef,", "2 cores"):
        assert word in text
    for figures in scenes[0].figures.values():
        assert all(line in text for line in figures.lines)


def test_truth_comes_first_on_the_page(tmp_path: Path):
    write_report(tmp_path / "index.html", "A run", [Section("Unseen", [scene("1")])])
    text = (tmp_path / "index.html").read_text()
    names = re.findall(r"<figcaption>(path traced|&lt;one&gt;|two)<br>", text)
    assert names == ["path traced", "&lt;one&gt;", "two"]
    assert "Training" not in text
    assert "Test set" not in text
    assert "Files" not in text


def test_the_first_test_scenes_beside_their_truth(tmp_path: Path):
    test = ShardDataset(write_data_folder(tmp_path), "test")
    batch = test.batch(range(2))
    outputs = batch.radiance.numpy()[:2] + np.float32(0.1)
    scenes = of_test_set(test, {"one": outputs, "two": outputs})
    assert [scene.title.split(",")[0] for scene in scenes] == ["scene 0", "scene 1"]
    for index, scene in enumerate(scenes):
        np.testing.assert_array_equal(scene.truth, batch.radiance[index])
        assert scene.figures["one"] == Figures.of(
            outputs[index], scene.truth, batch.variance[index].numpy(), float(batch.path_variance[index])
        )
        assert scene.spp == int(test.manifest.settings["spp"])
