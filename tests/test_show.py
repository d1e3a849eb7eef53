import json
from pathlib import Path

import pytest
from records import result

from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_schedule, with_train
from luxel.experiments.folders import run_folder
from luxel.experiments.show import COLUMNS, ROWS, list_experiments, plot_rate, show_experiment
from luxel.files.typed_json import write_json
from luxel.models.image_model import ImageModel

TANH = EXPERIMENTS["tanh"].make("small")


def test_the_list_is_in_the_logs_order(tmp_path: Path):
    groups = [line for line in list_experiments(tmp_path).splitlines() if line and not line.startswith(" ")]
    assert groups == ["spheres_initial", *sorted(g for g in groups if g[0] == "2"), "to_try", "scaling", "luxel", "ray"]
    assert len(groups) == len({entry.group for entry in EXPERIMENTS.values()})


def test_the_list_has_every_experiment_under_its_group(tmp_path: Path):
    lines = list_experiments(tmp_path).splitlines()
    for name, entry in EXPERIMENTS.items():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert entry.summary in line
        assert entry.date in line
        groups = [other for other in lines[: lines.index(line)] if other and not other.startswith(" ")]
        assert groups[-1] == entry.group


def test_the_list_calls_diverged_runs_so(tmp_path: Path):
    ended = result(test_loss=0.0125)
    broken = result("loss scale collapsed", test_loss=None)
    write_json(tmp_path / run_folder("tanh", "small", TANH).relative_to("runs") / "result.json", ended)
    write_json(
        tmp_path / run_folder("tanh", "small", with_train(TANH, seed=2)).relative_to("runs") / "result.json", broken
    )
    lines = list_experiments(tmp_path).splitlines()
    index = next(i for i, line in enumerate(lines) if line.split()[:1] == ["tanh"])
    assert [line.strip() for line in lines[index + 1 : index + 3]] == [
        "→ small: finished, test loss 1.25e-02",
        "→ small-seed2: diverged (loss scale collapsed), no test loss",
    ]


def test_a_damaged_result_does_not_hide_the_others(tmp_path: Path):
    folders = [
        tmp_path / run_folder("tanh", "small", with_train(TANH, seed=seed)).relative_to("runs") for seed in (0, 1)
    ]
    write_json(folders[0] / "result.json", {"status": "finished", "diagnosis": None})
    write_json(folders[1] / "result.json", result())
    lines = [line.strip() for line in list_experiments(tmp_path).splitlines() if "→ small" in line]
    assert lines[0].startswith(f"→ small: {folders[0]}/result.json: events is missing (and 9 more); delete it")
    assert lines[1] == "→ small-seed1: finished, test loss 1.00e-02"


def test_runs_of_ones_own_are_listed_by_their_paths(tmp_path: Path):
    """At any depth, or given themselves; a model's folder is none, and one that is damaged hides no other."""
    for name in ("runs/mine", "elsewhere/deep/er", "runs/damaged"):
        write_json(tmp_path / name / "config.json", {})
        write_json(tmp_path / name / "model" / "config.json", {})
        write_json(tmp_path / name / "result.json", result() if name != "runs/damaged" else {})
    write_json(tmp_path / "runs" / "begun" / "config.json", {})
    write_json(tmp_path / "runs" / "saved" / "config.json", {})
    (tmp_path / "runs" / "saved" / "model.safetensors").touch()
    lines = list_experiments(tmp_path / "runs", tmp_path / "elsewhere" / "deep" / "er").splitlines()
    others = lines[lines.index("other runs") + 1 :]
    assert others[0] == f"  {tmp_path}/runs/begun: has not ended"
    assert others[1].startswith(f"  {tmp_path}/runs/damaged: {tmp_path}/runs/damaged/result.json: status is missing")
    assert others[2:] == [
        f"  {tmp_path}/runs/mine: finished, test loss 1.00e-02",
        f"  {tmp_path}/elsewhere/deep/er: finished, test loss 1.00e-02",
    ]


def test_one_experiment_in_full():
    entry = EXPERIMENTS["just_image_to_seq"]
    text = show_experiment(entry, "tiny")
    start, end = text.index("{"), text.index("\n\ndiffers from")
    assert json.loads(text[start:end]) == entry.make("tiny").to_json()
    assert "differs from standard_run in\n  model.image_to_seq: None → " in text
    assert "learning rate" in text
    parameters = sum(parameter.numel() for parameter in ImageModel(entry.make("tiny").model).parameters())
    total = text.splitlines()[-1].split()
    assert total[0] == "total"
    assert int(total[1].replace(",", "")) == parameters


def heights(shape: str) -> list[float]:
    """The plotted rate of each column, in rows."""
    config = with_schedule(EXPERIMENTS["standard_run"].make("full"), shape=shape).train
    rows = [line[12:].ljust(COLUMNS) for line in plot_rate(config).splitlines()[1 : ROWS + 1]]
    return [sum(" ▁▂▃▄▅▆▇█".index(row[column]) / 8 for row in rows) for column in range(COLUMNS)]


@pytest.mark.parametrize("shape", ["cosine", "stable_decay", "constant", "piecewise"])
def test_the_plot_is_the_schedule(shape):
    config = with_schedule(EXPERIMENTS["standard_run"].make("full"), shape=shape).train
    for column, height in enumerate(heights(shape)):
        multiple = config.optim.schedule((column + 0.5) / COLUMNS)
        assert height / ROWS == pytest.approx(multiple, abs=0.04)
