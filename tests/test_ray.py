"""What each idea of the ray model adds to it, and that it learns."""

import json
from dataclasses import replace

import pytest
from ablation import Run, check_group, computes_otherwise

from luxel.cli import main
from luxel.experiments import EXPERIMENTS
from luxel.pipeline import Renderer
from luxel.train.run_folder import read_metrics

BASE = "ray_small"
SIZES = "model.point_width model.layers model.emitter_width"
EVERY = "point pair layers lamp_point lamp_pair lamp_features sky tint color mix head"
RUNS = [
    Run("ray_tiny", BASE, SIZES, lost="layers", reshaped=EVERY),
    Run("ray_base", BASE, f"{SIZES} model.bounces", gained="layers", reshaped=EVERY),
    Run("ray_no_secondary_rays", BASE, "model.bounces"),
    Run("ray_two_bounces", BASE, "model.bounces"),
    Run("ray_no_estimates", BASE, "model.estimates"),
    Run("ray_scene_transformer", BASE, "model.scene_transformer", gained="context"),
    Run("ray_one_sample", BASE, "model.grid"),
    Run("ray_whole_images", BASE, "train.samples stream.rays stream.aim"),
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_each_changes_what_it_says(run):
    run.check()


def test_these_are_all():
    check_group(RUNS)


@pytest.mark.parametrize("name", ["ray_no_secondary_rays", "ray_two_bounces", "ray_no_estimates", "ray_one_sample"])
def test_what_has_the_same_parameters_computes_otherwise(name):
    assert computes_otherwise(name)


def test_it_trains_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_code:
        main(["train", "ray_tiny", "--scale", "tiny", "--cpu", "--train.samples", "640", "--out", "run"])
    assert exit_code.value.code == 0
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["steps"] == 40
    tests = [row["test_loss"] for row in read_metrics(tmp_path / "run/metrics.jsonl") if row.get("test_loss")]
    assert result["test_loss"] == tests[-1] < tests[0]
    with pytest.raises(SystemExit):
        main(["evaluate", "run"])
    assert "equivalent_spp" in capsys.readouterr().out


def test_the_shipped_size_is_the_full_recipes():
    shipped = Renderer.from_pretrained("ray-small").model.config
    assert replace(shipped, width=64) == EXPERIMENTS[BASE].make("full").model
