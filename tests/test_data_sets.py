"""What `--data` names: data sets, folders of scenes traced as needed, a run's own data."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from data_folder import write_data_folder

from luxel import InputError
from luxel.data import generate as generation
from luxel.data.dataset import ShardDataset
from luxel.data.manifest import DataError
from luxel.experiments import EXPERIMENTS, data_sets
from luxel.experiments.data_sets import PLACE, data_of, evaluation_set, is_run, training_set
from luxel.experiments.experiment import with_data, with_train
from luxel.experiments.run import run
from luxel.models.image_model import ImageModelConfig
from luxel.models.ray_model import RayModelConfig
from luxel.scene import Spheres

RAY, IMAGE = RayModelConfig(width=8), EXPERIMENTS["standard_run"].make("tiny").model
SCENES = 9
NONE = Path("a-model")


def evaluated_on(*arguments, **asked) -> Path:
    return evaluation_set(*arguments, **asked).traced()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def scenes(tmp_path) -> Path:
    path = tmp_path / "my[1]scenes"  # which glob would take for a pattern
    path.mkdir()
    for index in range(SCENES):
        Spheres(max_objects=3)(0, index).save(path / f"{index}.json")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of two steps on a data set that it was given."""
    root = tmp_path_factory.mktemp("trained")
    made = EXPERIMENTS["standard_run"].make("tiny")
    experiment = with_train(with_data(made, count=24, spp=2, test_share=0.5), samples=32, tests=1)
    run(experiment, root / "run", write_data_folder(root / "data", experiment.data), cpu=True)
    return root / "run"


def test_a_folder_of_scenes_is_traced_beside_it_once(scenes, monkeypatch):
    data = evaluated_on(NONE, RAY, f"scenes:{scenes}", width=5, height=3, spp=4)
    assert data.parent == scenes.parent
    assert data.name.startswith(f"{scenes.name}-5x3-4spp-{SCENES}-")
    test = ShardDataset(data, "test")
    assert len(test) == SCENES
    assert test.scene(4) == Spheres(max_objects=3)(0, 4)
    monkeypatch.setattr(generation, "write_shard", None)
    assert evaluated_on(NONE, RAY, f"scenes:{scenes}", width=5, height=3, spp=4) == data


def test_an_interrupted_trace_is_gone_on_with(scenes, monkeypatch):
    asked = {"width": 3, "height": None, "spp": 2}
    whole, write_shard, calls = evaluated_on(NONE, RAY, f"scenes:{scenes}", **asked), generation.write_shard, []
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    shutil.rmtree(whole)

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return write_shard(*arguments)

    monkeypatch.setattr(generation, "write_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluated_on(NONE, RAY, f"scenes:{scenes}", **asked)
    assert evaluated_on(NONE, RAY, f"scenes:{scenes}", **asked) == whole
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == before


def test_without_a_size_it_is_the_models(scenes):
    data = evaluated_on(NONE, RAY, f"scenes:{scenes}", width=None, height=None, spp=2)
    assert ShardDataset(data, "test").batch([0]).radiance.shape == (1, 8, 8, 3)


def test_a_ray_model_without_data_has_unseen_scenes(monkeypatch):
    monkeypatch.setattr(data_sets, "UNSEEN", replace(data_sets.UNSEEN, count=3))
    data = evaluated_on(NONE, RAY, None, width=None, height=4, spp=2)
    assert data.as_posix().startswith("data/mixed-4x4-2spp-3-")
    assert ShardDataset(data, "test").scene(1) == data_sets.UNSEEN.scene(1)


def test_what_is_to_be_traced_is_told_before(scenes, monkeypatch, capsys):
    """And that it is of the test split, with how many there are."""
    monkeypatch.setattr(data_sets, "UNSEEN", replace(data_sets.UNSEEN, count=3))
    chosen = evaluation_set(NONE, RAY, None, width=None, height=4, spp=2)
    what = "3 unseen scenes of mixed, as no --data was given, 4×4, 2 spp"
    assert str(chosen) == f"{what}, traced now, once: {chosen.folder}"
    assert not chosen.folder.exists()
    chosen.traced()
    assert str(chosen) == f"{what}, traced already: {chosen.folder}"
    told = capsys.readouterr().err
    assert "tracing test images:" in told
    assert "3/3" in told
    assert "train" not in told
    chosen = evaluation_set(NONE, RAY, f"scenes:{scenes}", width=5, height=3, spp=4)
    assert str(chosen).startswith(f"{SCENES} scenes of {scenes}, 5×3, 4 spp, traced now, once: ")
    assert str(evaluation_set(NONE, RAY, "some/where")) == "some/where"


def test_a_data_set_is_taken_as_it_is(tmp_path):
    assert evaluated_on(NONE, RAY, "some/where") == Path("some/where")
    with pytest.raises(InputError, match="width is 9, but some/where is traced already; leave it out"):
        evaluated_on(NONE, RAY, "some/where", width=9)


def test_an_image_model_has_one_size_and_no_default(scenes):
    assert isinstance(IMAGE, ImageModelConfig)
    with pytest.raises(InputError, match="a-model does not say what it was tested on; give --data DIR"):
        evaluated_on(NONE, IMAGE, None)
    with pytest.raises(InputError, match="width is 9 and height is 9, but this model renders 16×16 alone"):
        evaluated_on(NONE, IMAGE, f"scenes:{scenes}", width=9)


def test_a_run_knows_its_data(trained, tmp_path):
    assert is_run(trained)
    assert not is_run(trained / "model")
    assert evaluated_on(trained, IMAGE, None) == data_of(trained) == trained.parent / "data"
    moved = Path(shutil.copytree(trained, tmp_path / "moved"))
    (moved / PLACE).write_text('{"folder": "gone"}')
    with pytest.raises(DataError, match=r"moved: its data set is not in gone nor in data/.*; give it with --data"):
        data_of(moved)
    (moved / PLACE).unlink()  # as in runs of earlier versions
    shutil.copytree(trained.parent / "data", str(data_sets.data_folder(data_sets.experiment_of(moved).data)))
    assert data_of(moved).parent == Path("data")


def test_training_takes_scenes_by_their_ids(scenes):
    settings = replace(EXPERIMENTS["standard_run"].make("tiny").data, width=4, height=4, spp=2, test_share=0.5)
    data = training_set(f"scenes:{scenes}", settings)
    train, test = (ShardDataset(data, split) for split in ("train", "test"))
    assert len(train) + len(test) == SCENES
    assert train.manifest.settings["spp"] == 2
    assert training_set("a/folder", settings) == Path("a/folder")


def test_several_processes_do_not_trace_the_same_scenes(scenes, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match=r"make it first, `luxel generate scenes:.* --out DIR`"):
        training_set(f"scenes:{scenes}", EXPERIMENTS["standard_run"].make("tiny").data)
