from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_folder import write_data_folder
from safetensors.torch import load_file

from luxel import InputError
from luxel.core.fragments import visible_fragments
from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.data.batches import ShardSource
from luxel.data.dataset import Batch, ShardDataset
from luxel.data.generate_settings import GenerateSettings
from luxel.experiments import EXPERIMENTS
from luxel.experiments.cooldown import BRANCH, cooldown
from luxel.experiments.experiment import with_schedule, with_train
from luxel.experiments.requirements import check_memory, check_points
from luxel.experiments.run import Start, run
from luxel.models.estimates import POINT_FEATURES, Measured
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.scene import Camera, Composed, Scene, Sphere
from luxel.train import measured_points as module
from luxel.train.measured_points import FOLDER, Points, fingerprint, measured_points, points_memory, points_of_samples
from luxel.train.resident import ResidentPoints
from luxel.train.run_folder import RunFolder
from luxel.trained_models import SHIPPED

CPU = torch.device("cpu")
SIDE = 16
SETTINGS = GenerateSettings(Composed(max_objects=8), count=12, seed=4, width=SIDE, height=SIDE, spp=2, test_share=0.25)


def ray_model(seed: int, trained: bool = True) -> RayModel:
    """A network as it is before training, or one that makes something else of what it reads."""
    torch.manual_seed(seed)
    model = RayModel(RayModelConfig(width=SIDE))
    if trained:
        torch.nn.init.normal_(model.head.weight, std=0.1)
    return model.eval()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> ShardSource:
    """Pictures of noise, whose radiance tells the pixels apart."""
    return ShardSource(write_data_folder(tmp_path_factory.mktemp("data"), SETTINGS))


def test_points_are_shaded_as_in_whole_pictures(source):
    """By the network that they were measured with, but for the rounding of what is kept."""
    model = ray_model(0)
    for number in range(len(source.train)):
        sample = source.train.batch([number])
        points = points_of_samples(source.train, range(number, number + 1), model, 200, CPU)[0]
        with torch.no_grad():
            picture = model(sample.scenes).flatten(0, 2)
            alone = model(Measured(*(values[None] for values in points.measured)))[0]
        same = (sample.radiance.flatten(0, 2)[None] == points.radiance[:, None]).all(2)
        assert (same.sum(1) == 1).all()
        torch.testing.assert_close(alone, picture[same.nonzero()[:, 1]], rtol=0.02, atol=1e-6)


def test_points_do_not_depend_on_the_pictures_that_are_measured_with_theirs(source):
    model = ray_model(6)
    together = points_of_samples(source.train, range(1, 5), model, 9, CPU)
    for number, points in enumerate(together, 1):
        (alone,) = points_of_samples(source.train, range(number, number + 1), model, 9, CPU)
        assert torch.equal(points.radiance, alone.radiance)
        torch.testing.assert_close(points.measured, alone.measured, rtol=1e-3, atol=1e-4)


def test_they_are_measured_once(source, monkeypatch):
    """Files that are there are read, those that are missing made again."""
    monkeypatch.setattr(module, "SAMPLES_A_FILE", 4)
    first = measured_points(source.train, ray_model(1), 5, CPU)
    assert first.radiance.shape == (len(source.train), 5, 3)
    folder = source.train.root / FOLDER / fingerprint(source.train, ray_model(1), 5)
    files = sorted(folder.iterdir())
    assert len(files) == -(-len(source.train) // 4)
    files[1].unlink()
    numbers = []
    monkeypatch.setattr(module, "points_of_samples", lambda *a: numbers.extend(a[1]) or points_of_samples(*a))
    again = measured_points(source.train, ray_model(1), 5, CPU)
    assert numbers == [4, 5, 6, 7]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_what_decides_them_tells_them_apart(source):
    one = fingerprint(source.train, ray_model(0), 5)
    assert one != fingerprint(source.train, ray_model(0), 6)
    assert one != fingerprint(source.test, ray_model(0), 5)
    assert one != fingerprint(source.train, ray_model(1), 5)
    assert fingerprint(source.train, ray_model(0, trained=False), 5) == fingerprint(
        source.train, ray_model(1, trained=False), 5
    )


def test_code_that_measures_tells_them_apart(source, tmp_path, monkeypatch):
    """This module's, too, which chooses the points and says what a file has of them."""
    changed = tmp_path / "measured_points.py"
    changed.write_text(f"{Path(module.__file__).read_text()}# changed\n")
    before = fingerprint(source.train, ray_model(0), 5)
    monkeypatch.setattr(module, "__file__", str(changed))
    assert fingerprint(source.train, ray_model(0), 5) != before


def test_a_damaged_file_is_named(source):
    model = ray_model(2)
    measured_points(source.train, model, 3, CPU)
    file = source.train.root / FOLDER / fingerprint(source.train, model, 3) / "0000000.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"0000000\.safetensors: damaged.*delete it and repeat the command"):
        measured_points(source.train, model, 3, CPU)


def test_a_file_of_other_pictures_is_named(source, monkeypatch):
    """Whole, but not what is to be there: copied by hand, say."""
    monkeypatch.setattr(module, "SAMPLES_A_FILE", 3)
    model = ray_model(5)
    measured_points(source.train, model, 3, CPU)
    first, *_, last = sorted((source.train.root / FOLDER / fingerprint(source.train, model, 3)).iterdir())
    assert len(source.train) % 3
    first.write_bytes(last.read_bytes())
    with pytest.raises(InputError, match=r"0000000\.safetensors: not 3 points of each of 3 pictures; delete it"):
        measured_points(source.train, model, 3, CPU)


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(source, tmp_path, monkeypatch):
    monkeypatch.setattr(source.train, "root", tmp_path)
    (tmp_path / FOLDER).touch()  # of all that prevents it, what prevents root too
    with pytest.raises(InputError, match=r"measured.*: cannot be written: .*copy the data set to where that may be"):
        measured_points(source.train, ray_model(6), 3, CPU)


def test_memory_is_that_of_the_points_as_read_and_joined(source):
    points = measured_points(source.train, ray_model(6), 5, CPU)
    assert points_memory(len(source.train), 5) == 2 * sum(column.nbytes for column in points)


def test_memory_is_asked_for_all_training_pictures_of_the_folder(source, monkeypatch):
    """Not for as many as the experiment would have made."""
    monkeypatch.setattr("luxel.memory.free_memory", lambda device, enough=None: points_memory(len(source.train), 50))
    made = with_train(replace(EXPERIMENTS["ray_small"].make("tiny"), stream=None), points=50)
    check_points(made, source.train.root)
    with pytest.raises(InputError, match=f"train.points is 51, of each of {len(source.train)} pictures"):
        check_points(with_train(made, points=51), source.train.root)


def test_memory_of_a_test_is_asked_for_the_test_pictures_of_the_folder(source, monkeypatch):
    """Not for as many as the experiment would have made."""
    asked = []
    monkeypatch.setattr(
        "luxel.experiments.requirements.rendering_memory", lambda model, count, *rest: asked.append(count) or 0
    )
    made = with_train(replace(EXPERIMENTS["ray_small"].make("tiny"), stream=None), batch_size=64, points=5)
    check_memory(made, CPU, data=source.test.root)
    assert asked == [len(source.test)]
    assert len(source.test) < min(64, made.data.count)


def test_where_nothing_is_in_view_nothing_is_learned(source, monkeypatch):
    """The points of a picture without objects are black, and so is what the network makes of them."""
    behind = Scene(objects=[Sphere(center=(0, 9, 0), radius=1)], camera=Camera(position=(0, 5, 0), look_at=(0, 0, 0)))
    black = torch.zeros(1, SIDE, SIDE, 3)
    batch = Batch(SceneBatch.of([behind]), black + 3, black)
    assert (visible_fragments(batch.scenes, SIDE, SIDE, 4).object_id == MISS).all()
    monkeypatch.setattr(source.train, "batch", lambda numbers: batch)
    (points,) = points_of_samples(source.train, range(1), ray_model(3), 7, CPU)
    assert points.radiance.shape == (7, 3)
    assert not points.radiance.any()
    with torch.no_grad():
        assert not ray_model(3)(Measured(*(values[None] for values in points.measured))).any()


def test_steps_take_all_points_of_their_samples(source):
    model = ray_model(4)
    batch = next(ResidentPoints(source.train, model, 6, CPU).training_batches(3, 0, 0, 0, 1))
    expected = measured_points(source.train, model, 6, CPU)
    samples = source.train.order(0, 3, 0)
    assert torch.equal(batch.radiance, expected.radiance[samples])
    assert batch.rows(slice(1, 2)).encoded.point.shape == (1, 6, POINT_FEATURES)
    assert model(*batch.inputs).shape == (3, 6, 3)


def test_a_run_learns_from_them(tmp_path: Path, source, monkeypatch):
    """And goes on, after an interruption, to the same end, from the points that its first weights have measured."""
    few = with_train(EXPERIMENTS["ray_small"].make("tiny"), samples=24, batch_size=4, tests=1, points=20)
    experiment = with_train(replace(few, data=SETTINGS, stream=None), checkpoint_every=2)
    start = Start(weights=SHIPPED / "ray-small")
    assert run(experiment, tmp_path / "whole", source.train.root, cpu=True, start=start)["status"] == "finished"
    folders = set((source.train.root / FOLDER).iterdir())
    log = RunFolder.log

    def interrupted(self, step, *args, **scalars):
        if step == 4:
            raise KeyboardInterrupt
        log(self, step, *args, **scalars)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "log", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(experiment, tmp_path / "again", source.train.root, cpu=True, start=start)
    run(experiment, tmp_path / "again", source.train.root, cpu=True, start=start)
    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("whole", "again")]
    assert weights[0] == weights[1]
    assert set((source.train.root / FOLDER).iterdir()) == folders


@pytest.mark.parametrize("is_started", [False, True])
def test_a_cooldown_of_a_run_from_trained_weights_measures_with_those_of_its_branch(
    tmp_path: Path, source, monkeypatch, is_started
):
    """Of a run from new weights it finds what that has measured."""
    few = with_train(EXPERIMENTS["ray_small"].make("tiny"), samples=24, batch_size=4, tests=1, points=10)
    experiment = with_schedule(replace(few, data=SETTINGS, stream=None), shape="constant")
    start = Start(weights=SHIPPED / "ray-small") if is_started else Start()
    run(experiment, tmp_path / "run", source.train.root, cpu=True, start=start)
    folders, measuring = set((source.train.root / FOLDER).iterdir()), []

    def noted(data: ShardDataset, model: RayModel, count: int, device: torch.device) -> Points:
        measuring.append(model.head.weight.detach().clone())
        return measured_points(data, model, count, device)

    monkeypatch.setattr("luxel.train.resident.measured_points", noted)
    cooldown(tmp_path / "run", 8, tmp_path / "end", source.train.root, cpu=True)
    (head,), branch = measuring, load_file(tmp_path / "end" / BRANCH)["model.head.weight"]
    assert torch.equal(head, branch) == is_started
    assert (set((source.train.root / FOLDER).iterdir()) == folders) != is_started


def test_only_ray_models_learn_from_points_and_of_data_sets(tmp_path: Path, sixteen):
    whole = with_train(EXPERIMENTS["standard_run"].make("tiny"), points=20)
    with pytest.raises(InputError, match=r"train\.points is 20, but the network makes whole images"):
        run(whole, tmp_path / "run", sixteen, cpu=True)
    stream = with_train(EXPERIMENTS["ray_small"].make("tiny"), points=20)
    with pytest.raises(InputError, match=r"train\.points is 20, but a stream's scenes come once only.*--data"):
        run(stream, tmp_path / "run", cpu=True)
    assert not (tmp_path / "run").exists()
