from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_folder import SETTINGS, write_data_folder
from safetensors.torch import load_file

from luxel import InputError
from luxel.data.dataset import ShardDataset
from luxel.data.generate import generate
from luxel.data.manifest import DataError
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import (
    with_data,
    with_distribution,
    with_model,
    with_optim,
    with_stream,
    with_train,
)
from luxel.experiments.folders import data_folder
from luxel.experiments.run import Start, run
from luxel.experiments.run_config import experiment_of
from luxel.files.atomic import LOCK, only_one
from luxel.files.typed_json import read_json, write_json
from luxel.models.pretrained import WEIGHTS
from luxel.scene import DISTRIBUTIONS
from luxel.train.run_folder import RunFolderError

TINY = EXPERIMENTS["standard_run"].make("tiny")
QUICK = replace(TINY, train=replace(TINY.train, samples=64, tests=1))


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """A folder to run in, so that a data set which many experiments share is traced once."""
    return tmp_path_factory.mktemp("shared")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_trains_on_traced_scenes(name, shared: Path, monkeypatch):
    """Two steps on traced scenes; the same call again finds the run finished."""
    monkeypatch.chdir(shared)
    tiny = EXPERIMENTS[name].make("tiny")
    data = replace(tiny.data, count=tiny.data.count // 24, spp=2, test_share=0.5)
    quick = replace(tiny, data=data, train=replace(tiny.train, samples=8, batch_size=4, tests=1))
    result = run(quick, Path(name), cpu=True)
    assert result["status"] == "finished"
    assert result["steps"] == 2
    assert experiment_of(Path(name)) == quick
    assert (data_folder(data) / "manifest.json").exists()
    assert run(quick, Path(name), cpu=True) == result


def test_the_loser_of_a_race_for_a_folder_is_told_so(tmp_path: Path, sixteen):
    """Before it has written anything."""
    with only_one(tmp_path / "run"), pytest.raises(InputError, match="run: another process is writing to it"):
        run(QUICK, tmp_path / "run", sixteen, cpu=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]


def test_the_run_remembers_which_data_it_saw(tmp_path: Path):
    data = write_data_folder(tmp_path / "data", replace(SETTINGS, width=16, height=16))
    run(QUICK, tmp_path / "run", data, cpu=True)
    recorded = read_json(tmp_path / "run" / "config.json")["data"]
    assert recorded["seed"] == SETTINGS.seed
    assert len(recorded["test_set"]) == 64
    other = write_data_folder(tmp_path / "other", replace(SETTINGS, width=16, height=16, seed=4))
    with pytest.raises(RunFolderError, match=r"data\.seed: 3 there, 4 now"):
        run(QUICK, tmp_path / "run", other, cpu=True)


def test_images_of_another_size_are_refused(tmp_path: Path):
    data = write_data_folder(tmp_path / "data")
    with pytest.raises(DataError, match="its images are 7×5, the model's 16×16"):
        run(QUICK, tmp_path / "run", data, cpu=True)
    assert not (tmp_path / "run").exists()


def test_a_run_streams_and_is_tested_as_its_data_set_would_be(tmp_path: Path, monkeypatch):
    """It prepares the test split alone, which the whole set then goes on from; other settings are another run's."""
    monkeypatch.chdir(tmp_path)
    data = with_data(QUICK, count=16, spp=8, test_share=0.5)
    streamed = with_stream(with_train(data, samples=32, batch_size=8))
    result = run(streamed, Path("run"), cpu=True)
    assert result["status"] == "finished"
    assert result["samples"] == 32
    assert experiment_of(Path("run")) == streamed
    folder, tested = data_folder(data.data), read_json(Path("run/config.json"))["data"]["test_set"]
    assert not list(folder.glob("train-*"))
    assert run(streamed, Path("run"), cpu=True) == result
    with pytest.raises(RunFolderError, match=r"experiment\.stream\.spp: None there, 9 now"):
        run(with_stream(streamed, spp=9), Path("run"), cpu=True)
    with pytest.raises(RunFolderError, match=r"experiment\.stream: \{.*\} there, None now"):
        run(replace(streamed, stream=None), Path("run"), cpu=True)
    generate(data.data, folder, progress=False)
    assert ShardDataset(folder, "test").content_hash == tested


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (with_stream(QUICK, rays=64), r"stream\.rays is 64, but the network makes whole images"),
        (with_stream(QUICK, spp=3), r"train\.loss is perceptual.*3 spp: take 4 spp or more.*weighted_l2"),
        (with_stream(with_train(QUICK, loss="log1p_l1")), "train.loss is log1p_l1.*16 spp: take 64"),
    ],
)
def test_a_stream_that_does_not_suit_is_refused_before_anything_is_traced(tmp_path: Path, monkeypatch, made, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        run(made, Path("run"), cpu=True)
    assert not any(tmp_path.iterdir())


def test_a_biased_loss_on_shards_is_said(tmp_path: Path, capsys):
    """Not refused: the log's runs are what they were."""
    data = write_data_folder(tmp_path / "data", replace(SETTINGS, width=16, height=16))
    run(QUICK, tmp_path / "run", data, cpu=True)
    assert "train.loss is perceptual, whose minimum is off the mean under noise" in capsys.readouterr().err


FORMER = [("mitsuba", "mitsuba"), ("torch", "path"), ("torch_compiled", "path"), (None, "mitsuba")]
"""What configurations of earlier versions called the tracer, or did not, and what that is today."""


@pytest.mark.parametrize(("then", "now"), FORMER)
def test_a_run_folder_of_an_earlier_version_is_gone_on_with(tmp_path: Path, then, now):
    """Its stream said how the tracer was compiled, its data set how tokens were laid out."""
    data = write_data_folder(tmp_path / "data", replace(SETTINGS, width=16, height=16))
    made = with_stream(with_data(QUICK, tracer=now), spp=8)
    made = with_train(made, samples=32, batch_size=8, checkpoint_every=1)
    result = run(made, tmp_path / "run", data, cpu=True)
    (tmp_path / "run" / "result.json").unlink()
    config = read_json(tmp_path / "run" / "config.json")
    config["experiment"]["data"]["tracer"] = then
    if then is None:
        del config["experiment"]["data"]["tracer"]
    config["experiment"]["stream"]["compiled"] = False
    del config["experiment"]["data"]["val_share"]
    config["data"]["token_layout"] = "center:3"
    write_json(tmp_path / "run" / "config.json", config)
    assert experiment_of(tmp_path / "run") == made
    assert run(made, tmp_path / "run", data, cpu=True)["test_loss"] == result["test_loss"]


def test_a_ray_models_geometry_is_not_halved(tmp_path):
    halved = with_train(EXPERIMENTS["ray_tiny"].make("tiny"), precision="fp16-o2")
    with pytest.raises(InputError, match=r"train\.precision is fp16-o2.*take fp16-o1 or bf16"):
        run(halved, tmp_path / "run", cpu=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["standard_run", "ray_small"])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_any_experiment_may_stream_any_distribution(name, distribution):
    made = with_distribution(EXPERIMENTS[name].make("tiny"), distribution)
    assert made.data.distribution.name == distribution
    assert made.data.distribution.max_objects == EXPERIMENTS[name].make("tiny").data.distribution.max_objects


def test_fine_tuning_begins_with_trained_weights(tmp_path: Path, sixteen):
    """A run of no step is what it began with; of another network it is refused, and the folder tells runs apart."""
    experiment = with_train(TINY, samples=16, batch_size=8, tests=1)
    run(experiment, tmp_path / "first", sixteen)
    still = with_optim(experiment, learning_rate=1e-30)
    run(still, tmp_path / "second", sixteen, start=Start(tmp_path / "first" / "model"))
    first, second = (load_file(tmp_path / name / "model" / WEIGHTS) for name in ("first", "second"))
    weights = [name for name in first if "running" not in name and "num_batches" not in name]
    assert weights
    assert all(torch.equal(first[name], second[name]) for name in weights)
    with pytest.raises(RunFolderError, match="start: None there"):
        run(still, tmp_path / "first", sixteen, start=Start(tmp_path / "first" / "model"))
    wider = with_model(experiment, seq_width=2 * experiment.image_model.seq_width)
    width = experiment.image_model.seq_width
    differing = rf"model\.seq_width is {width} there, {2 * width} here; train its own .*--model options"
    with pytest.raises(InputError, match=rf"its network has other layers than the one to be trained: {differing}"):
        run(wider, tmp_path / "third", sixteen, start=Start(tmp_path / "first" / "model"))
