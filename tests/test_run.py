from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_folder import SETTINGS, write_data_folder
from records import DATA, ENVIRONMENT
from safetensors.torch import load_file

from luxel import InputError
from luxel.data.dataset import ShardDataset
from luxel.data.generate import generate
from luxel.data.manifest import DataError, Manifest
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import (
    Experiment,
    with_data,
    with_distribution,
    with_model,
    with_optim,
    with_schedule,
    with_stream,
    with_train,
)
from luxel.experiments.run import cooldown, data_folder, experiment_of, run, run_folder
from luxel.files.atomic import LOCK, only_one
from luxel.files.typed_json import read_json, write_json
from luxel.models.pretrained import WEIGHTS
from luxel.pipeline import SHIPPED
from luxel.scene import DISTRIBUTIONS
from luxel.train.run_folder import RunFolderError, read_metrics

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
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    with only_one(tmp_path / "end"), pytest.raises(InputError, match="end: another process is writing to it"):
        cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)


def test_a_run_folder_of_another_version_is_one_line_with_the_remedy(tmp_path: Path):
    config = {"experiment": TINY.to_json(), "data": DATA}
    config["experiment"]["model"]["point_width"] = 3
    write_json(tmp_path / "config.json", config)
    message = (
        r"config\.json: model\.point_width is not a field of this version; train again with this version, or install "
    )
    with pytest.raises(RunFolderError, match=message + "the version of Luxel, which made it"):
        experiment_of(tmp_path)
    write_json(tmp_path / "environment.json", {**ENVIRONMENT, "commit": "0123456789abcdef"})
    with pytest.raises(RunFolderError, match=message + r"luxel 0\.0\.9 of commit 0123456789ab, which made it"):
        experiment_of(tmp_path)


WRONG = [
    (lambda config: [1, 2], r"its content is \[1, 2\]"),
    (lambda config: None, "its content is None"),
    (lambda config: {**config, "experiment": 3}, "experiment is 3"),
    (lambda config: {"experiment": config["experiment"]}, "data is missing"),
    (lambda config: {**config, "experiment": {**config["experiment"], "train": {}}}, r"train\.samples is missing"),
    (lambda config: {**config, "experiment": {**config["experiment"], "data": "x"}}, "data is 'x'"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_damaged_configuration_is_one_line(tmp_path: Path, change, message):
    write_json(tmp_path / "config.json", change({"experiment": TINY.to_json(), "data": DATA}))
    with pytest.raises(RunFolderError, match=rf"config\.json: {message}") as error:
        experiment_of(tmp_path)
    assert "\n" not in str(error.value)


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


def test_other_settings_live_in_another_folder():
    assert data_folder(TINY.data) == data_folder(TINY.data)
    assert data_folder(TINY.data) != data_folder(replace(TINY.data, seed=1))


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"config\.json: cannot be read.*not the configuration of a run"):
        experiment_of(tmp_path)


def test_a_data_set_is_found_where_an_earlier_version_or_another_device_made_it(tmp_path: Path, monkeypatch):
    """A folder's name depends on all that its manifest says; images of another device must all be there."""
    monkeypatch.chdir(tmp_path)
    where = data_folder(SETTINGS)
    assert data_folder(SETTINGS) == where
    former = write_data_folder(where.with_name(where.name[:-8] + "0a1b2c3d"))
    assert data_folder(SETTINGS) == former
    assert data_folder(replace(SETTINGS, seed=4)) != former, "which has the same name but for the hash"
    manifest = Manifest.load(former)
    version = str(manifest.settings["renderer"]).rpartition(" ")[0]
    other = {**manifest.settings, "renderer": f"{version} elsewhere"}
    replace(manifest, settings=other).save(former)
    assert data_folder(SETTINGS) == former
    replace(manifest, settings=other, shards=manifest.shards[1:]).save(former)
    assert data_folder(SETTINGS) == where


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
    config["data"]["token_layout"] = "center:3"
    write_json(tmp_path / "run" / "config.json", config)
    assert experiment_of(tmp_path / "run") == made
    assert run(made, tmp_path / "run", data, cpu=True)["test_loss"] == result["test_loss"]


def test_a_run_has_a_folder_by_scale_seed_and_change():
    tanh = EXPERIMENTS["tanh"].make("tiny")
    assert run_folder("tanh", "tiny", tanh) == Path("runs/2020-05-30/tanh-tiny")
    assert run_folder("tanh", "tiny", with_train(tanh, seed=2)) == Path("runs/2020-05-30/tanh-tiny-seed2")
    slower, faster = (run_folder("tanh", "tiny", with_optim(tanh, lr_multiplier=factor)) for factor in (0.5, 2.0))
    assert slower.name.startswith("tanh-tiny-changed-")
    assert slower != faster
    assert run_folder("tanh", "tiny", tanh, SHIPPED / "ray-small").name.startswith("tanh-tiny-from-")


@pytest.fixture(scope="module")
def sixteen(tmp_path_factory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("data") / "data", replace(SETTINGS, width=16, height=16))


def scheduled(**changes) -> Experiment:
    """Twelve steps of 8, a checkpoint at each."""
    return with_schedule(with_train(TINY, samples=96, batch_size=8, tests=1, checkpoint_every=1), **changes)


@pytest.mark.parametrize(("shape", "begun"), [("constant", 12), ("stable_decay", 9)])
def test_a_cooldown_goes_on_from_the_stable_phase(tmp_path: Path, sixteen, shape, begun):
    """The branch's rate is the parent's where it begins, then falls in a straight line to 0."""
    parent = scheduled(shape=shape, warmup=0.25, decay=0.25)
    run(parent, tmp_path / "parent", sixteen, cpu=True)
    result = cooldown(tmp_path / "parent", 32, tmp_path / "end", sixteen, cpu=True)
    assert result["steps"] == begun + 4
    rows = read_metrics(tmp_path / "end" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [begun + i for i in (1, 2, 3, 4)]
    peak = parent.train.optim.peak_rate(8)
    assert [row["rate"] for row in rows] == pytest.approx([peak * share for share in (0.75, 0.5, 0.25, 0.0)])


def test_a_cooldown_of_the_same_length_is_the_run_itself(tmp_path: Path, sixteen):
    """Branching off a stable_decay run, over as many images as it decayed, ends with its weights to the bit."""
    run(scheduled(shape="stable_decay", warmup=0.25, decay=0.25), tmp_path / "parent", sixteen, cpu=True)
    cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
    parent, end = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("parent", "end"))
    torch.testing.assert_close(end, parent, rtol=0, atol=0)


def test_a_cooldown_goes_on_although_its_parent_has_trained_on(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    result = cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
    (tmp_path / "end" / "result.json").unlink()
    (tmp_path / "parent" / "checkpoint.safetensors").write_bytes(b"later")
    assert cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)["test_loss"] == result["test_loss"]


def test_a_cooldown_learns_from_its_parents_data(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    other = write_data_folder(tmp_path / "other", replace(SETTINGS, width=16, height=16, seed=4))
    for data in (None, other):
        with pytest.raises(DataError, match="was trained on other data than"):
            cooldown(tmp_path / "parent", 24, tmp_path / "end", data, cpu=True)
    assert not (tmp_path / "end").exists()


def test_a_cooldown_does_not_go_into_another_run(tmp_path: Path, sixteen):
    run(scheduled(shape="constant"), tmp_path / "parent", sixteen, cpu=True)
    with pytest.raises(RunFolderError, match="holds a run that is not a branch"):
        cooldown(tmp_path / "parent", 24, tmp_path / "parent", sixteen, cpu=True)


def test_a_run_without_a_stable_phase_has_no_cooldown(tmp_path: Path, sixteen):
    run(scheduled(shape="cosine"), tmp_path / "parent", sixteen, cpu=True)
    with pytest.raises(RunFolderError, match=r"no checkpoint in a stable phase .* its schedule is cosine"):
        cooldown(tmp_path / "parent", 24, tmp_path / "end", sixteen, cpu=True)
    assert not (tmp_path / "end").exists()


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
    run(still, tmp_path / "second", sixteen, start=tmp_path / "first" / "model")
    first, second = (load_file(tmp_path / name / "model" / WEIGHTS) for name in ("first", "second"))
    weights = [name for name in first if "running" not in name and "num_batches" not in name]
    assert weights
    assert all(torch.equal(first[name], second[name]) for name in weights)
    with pytest.raises(RunFolderError, match="start: None there"):
        run(still, tmp_path / "first", sixteen, start=tmp_path / "first" / "model")
    wider = with_model(experiment, seq_width=2 * experiment.image_model.seq_width)
    with pytest.raises(InputError, match=r"its network has other layers .*--model options"):
        run(wider, tmp_path / "third", sixteen, start=tmp_path / "first" / "model")
