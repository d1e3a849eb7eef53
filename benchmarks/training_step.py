"""How fast does the image model train on a GPU, by way of running a step?

    PYTHONPATH=src python benchmarks/training_step.py [--scale full] [--batches 64] [--variants eager graph …]

From a checkout with torch and what training needs. A variant is a list, joined by +, of: graph (a step replayed as CUDA
graphs, `luxel.train.replay`); whole, stages, large or norms (what torch.compile makes one region of: the network, each
of its stages, each of the last four, each batch norm with its ReLU); depthwise (depthwise convolutions written as nine
products, for it to fuse); matmul (attention as two matrix products); cudnn (cuDNN tries its algorithms); and nchw
(convolutions with channels outermost). For each it prints images/s, the seconds until the third step, in which
compiling is, and the losses of a few steps, which should agree; with --profile, where a GPU's time goes. The last line
is one JSON object of all.
"""

import argparse
import contextlib
import json
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, get_args
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from luxel.data.batches import ShardSource
from luxel.data.generate import generate
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import Scale, with_train
from luxel.models import attention, generator, image_model
from luxel.models.model_types import model_of
from luxel.train import replay
from luxel.train.runtime import accelerator
from luxel.train.trainer import Trainer

VARIANTS = ("eager", "graph", "graph+norms", "graph+large", "graph+large+depthwise", "graph+whole+depthwise")
LARGE = 4
"""Stages, the last ones: those of the two largest sizes."""
SHOWN = 40
"""Kernels of a profile."""
COMPARED = (0, 4, 12)
"""Steps whose losses are printed."""


def by_matmul(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(q·kᵀ/√head)·v as two products: a dozen keys are too few for the fused kernels."""
    logits = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
    if mask is not None:
        logits = logits + attention.logits_of(mask, query.dtype)
    return logits.softmax(-1).to(value.dtype) @ value


def by_shifts(self: nn.Conv2d, image: Tensor) -> Tensor:
    """A depthwise convolution as a sum of products with the shifted image."""
    if self.groups == 1:
        return nn.Conv2d._conv_forward(self, image, self.weight, self.bias)
    margin, (height, width) = self.kernel_size[0] // 2, image.shape[2:]
    padded = F.pad(image, [margin] * 4)
    assert self.bias is not None
    total = self.bias[:, None, None].float()
    for row in range(self.kernel_size[0]):
        for column in range(self.kernel_size[1]):
            shifted = padded[:, :, row : row + height, column : column + width]
            total = total + shifted.float() * self.weight[:, 0, row, column][:, None, None].float()
    return total.to(image.dtype)


def rectified(
    image: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, momentum: float, eps: float
) -> Tensor:
    """Batch norm, then ReLU."""
    return F.relu(F.batch_norm(image, mean, variance, weight, bias, True, momentum, eps))


class Norm(nn.Module):
    """A compiled batch norm with its ReLU, in place of the norm."""

    compiled: Any = None

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, image: Tensor) -> Tensor:
        """The rectified image; ReLU again changes nothing."""
        norm = self.norm
        norm.num_batches_tracked.add_(1)
        parts = norm.weight, norm.bias, norm.running_mean, norm.running_var
        return Norm.compiled(image, *parts, norm.momentum, norm.eps)


def relu_of(image: Tensor, inplace: bool = False) -> Tensor:
    """What is rectified already."""
    return image


@contextlib.contextmanager
def varied(parts: list[str], model: Any) -> Iterator[None]:
    """Within, the network and its steps are run in this way."""
    with contextlib.ExitStack() as stack:
        if "graph" not in parts:
            stack.enter_context(patch.dict(replay.RECORDERS, clear=True))
        if "matmul" in parts:
            stack.enter_context(patch.object(attention, "softmax_attention", by_matmul))
        if "depthwise" in parts:
            stack.enter_context(patch.object(nn.Conv2d, "forward", by_shifts))
        if "nchw" in parts:
            stack.enter_context(patch.object(torch, "channels_last", torch.contiguous_format))
        if "norms" in parts:
            Norm.compiled = torch.compile(rectified, dynamic=True)
            functional = argparse.Namespace(**{**vars(F), "relu": relu_of})
            for module in model.stages:
                module.norm, block = Norm(module.norm), module.block
                block.hidden_norm, block.depthwise_norm = Norm(block.hidden_norm), Norm(block.depthwise_norm)
                if module.non_local is not None:
                    raise ValueError("norms without ReLU are not for this variant")
            head = model.head_norm
            stack.enter_context(patch.object(generator, "F", functional))
            stack.enter_context(patch.object(image_model, "F", functional))
            model.head_norm = nn.Sequential(head, nn.ReLU())
        if "stages" in parts:
            for stage in model.stages:
                stage.compile(dynamic=False)
        if "large" in parts:
            for stage in model.stages[-LARGE:]:
                stage.compile(dynamic=False)
        if "whole" in parts:
            model.picture = torch.compile(model.picture, dynamic=False)
        benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, "cudnn" in parts
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = benchmark


def measured(variant: str, experiment: Any, source: ShardSource, out: Path, options: Any) -> dict[str, Any]:
    """Rates and losses of one variant, which begins with the same weights as the others."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    path, config = out / "step.safetensors", replace(experiment.train, samples=1 << 20)
    path.unlink(missing_ok=True)
    model = model_of(experiment.model)
    parts = [] if variant == "eager" else variant.split("+")
    with varied([] if parts == ["eager"] else parts, model):
        # the average is a copy, of the network as it is
        trainer = Trainer(model, config, source, accelerator(cpu=not torch.cuda.is_available()))
        progress, losses, times = trainer.begin(path), list[float](), list[float]()
        while len(times) < max(13, options.least) or sum(times[3:]) < options.seconds:
            started = time.perf_counter()
            progress, _, scalars = trainer.step(progress)  # which waits for its loss
            times.append(time.perf_counter() - started)
            losses.append(scalars["train_loss"])
        synchronise()
        table = profiled(trainer, progress) if options.profile else None
        trainer.close()
    if table:
        print(table, flush=True)
    step = statistics.median(times[3:])
    return {
        "images_per_s": round(config.batch_size / step, 1),
        "ms_a_step": round(1e3 * step, 2),
        "first_steps_s": round(sum(times[:3]), 1),
        "peak_memory_mib": round(trainer.peak_memory(progress)),
        "losses": [float(f"{losses[index]:.6g}") for index in COMPARED if index < len(losses)],
    }


def profiled(trainer: Trainer, progress: Any) -> str:
    """Where the GPU's time of a step goes, by kernel; without a GPU, a CPU's, by operation."""
    gpu = torch.cuda.is_available()
    kind = torch.profiler.ProfilerActivity.CUDA if gpu else torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[kind]) as profile:
        trainer.step(progress)
        synchronise()
    key = "self_device_time_total" if gpu else "self_cpu_time_total"
    events = sorted(profile.key_averages(), key=lambda event: getattr(event, key), reverse=True)
    total = sum(getattr(event, key) for event in events)
    rows = [(getattr(event, key), event.count, event.key) for event in events[:SHOWN]]
    lines = [f"{time / 1e3:9.3f} ms {time / total:6.1%} {count:5}  {name[:120]}" for time, count, name in rows]
    return "\n".join([f"{total / 1e3:9.3f} ms in {sum(event.count for event in events)} kernels a step", *lines])


def too_long(number: int, frame: FrameType | None) -> None:
    """What the alarm does."""
    raise TimeoutError("took longer than --limit")


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main(options: argparse.Namespace) -> None:
    """Every variant, by precision and batch."""
    made = EXPERIMENTS[options.experiment].make(options.scale)
    folder = options.out / f"{options.scale}-{options.scenes}"
    generate(replace(made.data, count=options.scenes, spp=options.spp), folder, progress=False)
    source, results = ShardSource(folder), dict[str, Any]()
    for precision in options.precisions:
        for batch in options.batches:
            for variant in options.variants:
                changed = with_train(made, precision=precision, batch_size=batch)
                name = f"{made.model.width} {precision} {batch} {variant}"
                try:
                    signal.signal(signal.SIGALRM, too_long)
                    signal.alarm(options.limit)
                    results[name] = measured(variant, changed, source, options.out, options)
                    signal.alarm(0)
                except Exception as error:  # the next one may do
                    results[name] = {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:600]}"}
                print(f"{name:<44} {json.dumps(results[name])}", flush=True)
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    print(json.dumps({"gpu": gpu, "torch": torch.__version__, "results": results}))


def parsed() -> argparse.Namespace:
    """The command line, by argparse: tyro need not be there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiment", default="just_image_to_seq")
    parser.add_argument("--scale", default="full", choices=get_args(Scale))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    parser.add_argument("--precisions", nargs="+", default=["bf16"])
    parser.add_argument("--batches", nargs="+", type=int, default=[64])
    parser.add_argument("--seconds", type=float, default=1.5, help="of each, after three steps")
    parser.add_argument("--least", type=int, default=13, help="steps of each")
    parser.add_argument("--limit", type=int, default=120, help="seconds of each, compiling included")
    parser.add_argument("--scenes", type=int, default=512)
    parser.add_argument("--spp", type=int, default=4)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/training_step"))
    return parser.parse_args()


if __name__ == "__main__":
    main(parsed())
