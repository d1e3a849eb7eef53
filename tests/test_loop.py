import math
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from configurations import cases, changed
from safetensors.torch import load_file, save_file
from torch import nn

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.data.dataset import Batch
from luxel.files.tensors import write_tensors
from luxel.files.typed_json import read_json
from luxel.image.formats import to_bytes
from luxel.image.losses import loss_function
from luxel.models.layers import normalisation
from luxel.scene import Camera, Scene, Sphere
from luxel.train import trainer as module
from luxel.train.checkpoint import read_progress
from luxel.train.guard import GuardConfig
from luxel.train.loop import train
from luxel.train.optim import OptimConfig, Schedule
from luxel.train.run_folder import RunFolder, read_metrics
from luxel.train.runtime import MAX_WAIT, accelerator, leave_process_group
from luxel.train.train_config import TrainConfig
from luxel.train.trainer import GRID_COLUMNS, MIN_SAMPLE_LOSS, Trainer, comparison_grid, mean_loss_over, mean_of_samples

CONFIG = TrainConfig(
    samples=60, batch_size=5, tests=3, checkpoint_every=4, optim=OptimConfig(learning_rate=0.05, ema_decay=0.5)
)
TEST_SAMPLES = 7
THREADS = Path("/proc/self/task")
OBJECTS = 2
SCENE = Scene(
    objects=(Sphere(center=(0, 0, 0), radius=1),) * OBJECTS, camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0))
)


class TinyModel(nn.Module):
    """Batch norm, dropout and a linear head: everything whose state a resumed run must find again."""

    def __init__(self):
        super().__init__()
        self.norm = normalisation("batch", 4)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(4, 3)

    def forward(self, scenes):
        pooled = scenes.rotation.unflatten(0, (len(scenes), OBJECTS)).mean(1)
        normed = self.norm(pooled[..., None, None]).flatten(1)
        return self.head(self.drop(normed)).float()[:, None, None].expand(-1, 2, 3, 3)

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text("{}")


class TinyData:
    """Batches that are a function of the step; the target is linear in what the model reads."""

    def __init__(self, poison: range = range(0), interrupt: int = -1, spike: range = range(0), heal: bool = False):
        self.poison, self.interrupt, self.spike, self.heal = poison, interrupt, spike, heal

    def training_batches(self, batch_size: int, seed: int, start_step: int, rank: int, world: int) -> Iterator[Batch]:
        for step in range(start_step, 10**6):
            if step == self.interrupt:
                raise KeyboardInterrupt
            batch = make_batch(batch_size, seed=1000 * seed + step).rows(slice(rank, None, world))
            if step in self.poison:
                batch.scenes.rotation[0, 0] = torch.nan
            if step in self.spike:
                batch.radiance.mul_(100)
            if self.heal and step == max(self.poison, default=-1):
                self.poison = range(0)
            yield batch

    def test_batches(self, batch_size: int, rank: int, world: int) -> Iterable[Batch]:
        mine = make_batch(TEST_SAMPLES, seed=-1).rows(slice(rank, None, world))
        for start in range(0, len(mine), batch_size):
            yield mine.rows(slice(start, start + batch_size))


def make_batch(size: int, seed: int) -> Batch:
    """Scenes whose objects' quaternions are noise: four numbers, as good as any for a model that reads but them."""
    noise = torch.randn(size, OBJECTS, 4, generator=torch.Generator().manual_seed(seed))
    radiance = 2 + noise.mean(1)[:, None, None, :3].expand(-1, 2, 3, 3).clone()
    scenes = replace(SceneBatch.of([SCENE] * size), rotation=noise.flatten(0, 1))
    return Batch(scenes, radiance, torch.zeros_like(radiance))


def run(path: Path, data: TinyData, config: TrainConfig = CONFIG) -> dict:
    torch.manual_seed(3)
    return train(TinyModel(), data, config, RunFolder(path, {}), accelerator(cpu=True))


def test_a_grid_has_a_scene_a_column_truth_above_and_black_for_what_is_no_radiance():
    batch = make_batch(GRID_COLUMNS + 3, seed=1)
    model = TinyModel().eval()
    batch.scenes.rotation[0, 0] = torch.nan
    batch.radiance[1] = torch.inf
    with torch.no_grad():
        output = model(batch.scenes).nan_to_num(0).clamp(min=0).numpy()
    grid = comparison_grid(model, batch)
    width, rest = divmod(grid.shape[1], GRID_COLUMNS)
    assert rest == 0
    below = next(row for row in range(2, len(grid)) if (grid[row : row + 2, :3] == 0).all())
    truth = batch.radiance.clone().numpy()
    truth[1] = 0
    for number in range(GRID_COLUMNS):
        column = grid[:, number * width :]
        assert (column[:2, :3] == to_bytes(truth[number])).all()
        assert (column[below : below + 2, :3] == to_bytes(output[number])).all()


def test_it_learns_and_leaves_everything_in_the_folder(tmp_path: Path):
    result = run(tmp_path, TinyData(), replace(CONFIG, samples=1000, optim=OptimConfig(learning_rate=0.25)))
    metrics = read_metrics(tmp_path / "metrics.jsonl")
    assert result["status"] == "finished"
    assert result["samples"] == 1000
    tests = [row["test_loss"] for row in metrics if "test_loss" in row]
    assert len(tests) == CONFIG.tests
    assert result["test_loss"] == tests[-1] < 0.5 * tests[0]
    assert read_json(tmp_path / "result.json") == result
    assert len(list((tmp_path / "samples").glob("test-*.png"))) == CONFIG.tests


@pytest.mark.parametrize("interrupt", [1, 4, 6])
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path, interrupt):
    run(tmp_path / "whole", TinyData())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", TinyData(interrupt=interrupt))
    run(tmp_path / "cut", TinyData())
    for file in ("checkpoint.safetensors", "model/model.safetensors"):
        whole, cut = (load_file(tmp_path / name / file) for name in ("whole", "cut"))
        torch.testing.assert_close(cut, whole, rtol=0, atol=0)
    whole, cut = (read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "cut"))
    assert [(r["step"], r["train_loss"]) for r in cut] == [(r["step"], r["train_loss"]) for r in whole]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("presses", "reached"), [(1, 7), (2, 4)])
def test_ctrl_c_ends_the_step_and_saves_and_a_second_one_stops_at_once(tmp_path: Path, presses, reached, number):
    """SIGTERM, too, under the command line, which has it raise like Ctrl-C."""

    class Data(TinyData):
        def training_batches(self, *arguments: int) -> Iterator[Batch]:
            for step, batch in enumerate(super().training_batches(*arguments)):
                for _ in range(presses if step == 6 else 0):
                    signal.raise_signal(number)
                yield batch

    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, Data())
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert read_progress(tmp_path / "checkpoint.safetensors").step == reached


def test_a_run_killed_just_before_its_result_ends_with_the_same_result(tmp_path: Path):
    result = run(tmp_path, TinyData())
    (tmp_path / "result.json").unlink()
    assert run(tmp_path, TinyData(interrupt=0)) == result


def test_the_memory_of_a_run_is_the_most_that_any_of_its_processes_held(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "peak_memory", lambda device: 901.0)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, TinyData(interrupt=7))
    monkeypatch.setattr(module, "peak_memory", lambda device: math.nan)  # as where the system does not tell
    assert run(tmp_path, TinyData())["peak_memory_mib"] == 901.0


def test_a_finished_run_is_not_trained_again(tmp_path: Path):
    first = run(tmp_path, TinyData())
    assert run(tmp_path, TinyData(interrupt=0)) == first


@pytest.mark.parametrize("damage", ["lost", "flipped", "configuration lost", "configuration damaged"])
def test_lost_weights_of_a_finished_run_are_made_anew_from_its_checkpoint(tmp_path: Path, damage):
    first, path = run(tmp_path, TinyData()), tmp_path / "model" / "model.safetensors"
    expected = load_file(path)
    if damage == "flipped":
        write_tensors(path, expected)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    elif damage == "configuration damaged":
        path.with_name("config.json").write_text("[" * 100_000)
    else:
        (path if damage == "lost" else path.with_name("config.json")).unlink()
    assert run(tmp_path, TinyData(interrupt=0)) == first
    torch.testing.assert_close(load_file(path), expected, rtol=0, atol=0)
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == CONFIG.steps
    assert path.with_name("config.json").read_text() == "{}"


class BadData(TinyData):
    """Radiance that is not a number from a training step on, or in the test set."""

    def __init__(self, step: int | None = None):
        super().__init__()
        self.step = step

    def training_batches(self, batch_size, seed, start_step, rank, world) -> Iterator[Batch]:
        batches = super().training_batches(batch_size, seed, start_step, rank, world)
        for step, batch in enumerate(batches, start_step):
            if self.step is not None and step >= self.step:
                batch.radiance[0, 0, 0, 0] = torch.nan
            yield batch

    def test_batches(self, batch_size, rank, world) -> Iterable[Batch]:
        for batch in super().test_batches(batch_size, rank, world):
            if self.step is None:
                batch.radiance[-1, 0, 0, 0] = torch.nan
            yield batch


@pytest.mark.parametrize("response", ["report", "recover"])
@pytest.mark.parametrize(("step", "steps"), [(2, 2 + 3), (None, 4)])
def test_data_that_are_not_finite_are_called_so(tmp_path: Path, response, step, steps):
    """Not blamed on batch norm, nor on the network; and no remedy is tried."""
    config = replace(CONFIG, guard=GuardConfig(response, patience=3))
    result = run(tmp_path, BadData(step), config)
    assert (result["status"], result["diagnosis"], result["steps"]) == ("diverged", "data not finite", steps)


def test_a_step_that_is_not_finite_never_reaches_the_weights(tmp_path: Path):
    result = run(tmp_path, TinyData(poison=range(2, 4)))
    assert result["status"] == "finished"
    assert result["skipped_steps"] == 2
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert all(value.isfinite().all() for value in weights.values())
    assert math.isfinite(result["test_loss"]), "nor batch norm's running statistics"


def test_lasting_divergence_ends_the_run_and_is_said(tmp_path: Path):
    result = run(tmp_path, TinyData(poison=range(3, 10**6)), replace(CONFIG, samples=10**4))
    assert result["status"] == "diverged"
    assert result["steps"] == 3 + 20
    assert result["diagnosis"] == "loss or gradient not finite"
    assert result["events"] == [{"step": 23, "diagnosis": result["diagnosis"], "verdict": "stop"}]


GUARD = GuardConfig("recover", patience=3, window=4)


def test_a_run_rolls_back_to_its_last_good_checkpoint_at_half_the_rate(tmp_path: Path):
    """Bad steps 7, 8 and 9 (batches 6 to 8); the checkpoint is of step 4. The second time round they are good."""
    result = run(tmp_path, TinyData(poison=range(6, 9), heal=True), replace(CONFIG, guard=GUARD))
    assert result["status"] == "finished"
    assert result["events"] == [{"step": 9, "diagnosis": "loss or gradient not finite", "verdict": "roll back"}]
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, CONFIG.steps + 1))
    ratios = [row["rate"] / CONFIG.rate(row["step"]) for row in rows[:-1]]
    assert ratios == pytest.approx([1.0] * 4 + [0.5] * (CONFIG.steps - 5))


def test_an_interrupted_run_remembers_its_rollback(tmp_path: Path):
    config = replace(CONFIG, guard=GUARD)
    whole = run(tmp_path / "whole", TinyData(poison=range(6, 9), heal=True), config)
    data = TinyData(poison=range(6, 9), heal=True, interrupt=10)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", data, config)
    cut = run(tmp_path / "cut", TinyData(), config)
    assert cut["events"] == whole["events"]
    assert cut["test_loss"] == whole["test_loss"]


@pytest.mark.parametrize(("response", "status"), [("report", "finished"), ("stop", "diverged")])
def test_a_spike_of_the_loss_is_diagnosed(tmp_path: Path, response, status):
    config = replace(CONFIG, loss="mse", guard=GuardConfig(response, patience=3, window=4))
    result = run(tmp_path, TinyData(spike=range(6, 9)), config)
    assert result["status"] == status
    assert [event["diagnosis"] for event in result["events"]] == ["loss spike"]


@pytest.mark.parametrize(("response", "precision"), [("report", "fp32"), ("recover", "fp32"), ("recover", "fp16-o2")])
def test_blown_up_statistics_are_diagnosed_and_taken_anew(tmp_path: Path, response, precision):
    torch.manual_seed(3)
    optim = OptimConfig(learning_rate=0.05, ema_decay=0.0)
    config = replace(CONFIG, guard=GuardConfig(response, window=4), optim=optim, precision=precision)
    data = TinyData()
    trainer = Trainer(TinyModel(), config, data, accelerator(cpu=True))
    progress = trainer.begin(tmp_path / "checkpoint.safetensors")
    for _ in range(8):
        progress, _, _ = trainer.step(progress)
    progress, _ = trainer.test(progress)
    good = progress.test_loss
    for model in (trainer.model, trainer.average):
        (norm,) = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        norm.running_var.fill_(1e-12)
    progress, verdict = trainer.test(progress)
    assert [event.diagnosis for event in progress.guard.events] == ["batch-norm statistics blown up"]
    if response == "recover":
        assert verdict == "reset statistics"
        assert progress.test_loss < 2 * good
    else:
        assert verdict == "go on"
        assert progress.test_loss > 10 * good


def test_a_spike_that_lasts_to_the_end_is_a_divergence(tmp_path: Path):
    config = replace(CONFIG, loss="mse", guard=GuardConfig(patience=3, window=4))
    result = run(tmp_path, TinyData(spike=range(6, 12)), config)
    assert (result["status"], result["diagnosis"]) == ("diverged", "loss spike")
    assert result["steps"] == CONFIG.steps, "it was only reported"


class Overflowing(TinyModel):
    """Its gradient overflows at any loss scale, though its loss is finite."""

    def forward(self, scenes):
        radiance = super().forward(scenes)
        radiance.register_hook(lambda gradient: gradient * torch.inf)
        return radiance


def test_a_loss_scale_at_its_floor_has_collapsed(tmp_path: Path):
    torch.manual_seed(3)
    config = replace(CONFIG, samples=1000, precision="fp16-o1", loss_scale_floor=128.0, guard=GuardConfig(patience=5))
    result = train(Overflowing(), TinyData(), config, RunFolder(tmp_path, {}), accelerator(cpu=True))
    assert (result["status"], result["diagnosis"]) == ("diverged", "loss scale collapsed")
    scales = [row["loss_scale"] for row in read_metrics(tmp_path / "metrics.jsonl")]
    assert scales == [max(128.0, 2.0 ** (15 - i)) for i in range(len(scales))]
    assert scales[-5:] == [128.0] * 5


def test_a_rollback_to_the_start_raises_the_loss_scale_again(tmp_path: Path):
    torch.manual_seed(3)
    guard = GuardConfig("recover", patience=5, rollbacks=1)
    config = replace(CONFIG, samples=1000, precision="fp16-o1", loss_scale_floor=128.0, guard=guard)
    result = train(Overflowing(), TinyData(), config, RunFolder(tmp_path, {}), accelerator(cpu=True))
    assert [event["verdict"] for event in result["events"]] == ["roll back", "stop"]
    steps = [event["step"] for event in result["events"]]
    assert steps[0] == steps[1], "the second collapse takes as many halvings as the first"


@pytest.mark.parametrize("precision", ["bf16", "fp16-o1", "fp16-o2"])
def test_an_interrupted_run_in_any_precision_ends_with_the_same_weights(tmp_path: Path, precision):
    config = replace(CONFIG, precision=precision)
    run(tmp_path / "whole", TinyData(), config)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", TinyData(interrupt=6), config)
    run(tmp_path / "cut", TinyData(), config)
    whole, cut = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "cut"))
    torch.testing.assert_close(cut, whole, rtol=0, atol=0)


def test_accumulated_gradients_are_the_whole_batchs():
    """Without batch norm, which sees a part at a time, and dropout."""
    found = []
    for accumulate in (1, 2, 3):
        torch.manual_seed(3)
        model = TinyModel()
        model.norm, model.drop.p = nn.Identity(), 0.0
        config = replace(CONFIG, batch_size=6, accumulate=accumulate)
        trainer = Trainer(model, config, TinyData(), accelerator(cpu=True))
        loss, norm = trainer.gradients(make_batch(6, seed=0))
        found.append((loss, norm, model.head.weight.grad.clone()))
    for loss, norm, gradient in found[1:]:
        assert (loss, norm) == pytest.approx(found[0][:2], rel=1e-5)
        torch.testing.assert_close(gradient, found[0][2])


def test_a_geometric_mean_weighs_each_samples_gradient_by_its_loss():
    losses = (torch.tensor([1e-4, 1e-2, 1.0])[:, None, None, None] * torch.rand(3, 4, 5, 3)).requires_grad_()
    mean = mean_of_samples(losses, "geometric")
    of_samples = losses.detach().mean((1, 2, 3)) + MIN_SAMPLE_LOSS
    assert mean.item() == pytest.approx(of_samples.prod().item() ** (1 / 3), rel=1e-5)
    (gradient,) = torch.autograd.grad(mean, losses)
    weights = gradient.sum((1, 2, 3)) * of_samples
    torch.testing.assert_close(weights, weights.mean().expand(3))


def test_the_mean_of_a_batch_reaches_the_gradients(tmp_path: Path):
    plain = run(tmp_path / "plain", TinyData())
    other = run(tmp_path / "other", TinyData(), replace(CONFIG, batch_mean="geometric"))
    assert other["train_loss"] < plain["train_loss"], "a geometric mean is below an arithmetic one"
    assert other["test_loss"] != plain["test_loss"]
    assert other["test_loss"] == pytest.approx(plain["test_loss"], rel=0.3)


def test_gradients_are_clipped_to_the_norm():
    config = replace(CONFIG, optim=OptimConfig(clip_norm=1e-3))
    trainer = Trainer(TinyModel(), config, TinyData(), accelerator(cpu=True))
    _, norm = trainer.gradients(make_batch(5, seed=0))
    clipped = torch.cat([parameter.grad.flatten() for parameter in trainer.model.parameters()]).norm()
    assert norm > 1e-2
    assert clipped.item() == pytest.approx(1e-3, rel=1e-3)


def test_bfloat16_learns_too(tmp_path: Path):
    full, half = (run(tmp_path / p, TinyData(), replace(CONFIG, precision=p)) for p in ("fp32", "bf16"))
    assert half["train_loss"] != full["train_loss"]
    assert half["test_loss"] == pytest.approx(full["test_loss"], rel=0.1)


def test_the_schedule_reaches_the_optimiser(tmp_path: Path):
    run(tmp_path, TinyData())
    rates = [row["rate"] for row in read_metrics(tmp_path / "metrics.jsonl")]
    peak = CONFIG.optim.peak_rate(CONFIG.batch_size)
    expected = [peak * CONFIG.optim.schedule((i + 1) / CONFIG.steps) for i in range(CONFIG.steps)]
    assert rates == pytest.approx(expected)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def whole_test_loss() -> float:
    """By hand: the mean over the test samples of each one's loss, from one batch."""
    torch.manual_seed(5)
    model, batch = TinyModel().eval(), make_batch(TEST_SAMPLES, seed=-1)
    prediction = model(batch.scenes)
    return loss_function("perceptual")(prediction, batch.radiance).mean().item()


def measured_test_loss(batch_size: int) -> float:
    torch.manual_seed(5)
    runtime = accelerator(cpu=True)
    batches = TinyData().test_batches(batch_size, runtime.process_index, runtime.num_processes)
    return mean_loss_over(TinyModel(), batches, loss_function("perceptual"), runtime)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_the_test_loss_does_not_depend_on_the_batch_size(batch_size):
    assert math.isclose(measured_test_loss(batch_size), whole_test_loss(), rel_tol=1e-6)


VARIATIONS = [
    ("plain", {}, 1e-4),
    ("accumulated", {"accumulate": 3}, 1e-4),
    ("half", {"precision": "fp16-o2"}, 1e-2),
]
"""Changes of the configuration, and how far two processes may be from one."""


def train_a_little(path: Path, runtime: Accelerator, **changes) -> None:
    """A few steps without dropout, whose draws differ between ranks."""
    torch.manual_seed(3)
    model = TinyModel()
    model.drop.p = 0.0
    config = replace(CONFIG, samples=30, batch_size=6, tests=1, **changes)
    with runtime.main_process_first():
        folder = RunFolder(path, {})
    train(model, TinyData(), config, folder, runtime)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory) -> Path:
    """The folder in which two ranks, over gloo, have done what `if __name__ == "__main__"` says below."""
    folder = tmp_path_factory.mktemp("two")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*launcher, __file__, folder], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_two_processes_train_and_test_as_one(tmp_path: Path, two_processes: Path):
    """Batch norm over both halves of a batch, gradients averaged, whole or in parts, and an odd number of test
    samples."""
    losses = [float((two_processes / f"loss-{rank}").read_text()) for rank in (0, 1)]
    for loss in losses:
        assert math.isclose(loss, whole_test_loss(), rel_tol=1e-6)
    for name, changes, tolerance in VARIATIONS:
        alone, together = tmp_path / f"one-{name}", two_processes / f"two-{name}"
        train_a_little(alone, accelerator(cpu=True), **changes)
        one, two = (read_metrics(path / "metrics.jsonl") for path in (alone, together))
        for scalar in ("train_loss", "gradient_norm", "test_loss"):
            values = [[row[scalar] for row in rows if scalar in row] for rows in (one, two)]
            assert values[1] == pytest.approx(values[0], rel=tolerance)
        one, two = (load_file(path / "model" / "model.safetensors") for path in (alone, together))
        torch.testing.assert_close(two, one, rtol=tolerance, atol=tolerance / 10)


def test_processes_stop_together_after_the_same_step(two_processes: Path):
    """Although one of them alone was told to, as each has its own clock; the step is in the checkpoint."""
    assert [(two_processes / f"stopped-{rank}").read_text() for rank in (0, 1)] == ["3", "3"]


def test_processes_wait_for_one_that_measures_a_large_data_set(two_processes: Path):
    """For hours, where torch's own limit is half an hour."""
    for rank in (0, 1):
        assert float((two_processes / f"wait-{rank}").read_text()) == MAX_WAIT.total_seconds() > 3600


@pytest.mark.skipif(not THREADS.exists(), reason="Linux names the threads")
def test_no_thread_of_gloo_is_left_when_a_process_ends(two_processes: Path):
    """It would abort the process, now and then."""
    for rank in (0, 1):
        names = (two_processes / f"threads-{rank}").read_text().split()
        assert names
        assert not [name for name in names if "gloo" in name]


class ToldToStop(TinyData):
    """Rank 1 is sent SIGINT while it waits for its third batch."""

    def training_batches(self, batch_size: int, seed: int, start_step: int, rank: int, world: int) -> Iterator[Batch]:
        for step, batch in enumerate(super().training_batches(batch_size, seed, start_step, rank, world), start=1):
            if (rank, step) == (1, 3):
                signal.raise_signal(signal.SIGINT)
            yield batch


def stop_a_little_later(path: Path, runtime: Accelerator) -> None:
    """Train until one rank is told to stop; each leaves the step of the checkpoint that there is then."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with runtime.main_process_first():
        folder = RunFolder(path / "run", {})
    with pytest.raises(KeyboardInterrupt):
        train(TinyModel(), ToldToStop(), replace(CONFIG, samples=600, batch_size=6), folder, runtime)
    (path / f"stopped-{runtime.process_index}").write_text(str(read_progress(folder.checkpoint).step))


if __name__ == "__main__":
    folder, shared = Path(sys.argv[1]), accelerator(cpu=torch.cuda.is_available())  # the CPU in either way
    (folder / f"loss-{shared.process_index}").write_text(repr(measured_test_loss(batch_size=2)))
    waiting = torch.distributed.group.WORLD._get_backend(torch.device("cpu")).options._timeout
    (folder / f"wait-{shared.process_index}").write_text(repr(waiting.total_seconds()))
    for name, changes, _ in VARIATIONS:
        train_a_little(folder / f"two-{name}", shared, **changes)
    stop_a_little_later(folder, shared)
    leave_process_group()
    names = [(thread / "comm").read_text() for thread in THREADS.iterdir()] if THREADS.exists() else []
    (folder / f"threads-{shared.process_index}").write_text("".join(names))


OF_TRAINING = {
    TrainConfig: CONFIG,
    OptimConfig: CONFIG.optim,
    Schedule: CONFIG.optim.schedule,
    GuardConfig: CONFIG.guard,
}


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [case for case in cases() if case[0] in OF_TRAINING and case[1] not in ("samples", "batch_size")],
)
def test_an_odd_number_is_refused_or_trains(kind, field, value, tmp_path: Path):
    """Two steps with what tests/test_configuration.py tries: a run that ends, with finite weights or a diagnosis."""
    try:
        odd = changed(OF_TRAINING[kind], **{field: value})
    except InputError:
        return
    config = replace(CONFIG, samples=10, tests=1)
    if kind is TrainConfig:
        config = replace(odd, samples=10)
    elif kind is Schedule:
        config = replace(config, optim=replace(config.optim, schedule=odd))
    else:
        config = replace(config, **{"guard" if kind is GuardConfig else "optim": odd})
    result = run(tmp_path, TinyData(), config)
    weights = load_file(tmp_path / "model" / "model.safetensors").values()
    assert result["status"] == "finished"
    assert result["skipped_steps"] > 0 or all(value.isfinite().all() for value in weights)
