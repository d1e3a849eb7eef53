"""A data set on disk: one split of a generated folder, and batches of it as tensors."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.data.manifest import DataError, Manifest
from luxel.data.order import shuffled
from luxel.data.shards import PER_SCENE, ShardReader
from luxel.data.split import SPLITS, Split, split_of
from luxel.scene.description import Scene
from luxel.scene.tokens import LAYOUT


@dataclass(frozen=True)
class Batch:
    """Scenes as a model takes them (see `luxel.scene.tokens.Tokens`) and their traced images, or rays of them.

    A ray goes from the camera through (x, y, −1) in camera space (x to the right, y up), so a picture's rays have |y|
    up to the tangent of half the vertical field of view. It starts in the near plane, as the tracer's camera rays do.
    """

    tokens: Float[Tensor, "batch objects features"]
    mask: Bool[Tensor, "batch objects"]  # True where an object is real
    camera: Float[Tensor, "batch 1"]
    background: Float[Tensor, "batch 3"]
    radiance: Float[Tensor, "batch *picture 3"]  # linear RGB; the picture is [height, width], or [rays]
    variance: Float[Tensor, "batch *picture 3"]  # of radiance
    rays: Float[Tensor, "batch rays 2"] | None = None  # (x, y); None for whole images

    def __len__(self) -> int:
        return len(self.mask)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What a model's `forward` takes: tokens, mask, camera, background and, if there are any, rays."""
        scene = (self.tokens, self.mask, self.camera, self.background)
        return scene if self.rays is None else (*scene, self.rays)

    def rows(self, part: slice) -> "Batch":
        """The samples of this part."""
        return self._each(lambda values: values[part])

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        return self._each(lambda values: values.to(device, non_blocking=True))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        there = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return Batch(**{name: change(value) for name, value in there.items()})


class ShardDataset:
    """One split of a generated folder: memory-mapped, random access, safe to send to other processes.

    Opening it checks the split's shards against their checksums, and that no test scene is among the
    training scenes; raises DataError, which names the file.
    """

    def __init__(self, root: str | Path, split: Split) -> None:
        self.root = Path(root)
        self.split = split
        self.manifest = Manifest.load(self.root)
        _check(self.manifest, self.root, split)
        shards = self.manifest.of(split)
        self._readers = [ShardReader(self.root / shard.file) for shard in shards]
        self._ends = list(accumulate(shard.scenes for shard in shards))

    @property
    def content_hash(self) -> str:
        """SHA-256 over this split's shards: name it beside a figure measured on them."""
        return self.manifest.content_hash(self.split)

    @property
    def objects(self) -> int:
        """What tokens are padded to: the folder's largest scene, so that shapes never change."""
        return max(shard.objects for shard in self.manifest.shards)

    def __len__(self) -> int:
        return self._ends[-1]

    def scene(self, index: int) -> Scene:
        """Scene number `index` of the split, exactly as it was rendered."""
        reader, row = self._find(index)
        return reader.scene(row)

    def order(self, start: int, stop: int, seed: int) -> Int64[np.ndarray, "positions"]:
        """A new permutation of the split in every epoch; see `luxel.data.order`."""
        return shuffled(start, stop, len(self), seed)

    def batch(self, indices: Sequence[int] | Int64[np.ndarray, "batch"]) -> Batch:
        """The scenes with these numbers, in this order."""
        found = [self._find(int(index)) for index in indices]
        arrays = {name: [reader.row(name, row) for reader, row in found] for name in PER_SCENE}
        for name in ("objects", "mask"):
            arrays[name] = [_padded(array, self.objects) for array in arrays[name]]
        return Batch(*(torch.from_numpy(np.stack(rows)) for rows in arrays.values()))

    def _find(self, index: int) -> tuple[ShardReader, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"{self.root} has {len(self)} {self.split} scenes, asked for is number {index}")
        shard = bisect_right(self._ends, index)
        return self._readers[shard], index - (self._ends[shard - 1] if shard else 0)


def _padded(array: np.ndarray, objects: int) -> np.ndarray:
    """Zeros, or False, behind the objects that are there."""
    padded = np.zeros((objects, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _check(manifest: Manifest, root: Path, split: Split) -> None:
    """All that can be wrong with a folder, before anything is computed from it."""
    if not manifest.has_all_of(split):
        raise DataError(
            f"{root}: has {manifest.scenes} of {manifest.settings['count']} scenes; "
            "generate again with the same settings to complete it"
        )
    if manifest.settings["token_layout"] != LAYOUT:
        raise DataError(f"{root}: its tokens are of another layout than this Luxel's; generate it again")
    if not manifest.of(split):
        raise DataError(f"{root}: has no {split} scenes (test_share {manifest.settings['test_share']})")
    manifest.verify(root, split)
    ids = {name: _ids(manifest, root, name) for name in SPLITS}
    if both := ids["train"] & ids["test"]:
        raise DataError(f"{root}: scene {min(both)} is in both train and test")


def _ids(manifest: Manifest, root: Path, split: Split) -> set[str]:
    """The split's scene ids, each of which the split's rule must have put there."""
    ids = set()
    for shard in manifest.of(split):
        rows = ShardReader(root / shard.file).whole("ids")
        ids |= {row.tobytes().hex() for row in rows}
    share = float(manifest.settings["test_share"])
    if wrong := [scene for scene in ids if split_of(scene, share) != split]:
        raise DataError(f"{root}: scene {min(wrong)} is in {split}, where its id does not belong")
    return ids
