"""Many tensors at once: one operation, and on a GPU few kernels, instead of one for each tensor."""

from collections.abc import Sequence

import torch
from torch import Tensor


@torch.no_grad()
def copy_all(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Copy every source into its target, which may be of another number format."""
    for some, others in pairs_by_dtype(targets, sources):
        torch._foreach_copy_(some, others)


@torch.no_grad()
def add_all(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Add every source to its target, which may be of another number format."""
    for some, others in pairs_by_dtype(targets, sources):
        torch._foreach_add_(some, others)


@torch.no_grad()
def lerp_all(targets: Sequence[Tensor], ends: Sequence[Tensor], weight: float | Tensor) -> None:
    """Move every target by `weight` of the way to its end; what has no fractions goes all the way.

    A weight that is a tensor, on the targets' device, is read when the GPU comes to it.
    """
    for some, others in pairs_by_dtype(targets, ends):
        if not some[0].is_floating_point():
            torch._foreach_copy_(some, others)
        elif isinstance(weight, Tensor):  # which torch's lerp of many takes one for each number alone
            steps = torch._foreach_sub(others, some)
            torch._foreach_mul_(steps, weight)
            torch._foreach_add_(some, steps)
        else:
            torch._foreach_lerp_(some, others, weight)


def pairs_by_dtype(first: Sequence[Tensor], second: Sequence[Tensor]) -> list[tuple[list[Tensor], list[Tensor]]]:
    """The pairs sorted by their number formats: a mixed list would be worked off one by one."""
    groups: dict[tuple[torch.dtype, torch.dtype], tuple[list[Tensor], list[Tensor]]] = {}
    for one, other in zip(first, second, strict=True):
        some, others = groups.setdefault((one.dtype, other.dtype), ([], []))
        some.append(one)
        others.append(other)
    return list(groups.values())
