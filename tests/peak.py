"""How much memory torch holds at once, counted tensor by tensor: the same on every machine, unlike a process's size."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Counted(TorchDispatchMode):
    """Counts the bytes of storages that operations make, until each is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        given = {value.untyped_storage()._cdata for value in tree_leaves((args, kwargs)) if torch.is_tensor(value)}
        for value in tree_leaves(result):
            if torch.is_tensor(value) and (key := value.untyped_storage()._cdata) not in given | self._known:
                self._known.add(key)
                self.held += (size := value.untyped_storage().nbytes())
                weakref.finalize(value.untyped_storage(), self._let_go, key, size)
        self.peak = max(self.peak, self.held)
        return result

    def _let_go(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.held -= size


def peak_bytes(work: Callable[[], Any]) -> int:
    """The most bytes that tensors made within `work` hold at any moment."""
    with _Counted() as counted:
        work()
    return counted.peak
