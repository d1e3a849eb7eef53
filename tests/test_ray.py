"""What each idea of the ray model adds to it, and that it learns."""

import json
from dataclasses import replace

import pytest
from ablation import SCALES, Run, check_group, computes_otherwise

from luxel.cli import main
from luxel.experiments import EXPERIMENTS
from luxel.models.gather_points import PATTERNS_OF_TILE
from luxel.pipeline import Renderer
from luxel.scene import Varied
from luxel.train.run_folder import read_metrics

BASE = "ray_small"
EVERY = "point channel layers head"
RAYS = "model.light_rays model.diffuse_rays model.glossy_rays"
RUNS = [
    Run("ray_tiny", BASE, "model.hidden", reshaped=EVERY),
    Run("ray_base", BASE, f"model.hidden model.layers {RAYS}", gained="layers", reshaped=EVERY),
    Run("ray_no_sampled_visibility", BASE, "model.occlusion"),
    Run("ray_no_filter", BASE, "model.filtering"),
    Run("ray_no_chains", BASE, "model.chains"),
    Run("ray_one_bounce", BASE, "model.bounces"),
    Run("ray_one_sample", BASE, "model.pixel_rays"),
    Run("ray_single_rays", BASE, "stream.rays stream.aim"),
]
VARIED = Run("ray_varied", BASE, "")


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_each_changes_what_it_says(run):
    run.check()


def test_these_are_all():
    check_group([*RUNS, VARIED])


@pytest.mark.parametrize("scale", SCALES)
def test_another_distribution_is_all_that_ray_varied_changes(scale):
    """The same number of scenes, as its test set is made of its own."""
    base, made = (EXPERIMENTS[name].make(scale) for name in (BASE, VARIED.name))
    assert made.data.distribution == Varied()
    assert replace(made, data=replace(made.data, distribution=base.data.distribution)) == base
    assert EXPERIMENTS[VARIED.name].base == BASE


@pytest.mark.parametrize("scale", SCALES)
def test_single_rays_are_as_many_as_a_pictures_tiles(scale):
    """A ray gathers for 16 pixels."""
    made = EXPERIMENTS["ray_single_rays"].make(scale)
    assert made.stream.rays * PATTERNS_OF_TILE == made.data.width * made.data.height


SAME_PARAMETERS = [run.name for run in RUNS if run.fields.startswith("model") and not run.reshaped]


@pytest.mark.parametrize("name", SAME_PARAMETERS)
def test_what_has_the_same_parameters_computes_otherwise(name):
    assert computes_otherwise(name)


def test_it_trains_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_code:
        main(["train", "ray_tiny", "--scale", "tiny", "--cpu", "--train.samples", "320", "--out", "run"])
    assert exit_code.value.code == 0
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["steps"] == 20
    tests = [row["test_loss"] for row in read_metrics(tmp_path / "run/metrics.jsonl") if row.get("test_loss")]
    assert result["test_loss"] == tests[-1] < tests[0]
    with pytest.raises(SystemExit):
        main(["evaluate", "run"])
    assert "equivalent_spp" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["ray-small", "ray-base"])
def test_the_shipped_sizes_are_the_full_recipes(name):
    """But for the pictures' width, which is no part of the network."""
    shipped = Renderer.from_pretrained(name).model.config
    made = EXPERIMENTS[name.replace("-", "_")].make("full").model
    assert replace(shipped, width=made.width) == made
