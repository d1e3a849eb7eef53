from dataclasses import replace
from pathlib import Path

import pytest
from data_folder import write_data_folder

from luxel import InputError
from luxel.experiments.experiment import EXPERIMENTS, with_data, with_stream, with_train
from luxel.experiments.run import run
from luxel.ledger.collect import Planned, collect, made, planned
from luxel.ledger.comparison import compare
from luxel.train.run_folder import RunFolder, read_metrics


def test_whole_comparisons_come_first():
    runs = planned(["tanh", "use_exp", "tanh"], "tiny", 2)
    assert [(run.name, run.seed) for run in runs] == [("tanh", 0), ("use_exp", 0), ("tanh", 1), ("use_exp", 1)]


def test_a_seed_changes_weights_and_order_but_not_the_data():
    one, two = Planned("tanh", "tiny", 0), Planned("tanh", "tiny", 1)
    assert one.experiment == EXPERIMENTS["tanh"].make("tiny")
    assert two.experiment.train.seed == 1
    assert one.data == two.data
    assert one.folder != two.folder


def test_a_second_call_goes_on_where_the_first_was_stopped(tmp_path: Path, monkeypatch):
    """Interrupted in the second run; the first is not touched again, the second ends."""
    monkeypatch.chdir(tmp_path)
    for name in ("standard_run", "tanh"):
        make = EXPERIMENTS[name].make
        entry = replace(EXPERIMENTS[name], make=lambda scale, make=make: with_train(make(scale), checkpoint_every=10))
        monkeypatch.setitem(EXPERIMENTS, name, entry)
    runs = planned(["standard_run", "tanh"], "tiny", 1)
    log, calls = RunFolder.log, []

    def stop_in_the_second(self, step, *args, **scalars):
        calls.append(step)
        if len(calls) == 48 + 35:
            raise KeyboardInterrupt
        log(self, step, *args, **scalars)

    monkeypatch.setattr(RunFolder, "log", stop_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        collect(runs, cpu=True)
    assert runs[0].folder.joinpath("record.json").exists()
    assert not runs[1].folder.joinpath("result.json").exists()
    records = collect(runs, cpu=True)
    assert [record.name for record in records] == ["standard_run", "tanh"]
    assert calls[48 + 35 :] == list(range(31, 49)), "from the second run's checkpoint at step 30 on"
    assert records[0].metrics["perceptual"] == pytest.approx(records[0].result["test_loss"], rel=1e-4)
    assert len(read_metrics(runs[1].folder / "metrics.jsonl")) == 48


def test_a_run_that_streams_needs_a_test_split_alone(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = with_data(EXPERIMENTS["standard_run"].make("tiny"), count=16)
    streaming = with_stream(with_train(made, samples=32, tests=1), spp=8)
    monkeypatch.setitem(EXPERIMENTS, "standard_run", replace(EXPERIMENTS["standard_run"], make=lambda scale: streaming))
    (record,) = collect(planned(["standard_run"], "tiny", 1), cpu=True)
    assert record.metrics["perceptual"] == pytest.approx(record.result["test_loss"], rel=1e-4)
    assert not list(tmp_path.glob("data/*/train-*"))


def test_runs_of_ones_own_are_taken_as_they_are(tmp_path: Path, monkeypatch):
    """By their folders, wherever these are; nothing is trained, and no experiment's record is made of them."""
    monkeypatch.chdir(tmp_path)
    experiment = with_train(with_data(EXPERIMENTS["standard_run"].make("tiny"), count=24, spp=2), samples=32, tests=1)
    run(with_train(experiment, seed=3), Path("mine"), write_data_folder(tmp_path / "data", experiment.data), cpu=True)
    before = (tmp_path / "mine" / "model" / "model.safetensors").stat().st_mtime_ns
    page, text = compare([Path("mine"), tmp_path / "mine"], "tiny", 1, tmp_path / "page", cpu=True)
    assert text.count("| mine | 1 | 32 |") == 1
    assert text.count(f"| {tmp_path}/mine | 1 | 32 |") == 1
    assert "reference 2 spp" in text
    assert "<img" in page.read_text()
    assert not any((tmp_path / "page" / "records").iterdir())
    assert (tmp_path / "mine" / "model" / "model.safetensors").stat().st_mtime_ns == before
    (tmp_path / "mine" / "result.json").unlink()
    with pytest.raises(InputError, match="mine: the run has not ended; repeat its `luxel train` command"):
        made(Path("mine"))
    with pytest.raises(InputError, match=r"config\.json: cannot be read"):
        made(tmp_path)
