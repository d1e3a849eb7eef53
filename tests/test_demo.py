import json
from pathlib import Path

import luxel.demo
from luxel.demo import PICTURES, demo, learning_curves
from luxel.image.formats import load_exr
from luxel.scene import Scene
from luxel.train.run_folder import read_json


def test_the_demo_ends_with_a_page_and_a_second_call_starts_where_it_left_off(tmp_path: Path, monkeypatch):
    """The whole of it at the tiny scale: real scenes, real tracing, real training."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(luxel.demo, "UNSEEN", 2)
    monkeypatch.setattr(luxel.demo, "UNSEEN_SPP", 4)
    page, status = demo(tmp_path / "demo", "tiny")
    assert status == "finished"
    assert (page.parent / "pretrained.html").read_text().count('src="data:image/png;base64,') == 3 * 2
    text = page.read_text()
    assert text.count('src="data:image/png;base64,') == 3 * PICTURES
    (file,) = (tmp_path / "demo").glob("evaluation-*.json")
    evaluation = read_json(file)
    assert f"PSNR {evaluation['metrics']['psnr']['mean']:.3g} dB" in text
    assert load_exr(tmp_path / "demo" / "renders" / "0.exr").shape == (16, 16, 3)
    assert len(Scene.load(tmp_path / "demo" / "renders" / "0.json").objects) >= 1
    stages = read_json(tmp_path / "demo" / "stages.json")
    assert set(stages) == {"trace", "train", "evaluate", "render"}
    weights = tmp_path / "demo" / "model" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert demo(tmp_path / "demo", "tiny") == (page, status)
    assert weights.stat().st_mtime_ns == before
    again = read_json(tmp_path / "demo" / "stages.json")
    assert again["trace"] == stages["trace"], "the call that traced is the one that counts"


def test_a_skipped_step_is_left_out_of_the_curves(tmp_path: Path):
    rows = [(16, 0.5, None), (32, None, None), (48, 0.3, 0.25)]
    lines = [{"step": n, "samples": n, "train_loss": train, "test_loss": test} for n, train, test in rows]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    train, test = learning_curves(tmp_path)
    assert (train.x, train.y) == ([48], [0.4])
    assert (test.x, test.y) == ([48], [0.25])
