"""Fresh scenes: a function of their slots alone, never a test scene, and rays that see what images show."""

import dataclasses
import re
import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from kernels import DEVICES
from pinhole import primary_rays
from safetensors.torch import load_file, save_file
from torch import nn

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.data import stream as stream_module
from luxel.data.batches import training_batches
from luxel.data.dataset import Batch
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.data.split import Shares, split_of
from luxel.data.stream import (
    SEEDS,
    Described,
    RaySampler,
    StreamSettings,
    StreamSource,
    camera_rays,
    prefetched,
    sees_objects,
)
from luxel.scene import Camera, Spheres, scene_id
from luxel.scene.camera import tan_half_fov
from luxel.scene.distributions import Varied
from luxel.train.loop import train
from luxel.train.run_folder import RunFolder, read_metrics
from luxel.train.runtime import accelerator
from luxel.train.train_config import TrainConfig

DATA = GenerateSettings(Spheres(max_objects=3), count=13, seed=5, width=5, height=3, spp=3, max_depth=3, test_share=0.4)
IMAGES, PICTURE, OBJECTS = (
    StreamSettings(),
    StreamSettings(spp=2, rays=7),
    StreamSettings(spp=2, rays=7, aim="objects"),
)
KINDS = pytest.mark.parametrize("stream", [IMAGES, PICTURE, OBJECTS], ids=["images", "picture", "objects"])


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A folder with nothing but a test split."""
    path = tmp_path_factory.mktemp("stream") / "data"
    generate(DATA, path, progress=False, splits=("test",))
    return path


def tensors(batch: Batch) -> dict[str, torch.Tensor]:
    """All that a batch consists of."""
    scenes = {field.name: getattr(batch.scenes, field.name) for field in dataclasses.fields(SceneBatch)}
    rays = {} if batch.rays is None else vars(batch.rays)
    return {**scenes, **rays, "radiance": batch.radiance, "variance": batch.variance}


def same(one: Batch, other: Batch) -> bool:
    ones, others = tensors(one), tensors(other)
    return ones.keys() == others.keys() and all(ones[name].equal(others[name]) for name in ones)


def batches(source: StreamSource, start: int, amount: int, size: int = 4, **share: int) -> list[Batch]:
    share = {"rank": 0, "world": 1, **share}
    return list(islice(source.training_batches(size, 0, start, **share), amount))


@pytest.mark.parametrize("device", DEVICES)
@KINDS
def test_a_run_that_resumes_sees_what_it_would_have_seen(root, stream, device):
    whole, resumed = (batches(StreamSource(root, DATA, stream, device), start, 5 - start) for start in (0, 3))
    assert all(same(one, other) for one, other in zip(whole[3:], resumed, strict=True))
    assert not same(whole[0], whole[1])


@KINDS
def test_shapes(root, stream):
    (batch,) = batches(StreamSource(root, DATA, stream), 0, 1)
    assert batch.radiance.shape == batch.variance.shape == ((4, 7, 3) if stream.rays else (4, 3, 5, 3))
    assert len(batch) == 4
    if stream.rays:
        assert batch.rays.scene.tolist() == [row for row in range(4) for _ in range(7)]
        assert batch.inputs == (batch.scenes, batch.rays)
    else:
        assert batch.inputs == (batch.scenes,)


@KINDS
def test_ranks_share_a_batch(root, stream):
    source = StreamSource(root, DATA, stream)
    (whole,) = batches(source, 2, 1)
    halves = [batches(source, 2, 1, rank=rank, world=2)[0] for rank in (0, 1)]
    for half, part in zip(halves, (slice(0, 2), slice(2, 4)), strict=True):
        assert same(half, whole.rows(part))


def test_no_scene_comes_twice_and_none_is_tested_on(root):
    source = StreamSource(root, DATA, IMAGES)
    tested = {scene_id(source.test.scene(index)) for index in range(len(source.test))}
    slots = [int(slot) for seed in (0, 1) for slot in source.order(0, 100, seed)]
    seen = [scene_id(scene) for scene in source.sampled(slots)[0]]
    assert len(set(seen)) == 200
    assert not tested & set(seen)
    assert {split_of(one, DATA.shares) for one in seen} == {"train"}


@KINDS
@pytest.mark.parametrize("device", DEVICES)
def test_scenes_that_processes_describe_are_traced_as_the_streams_own(root, stream, device):
    """What is described is the samples but for their radiance, in this process or in another."""
    source = StreamSource(root, DATA, stream, device)
    own = list(islice(training_batches(source, 4, 1), 3))
    described = islice(training_batches(Described(source), 4, 1, workers=1), 3) if stream is not OBJECTS else ()
    here = islice(training_batches(Described(source), 4, 1), 3)
    for found in (here, described):
        for one, other in zip(own, found, strict=False):
            scenes, points = other
            assert scenes.device.type == "cpu"
            assert (points is None) == (stream.rays == 0)
            assert same(one, source.traced(scenes, points))


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"test_share": 1.0}, "its test_share is 1.0, which"),
        ({"test_share": 0.75, "val_share": 0.25}, "its test_share is 0.75 and val_share is 0.25, which"),
    ],
)
def test_a_set_of_nothing_but_tests_leaves_nothing_to_train_on(tmp_path, shares, told):
    data = replace(DATA, count=3, **shares)
    generate(data, tmp_path, progress=False)
    with pytest.raises(InputError, match=re.escape(told)):
        StreamSource(tmp_path, data, IMAGES)


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_prefetching_changes_nothing(root, ahead):
    source = StreamSource(root, DATA, OBJECTS)
    plain = list(islice(training_batches(source, 3, 1), 4))
    ahead_of_time = list(islice(prefetched(training_batches(source, 3, 1), ahead), 4))
    assert all(same(one, other) for one, other in zip(plain, ahead_of_time, strict=True))


def test_the_global_random_state_is_left_alone(root):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    batches(StreamSource(root, DATA, OBJECTS), 0, 2)
    assert torch.get_rng_state().equal(before)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_an_error_in_the_thread_comes_up_with_its_own_message(root):
    source = StreamSource(root, DATA, IMAGES)
    with pytest.raises(InputError, match=f"train.seed is {SEEDS}, must be in 0"):
        next(prefetched(training_batches(source, 4, SEEDS)))
    assert not threads()
    with pytest.raises(InputError, match=f"train.seed is {SEEDS}, must be in 0"):
        next(source.training_batches(4, SEEDS, 0, 0, 1))


def test_closing_ends_the_thread(root):
    running = prefetched(training_batches(StreamSource(root, DATA, IMAGES), 4, 0))
    next(running)
    assert threads()
    running.close()
    assert not threads()


def test_rays_go_from_the_cameras_through_the_points():
    """Of each scene as many, one after another: a ray through a pixel's centre is that of `primary_rays`."""
    scenes = [Varied()(0, index) for index in range(2)]
    points, expected = [], []
    for scene in scenes:
        half = tan_half_fov(scene.camera)
        x, y = (np.arange(5) - 2) * 2 * half / 3, (1 - np.arange(3)) * 2 * half / 3
        points.append(np.stack(np.broadcast_arrays(x[None], y[:, None]), axis=-1).reshape(-1, 2))
        expected.append(primary_rays(scene.camera, 5, 3).directions.reshape(-1, 3))
    rays = camera_rays(SceneBatch.of(scenes), np.array(points, np.float32))
    assert rays.scene.tolist() == [0] * 15 + [1] * 15
    np.testing.assert_allclose(rays.unit_direction, np.concatenate(expected), atol=3e-7)
    for row, scene in enumerate(scenes):
        np.testing.assert_array_equal(rays.origin[15 * row], np.float32(scene.camera.position))


def test_rays_have_the_images_radiance(root):
    """In each of the 3 × 2 pixels, the mean over its rays is within 4 standard errors of the image's."""
    width, height = 3, 2
    data = replace(DATA, width=width, height=height)
    rays = StreamSource(root, data, StreamSettings(spp=1, rays=9000)).batch([0])
    image = StreamSource(root, data, StreamSettings(spp=2000)).batch([0])
    half = float(rays.scenes.tan_half_fov[0])
    x, y, depth = (rays.rays.direction @ rays.scenes.camera_rotation[0]).T  # in camera space
    torch.testing.assert_close(depth, torch.full_like(depth, -1))
    assert x.abs().max() < half * width / height * (1 + 1e-6)
    assert y.abs().max() < half * (1 + 1e-6)
    column = (x / half * height / 2 + width / 2).floor().long()
    row = (height / 2 - y / half * height / 2).floor().long()
    for y in range(height):
        for x in range(width):
            own = rays.radiance[0, (column == x) & (row == y)]
            assert len(own) > 1300, "uniform: 1500 expected"
            error = (own.var(0) / len(own) + image.variance[0, y, x]).sqrt() + 1e-4
            assert ((own.mean(0) - image.radiance[0, y, x]).abs() < 4 * error).all()


def test_rays_aimed_at_objects_all_hit_and_are_the_pictures_that_do(root):
    source = StreamSource(root, DATA, replace(OBJECTS, rays=500))
    scenes, rays = source.sampled([0, 1, 2])
    batch = SceneBatch.of(scenes)
    assert sees_objects(batch, rays).all()
    plain = np.stack([RaySampler(DATA, scene, 99).points(20_000) for scene in scenes])
    hit = sees_objects(batch, plain)
    for row in range(3):
        expected = plain[row, hit[row]]
        error = expected.std(0) / len(rays[row]) ** 0.5
        assert (np.abs(rays[row].mean(0) - expected.mean(0)) < 4 * error).all()


@dataclasses.dataclass(frozen=True)
class OftenAway(Spheres):
    """The camera looks away in two scenes of three."""

    def __call__(self, seed, index):
        scene = super().__call__(seed, index)
        away = Camera(position=(0.0, -4.5, 0.9), look_at=(0.0, -9.0, 0.9), vertical_fov_degrees=35.0)
        return scene.model_copy(update={"camera": away}) if index % 3 else scene


def test_a_scene_with_nothing_in_view_gives_its_slot_to_another(root):
    """Whatever else is in the batch, so that a resumed run finds the same."""
    source = StreamSource(root, replace(DATA, distribution=OftenAway(max_objects=3)), replace(OBJECTS, rays=2))
    scenes, rays = source.sampled(list(range(6)))
    assert sees_objects(SceneBatch.of(scenes), rays).all()
    for slot in (1, 4):
        (alone,), ray = source.sampled([slot])
        assert alone == scenes[slot]
        np.testing.assert_array_equal(ray[0], rays[slot])
    assert len(set(map(scene_id, scenes))) == 6


@dataclasses.dataclass(frozen=True)
class Away(OftenAway):
    """In all."""

    def __call__(self, seed, index):
        return super().__call__(seed, 3 * index + 1)


def test_a_distribution_with_nothing_in_view_is_said_to_be_one(root, monkeypatch):
    monkeypatch.setattr(stream_module, "MAX_CANDIDATES", 3)
    source = StreamSource(root, replace(DATA, distribution=Away(max_objects=3)), replace(OBJECTS, rays=1))
    with pytest.raises(InputError, match="3 scenes in a row of spheres have none in view; choose picture"):
        source.sampled([0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spp": 0}, r"stream\.spp is 0, must be an integer in \[1, "),
        ({"rays": -1}, r"stream\.rays is -1"),
        ({"aim": "objects"}, r"stream\.aim is objects, which is for rays"),
    ],
)
def test_a_wrong_field_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        StreamSettings(**changes)


class RayModel(nn.Module):
    """The background plus a constant, for rays or for the whole image: the least that can learn from both."""

    def __init__(self):
        super().__init__()
        self.light = nn.Parameter(torch.zeros(3))

    def forward(self, scenes, rays=None):
        radiance = scenes.background + self.light
        if rays is not None:
            return radiance[rays.scene.long()]
        return radiance[:, None, None].expand(-1, DATA.height, DATA.width, -1)

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.state_dict(), folder / "model.safetensors")


class Interrupted(StreamSource):
    """Ctrl-C after step 6."""

    def training_batches(self, *arguments):
        yield from islice(super().training_batches(*arguments), 6)
        raise KeyboardInterrupt


def test_a_ray_model_trains_on_rays_is_tested_on_images_and_resumes(root, tmp_path):
    config = TrainConfig(samples=40, batch_size=4, loss="mse", tests=2, checkpoint_every=2)

    def run(path: Path, kind: type[StreamSource] = StreamSource) -> dict:
        data = kind(root, DATA, OBJECTS)
        return train(RayModel(), data, config, RunFolder(path, {}), accelerator(cpu=True))

    assert run(tmp_path / "whole")["status"] == "finished"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Interrupted)
    assert not threads()
    run(tmp_path / "cut")
    whole, cut = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "cut"))
    assert whole["light"].equal(cut["light"])
    assert whole["light"].abs().min() > 1e-4, "it has moved"
    rows = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "cut")]
    assert [row["train_loss"] for row in rows[0]] == [row["train_loss"] for row in rows[1]]


def test_a_distribution_of_test_scenes_alone_is_told(root, monkeypatch):
    """Rather than searched without end."""

    @dataclasses.dataclass(frozen=True)
    class Always(Spheres):
        def __call__(self, seed: int, index: int):
            return next(
                each for each in map(Spheres(), (5,) * 99, range(99)) if split_of(scene_id(each), Shares(0.4)) == "test"
            )

    monkeypatch.setattr(stream_module, "MAX_SCENES_SET_ASIDE", 7)
    source = StreamSource(root, replace(DATA, distribution=Always()), IMAGES)
    with pytest.raises(
        InputError,
        match=r"distribution spheres: 7 scenes in a row are not for training; .* set aside: test_share is 0\.4$",
    ):
        source.batch([0])
