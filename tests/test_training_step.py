"""What a training step of an image model is made of: how many operations, in which number formats."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from data_folder import SETTINGS, write_data_folder
from torch.utils._python_dispatch import TorchDispatchMode

from luxel.data.batches import ShardSource
from luxel.experiments.experiment import EXPERIMENTS
from luxel.models.model_types import model_of
from luxel.train.checkpoint import Progress
from luxel.train.precision import Autocast
from luxel.train.resident import ResidentPictures
from luxel.train.runtime import accelerator
from luxel.train.trainer import Trainer

WIDTH, BATCH = 16, 7
FORMERLY = {"fp32": 3060, "bf16": 3347, "fp16-o1": 3362, "fp16-o2": 3488}
"""Operations of a step of `just_image_to_seq`, tiny, before there were fewer (commit 2b73ba1): loading, forward,
backward, clipping, optimiser, moving average and what is logged, views included."""


class Operations(TorchDispatchMode):
    """Counts operations, and notes the pictures in float32 that come out of them while it is told to."""

    def __init__(self):
        super().__init__()
        self.counts, self.casts, self.pictures, self.noting = Counter[str](), 0, list[str](), False

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        results = operation(*arguments, **(options or {}))
        self.counts[operation._overloadpacket.__name__] += 1
        if operation is torch.ops.aten._to_copy.default:
            self.casts += results.dtype != arguments[0].dtype and results.ndim > 0
        for result in results if isinstance(results, tuple | list) else (results,):
            softmaxs = "attention" in str(operation) and result is not results[0]  # a logarithm a pixel and head
            if self.noting and isinstance(result, torch.Tensor) and is_single_picture(result) and not softmaxs:
                self.pictures.append(f"{operation} {list(result.shape)}")
        return results


def is_single_picture(result: torch.Tensor) -> bool:
    """Whether it has a float32 number for each pixel of the batch, be it of an image or of a list of pixels."""
    rest = result.numel() % (BATCH * WIDTH * WIDTH)
    return result.dtype == torch.float32 and result.numel() > 0 and rest == 0


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> ShardSource:
    settings = replace(SETTINGS, width=WIDTH, height=WIDTH)
    return ShardSource(write_data_folder(tmp_path_factory.mktemp("data"), settings))


def trained(source: ShardSource, precision: str, path: Path) -> tuple[Trainer, Progress]:
    """A trainer after a step, and how far it is."""
    torch.manual_seed(0)
    experiment = EXPERIMENTS["just_image_to_seq"].make("tiny")
    config = replace(experiment.train, precision=precision, batch_size=BATCH, samples=BATCH * 100)
    trainer = Trainer(model_of(experiment.model), config, source, accelerator(cpu=True))
    progress, _, _ = trainer.step(trainer.begin(path / f"{precision}.safetensors"))
    return trainer, progress


def seen_in_a_step(source: ShardSource, precision: str, path: Path) -> Operations:
    trainer, progress = trained(source, precision, path)
    with Operations() as operations:
        _, verdict, _ = trainer.step(progress)
    assert verdict == "go on"
    return operations


@pytest.mark.parametrize("precision", FORMERLY)
def test_a_step_takes_half_of_the_operations_that_it_took(source, precision, tmp_path: Path):
    assert seen_in_a_step(source, precision, tmp_path).counts.total() <= FORMERLY[precision] // 2


def test_half_precision_takes_no_more_casts_than_bfloat16(source, tmp_path: Path):
    casts = {precision: seen_in_a_step(source, precision, tmp_path).casts for precision in FORMERLY}
    assert max(casts["fp16-o1"], casts["fp16-o2"]) <= casts["bf16"] <= casts["fp32"] + 12, casts


@pytest.mark.parametrize("precision", ["bf16", "fp16-o1", "fp16-o2"])
def test_no_picture_is_in_single_precision_but_the_heads_and_the_losss(source, precision, tmp_path: Path):
    """Forward from the network's input to its head, and backward from there."""
    trainer, progress = trained(source, precision, tmp_path)
    operations = Operations()

    def note(on: bool) -> None:
        operations.noting = on

    def at_the_head(module: torch.nn.Module, arguments: tuple, made: tuple[torch.Tensor, torch.Tensor]) -> None:
        note(False)
        made[0].register_hook(lambda gradient: note(True))

    trainer.model.input.register_forward_pre_hook(lambda module, arguments: note(True))
    trainer.model.stages[-1].register_forward_hook(at_the_head)
    with operations:
        trainer.step(progress)
    assert operations.noting, "it noted the way back, too"
    assert operations.pictures == []


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 2e-2), ("fp16-o1", 5e-3), ("fp16-o2", 5e-3)]
)
def test_a_gpu_finds_the_same_gradient(source, precision, tolerance):
    """Of the same batch, held on the device; in fp16 without a loss scale, as it is not small."""
    found = []
    for device in (torch.device("cpu"), torch.device("cuda")):
        torch.manual_seed(0)
        model = model_of(EXPERIMENTS["just_image_to_seq"].make("tiny").model).to(device).train()
        batch = next(ResidentPictures(source.train, model.encode, device).training_batches(BATCH, 0, 0, 0, 1))
        autocast = Autocast(precision, model, device)
        loss = (autocast(batch) - batch.radiance).square().mean()
        autocast.backward(loss)
        found.append((loss.item(), torch.cat([p.grad.flatten().cpu() for p in model.parameters()])))
    (loss, gradient), (other_loss, other) = found
    assert other_loss == pytest.approx(loss, rel=tolerance)
    assert torch.cosine_similarity(gradient, other, dim=0) > 1 - tolerance
