"""A stand-in for CUDA graphs on the CPU: operations are recorded, and replayed on the memory that they had."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = ("_local_scalar_dense", "is_nonzero", "equal", "nonzero")
"""Operations whose result the host waits for, or whose shape depends on values."""


class Tape(TorchDispatchMode):
    """A recorder in the sense of `luxel.train.replay`; recording computes on the CPU, so its effects are undone."""

    made: ClassVar["list[Tape]"] = []

    def __init__(self):
        super().__init__()
        self._operations: list[tuple[Callable, tuple, dict, list[torch.Tensor]]] = []
        self.replays = 0
        Tape.made.append(self)

    def __torch_dispatch__(self, operation, types, arguments=(), options=None) -> Any:
        name = operation._overloadpacket.__name__
        assert name not in WAITS, f"{name} waits for the device"
        given = [leaf for leaf in tree_leaves((arguments, options)) if isinstance(leaf, torch.Tensor)]
        versions = [(leaf, leaf.clone()) for leaf in given if writes(operation)]
        result = operation(*arguments, **(options or {}))
        self._written.extend(versions)
        results = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        self._operations.append((operation, arguments, options or {}, results))
        return result

    def run(self, function):
        return function()

    def record(self, function):
        self._written: list[tuple[torch.Tensor, torch.Tensor]] = []
        state = torch.get_rng_state()
        with self:
            result = function()
        with torch.no_grad():
            for tensor, before in reversed(self._written):
                tensor.copy_(before)
        torch.set_rng_state(state)
        return result

    @torch.no_grad()
    def replay(self):
        self.replays += 1
        for operation, arguments, options, before in self._operations:
            again = operation(*arguments, **options)
            for old, new in zip(
                before, (leaf for leaf in tree_leaves(again) if isinstance(leaf, torch.Tensor)), strict=True
            ):
                if old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                    old.copy_(new)


def writes(operation) -> bool:
    """Whether the operation changes what it is given."""
    return operation._schema.is_mutable
