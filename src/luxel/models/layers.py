"""Small layers that the parts of the image model share.

Shapes: images are [batch, channels, height, width]; sequences are [batch, objects, width].
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import torch
import torch.distributed as distributed
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Normalisation: TypeAlias = Literal["batch", "group", "instance", "none"]
OutputActivation: TypeAlias = Literal["celu", "relu", "exp", "softplus"]

GROUP_CHANNELS = 16
"""Channels a group of group normalisation (Wu & He 2018 find 16 best), more where 16 does not divide them."""
CELU_ALPHA = 0.05
"""How far below 0 the CELU output may go: enough for a gradient at black, too little to see."""
CELU_LEAK = 0.01
"""Its least slope in training: without one, what is far below 0 has no gradient, and a corner of all pictures that an
early step made black in one channel was black for good."""


def normalisation(kind: Normalisation, channels: int) -> nn.Module:
    """A normalisation of image channels."""
    if kind == "batch":
        return BatchNorm(channels)
    if kind == "group":
        groups = max(1, channels // GROUP_CHANNELS)
        while channels % groups:  # 56 channels cannot be 3 groups
            groups -= 1
        return nn.GroupNorm(groups, channels)
    if kind == "instance":
        return nn.GroupNorm(channels, channels)
    return nn.Identity()


class BatchNorm(nn.BatchNorm2d):
    """Batch norm (Ioffe & Szegedy 2015) over the batches of all processes together.

    torch's SyncBatchNorm does the same, but only on GPUs; this works with any backend. The variance is the mean of
    squared deviations from the common mean: E[x²] − E[x]² would lose it where the mean is large beside it.
    """

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        """The normalised image; in training, running statistics are updated from the whole batch."""
        if not (self.training and distributed.is_initialized() and distributed.get_world_size() > 1):
            return super().forward(x)
        values = x.float()
        own_count = values.new_full((1,), values.numel() / self.num_features)
        sums = sum_over_processes(torch.cat([values.sum(dim=(0, 2, 3)), own_count]))
        count, mean = sums[-1], sums[:-1] / sums[-1]
        centred = values - mean[:, None, None]
        variance = sum_over_processes(centred.square().sum(dim=(0, 2, 3))) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class _SumOverProcesses(torch.autograd.Function):
    """The derivative of a sum to each of its terms is 1, in the loss of every process."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        total = own.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return _SumOverProcesses.forward(ctx, gradient)


def sum_over_processes(own: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The sum of the tensors of all processes, with its gradient."""
    return _SumOverProcesses.apply(own)


def batch_norms(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """The model's layers of batch norm."""
    return [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


@contextmanager
def averaging_statistics(model: nn.Module) -> Iterator[None]:
    """Forget what batch norm remembers; its running statistics become the plain mean over the block's forward passes.

    The remedy for statistics that have blown up, or that belong to other weights (as after averaging weights,
    Izmailov et al. 2018, §3.2).
    """
    training = model.training
    norms = batch_norms(model)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    try:
        yield
    finally:
        model.train(training)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def output_activation(kind: OutputActivation, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Radiance from the last features: all but `celu` are never negative, `celu` is above −CELU_ALPHA."""
    if kind == "celu":
        y = F.celu(x, alpha=CELU_ALPHA)
        return y + CELU_LEAK * (x - x.detach()) if x.requires_grad else y
    if kind == "relu":
        return F.relu(x)
    if kind == "exp":
        return x.exp()
    return F.softplus(x)


class Intersection(nn.Module):
    """The log's "intersection" unit, a soft AND: the elementwise minimum of two linear projections."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 2 * out)

    def forward(self, x: Float[Tensor, "*shape width"]) -> Float[Tensor, "*shape out"]:
        """Both projections in one product, then the smaller of each pair."""
        left, right = self.project(x).chunk(2, dim=-1)
        return torch.minimum(left, right)


class StochasticDepth(nn.Module):
    """Drops a residual branch for whole samples in training (Huang et al. 2016), and rescales the others."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The branch of each sample, or 0."""
        if not self.training or self.rate == 0:
            return branch
        kept = torch.rand(len(branch), *[1] * (branch.ndim - 1), device=branch.device) >= self.rate
        return branch * kept / (1 - self.rate)
