import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from data_folder import write_data_folder

from luxel import InputError
from luxel.experiments.experiment import EXPERIMENTS, with_data, with_stream, with_train
from luxel.experiments.run import run
from luxel.ledger.collect import collect, evaluated
from luxel.ledger.comparison import compare
from luxel.ledger.plan import finished_run, planned_runs
from luxel.train.run_folder import RunFolder, read_metrics


def test_a_second_call_goes_on_where_the_first_was_stopped(tmp_path: Path, monkeypatch):
    """Interrupted in the second run; the first is not touched again, the second ends."""
    monkeypatch.chdir(tmp_path)
    for name in ("standard_run", "tanh"):
        made = with_data(EXPERIMENTS[name].make("tiny"), count=64, spp=2)
        short = with_train(made, samples=256, checkpoint_every=5)
        monkeypatch.setitem(EXPERIMENTS, name, replace(EXPERIMENTS[name], make=lambda scale, short=short: short))
    runs = planned_runs(["standard_run", "tanh"], "tiny", 1)
    log, calls = RunFolder.log, []

    def stop_in_the_second(self, step, *args, **scalars):
        calls.append(step)
        if len(calls) == 16 + 12:
            raise KeyboardInterrupt
        log(self, step, *args, **scalars)

    monkeypatch.setattr(RunFolder, "log", stop_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        collect(runs, cpu=True)
    assert runs[0].folder.joinpath("record.json").exists()
    assert not runs[1].folder.joinpath("result.json").exists()
    made_of, wrong = collect(runs, cpu=True)
    records = list(made_of.values())
    assert not wrong
    assert [record.name for record in records] == ["standard_run", "tanh"]
    assert calls[16 + 12 :] == list(range(11, 17)), "from the second run's checkpoint at step 10 on"
    assert records[0].metrics["perceptual"] == pytest.approx(records[0].result["test_loss"], rel=1e-4)
    assert len(read_metrics(runs[1].folder / "metrics.jsonl")) == 16


def test_a_run_that_streams_needs_a_test_split_alone(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = with_data(EXPERIMENTS["standard_run"].make("tiny"), count=16)
    streaming = with_stream(with_train(made, samples=32, tests=1), spp=8)
    monkeypatch.setitem(EXPERIMENTS, "standard_run", replace(EXPERIMENTS["standard_run"], make=lambda scale: streaming))
    made_of, _ = collect(planned_runs(["standard_run"], "tiny", 1), cpu=True)
    (record,) = made_of.values()
    assert record.metrics["perceptual"] == pytest.approx(record.result["test_loss"], rel=1e-4)
    assert not list(tmp_path.glob("data/*/train-*"))


def test_runs_of_ones_own_are_taken_as_they_are(tmp_path: Path, monkeypatch):
    """By their folders, wherever these are; nothing is trained, and no experiment's record is made of them."""
    monkeypatch.chdir(tmp_path)
    experiment = with_train(with_data(EXPERIMENTS["standard_run"].make("tiny"), count=24, spp=2), samples=32, tests=1)
    run(with_train(experiment, seed=3), Path("mine"), write_data_folder(tmp_path / "data", experiment.data), cpu=True)
    before = (tmp_path / "mine" / "model" / "model.safetensors").stat().st_mtime_ns
    page, text = compare([Path("mine"), tmp_path / "mine"], "tiny", 1, tmp_path / "page", cpu=True)
    assert text.count("| mine | 1 | fp32 | 32 |") == 1
    assert text.count(f"| {tmp_path}/mine | 1 | fp32 | 32 |") == 1
    assert "reference 2 spp" in text
    assert "<img" in page.read_text()
    assert not any((tmp_path / "page" / "records").iterdir())
    assert (tmp_path / "mine" / "model" / "model.safetensors").stat().st_mtime_ns == before
    (tmp_path / "mine" / "result.json").unlink()
    with pytest.raises(InputError, match="mine: the run has not ended; repeat its `luxel train` command"):
        finished_run(Path("mine"))
    with pytest.raises(InputError, match=r"config\.json: cannot be read"):
        finished_run(tmp_path)


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory) -> Path:
    """A folder with the runs one, two and three, of 32 images each, and their data set; two has no record yet."""
    root = tmp_path_factory.mktemp("three")
    experiment = with_train(with_data(EXPERIMENTS["standard_run"].make("tiny"), count=24, spp=2), samples=32, tests=1)
    data = write_data_folder(root / "data", experiment.data)
    for seed, name in enumerate(("one", "two", "three")):
        run(with_train(experiment, seed=seed), root / name, data, cpu=True)
        if name != "two":
            evaluated(finished_run(root / name), cpu=True)
    return root


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


DAMAGES = {
    "result": ("result.json", lambda path: path.write_text('{"status": "done"}'), "status is 'done', must be"),
    "no result": ("result.json", Path.unlink, "no result: the run has not ended"),
    "config": ("config.json", lambda path: path.write_text("[]"), "config.json: its content is "),
    "data of config": ("config.json", lambda path: path.write_text('{"experiment": {}, "data": {}}'), "is missing"),
    "metrics": ("metrics.jsonl", lambda path: path.write_bytes(b"x" * (1 << 17)), "metrics.jsonl, line 1: has more"),
    "environment": ("environment.json", Path.unlink, "environment.json: cannot be read"),
    "weights": ("model/model.safetensors", shorten, "model.safetensors: cannot be read"),
    "place": ("data.json", lambda path: path.write_text("{}"), "data.json: folder is missing"),
}


def test_damaged_files_of_runs_do_not_hide_the_others(three_runs, tmp_path: Path):
    """Each in a run of its own, before, between and after two that are whole."""
    root = shutil.copytree(three_runs, tmp_path / "here")
    for name, (file, damage, _) in DAMAGES.items():
        damage(shutil.copytree(root / "two", root / name) / file)
    names = ["result", "one", *list(DAMAGES)[1:-1], "three", "place"]
    with pytest.raises(InputError) as error:
        compare([root / name for name in names], "tiny", 1, root / "page", cpu=True)
    *wrong, consequence = str(error.value).splitlines()
    assert len(wrong) == len(DAMAGES)
    for name, (_, _, message) in DAMAGES.items():
        (told,) = (line for line in wrong if line.startswith(str(root / name)))
        assert message in told
    assert consequence == f"{root}/page/index.html is without them"
    rows = (root / "page" / "comparison.md").read_text()
    assert [name for name in names if f"| {root / name} | 1 | fp32 | 32 |" in rows] == ["one", "three"]
    assert "<img" in (root / "page" / "index.html").read_text()


def test_weights_that_are_damaged_after_the_record_was_made_are_told(three_runs, tmp_path: Path):
    root = shutil.copytree(three_runs, tmp_path / "here")
    runs = [root / name for name in ("one", "two")]
    compare(runs, "tiny", 1, root / "page", cpu=True)
    shorten(root / "one" / "model" / "model.safetensors")
    with pytest.raises(InputError, match=r"one/model/model\.safetensors: cannot be read"):
        compare(runs, "tiny", 1, root / "page", cpu=True)
    assert "<img" in (root / "page" / "index.html").read_text()


def test_without_any_run_that_can_be_read_there_is_no_page(three_runs, tmp_path: Path):
    root = shutil.copytree(three_runs, tmp_path / "here")
    for name in ("one", "two"):
        (root / name / "result.json").write_text("null")
    with pytest.raises(InputError) as error:
        compare([root / "one", root / "two"], "tiny", 1, root / "page", cpu=True)
    lines = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == [f"{root}/{name}/result.json" for name in ("one", "two")]
    assert lines[-1] == f"{root}/page/index.html is not written"
    assert not (root / "page").exists()


def test_a_run_that_cannot_be_trained_does_not_keep_the_others_from_it(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("standard_run", "tanh"):
        short = with_train(with_data(EXPERIMENTS[name].make("tiny"), count=24, spp=2), samples=32, tests=1)
        entry = replace(EXPERIMENTS[name], make=lambda scale, short=short: short)
        monkeypatch.setitem(EXPERIMENTS, name, entry)
    bad, good = planned_runs(["standard_run", "tanh"], "tiny", 1)
    bad.folder.mkdir(parents=True)
    (bad.folder / "config.json").write_text("null")
    records, (wrong,) = collect([bad, good], cpu=True)
    assert list(records) == [good]
    assert str(wrong).startswith(f"{bad.folder}/config.json: its content is None")
