"""A data set on disk: one split of a generated folder, and batches of it as tensors."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.data.label_tars import Labels, LabelTar, label_file
from luxel.data.manifest import ANEW, REMEDY, DataError, Manifest
from luxel.data.order import shuffled
from luxel.data.shards import ShardReader, gathered
from luxel.data.split import SPLITS, Shares, Split, split_of
from luxel.scene.description import Scene


@dataclass(frozen=True)
class Batch:
    """Scenes and their traced images, or rays of them and the radiance that arrives along each."""

    scenes: SceneBatch
    radiance: Float[Tensor, "batch *picture 3"]
    """Linear RGB; the picture is [height, width], or [rays]."""
    variance: Float[Tensor, "batch *picture 3"]
    """Of radiance."""
    rays: Rays | None = None
    """batch · rays of them, in the order of `radiance`: each scene's own, scene by scene. None for whole images."""
    path_variance: Float[Tensor, " batch"] | None = None
    """Of one path, the mean over each image; None where nobody asks for it."""

    def __len__(self) -> int:
        return len(self.scenes)

    def __repr__(self) -> str:
        what = "rays" if self.rays is not None else "pictures"
        shape = "×".join(map(str, self.radiance.shape[1:-1][::-1]))
        return f"Batch({len(self)} scenes, {what} of {shape}, on {self.radiance.device})"

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What a model's `forward` takes: the scenes and, if there are any, rays, for which it gives [rays, 3]."""
        return (self.scenes,) if self.rays is None else (self.scenes, self.rays)

    def rows(self, part: slice) -> "Batch":
        """The samples of this part."""
        of_a_path = None if self.path_variance is None else self.path_variance[part]
        return Batch(self.scenes[part], self.radiance[part], self.variance[part], self._rays_of(part), of_a_path)

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        radiance, variance = (values.to(device, non_blocking=True) for values in (self.radiance, self.variance))
        rays = None if self.rays is None else self.rays.to(device)
        of_a_path = None if self.path_variance is None else self.path_variance.to(device)
        return Batch(self.scenes.to(device), radiance, variance, rays, of_a_path)

    def _rays_of(self, part: slice) -> Rays | None:
        """The rays of this part's scenes, whose numbers begin at 0 again."""
        if self.rays is None:
            return None
        each = (len(self), self.radiance.shape[1])
        origin, direction = (
            values.unflatten(0, each)[part].flatten(0, 1) for values in (self.rays.origin, self.rays.direction)
        )
        return Rays(origin, direction, rays_in_order(len(range(len(self))[part]), each[1], origin.device))


def rays_in_order(scenes: int, rays: int, device: torch.device | str = "cpu") -> Int32[Tensor, " all"]:
    """The scene numbers of so many rays of each scene, scene by scene."""
    return torch.arange(scenes, dtype=torch.int32, device=device).repeat_interleave(rays)


class ShardDataset:
    """One split of a generated folder: memory-mapped, random access, safe to send to other processes.

    Opening it reads the split's shards whole: against their checksums, and for shapes and values that are not as they
    must be (0.7 GB/s on one core, most of it SHA-256's time). It also checks that no test scene is among the
    training scenes. Raises DataError, which names the file and, for a value, the scene.
    """

    def __init__(self, root: str | Path, split: Split) -> None:
        self.root = Path(root)
        self.split = split
        self.manifest = Manifest.load(self.root)
        _check(self.manifest, self.root, split)
        shards = self.manifest.of(split)
        self._readers = [ShardReader(self.root / shard.file) for shard in shards]
        size = int(self.manifest.settings["height"]), int(self.manifest.settings["width"])
        for shard, reader in zip(shards, self._readers, strict=True):
            reader.check(shard.scenes, *size)
        self._labels = [LabelTar(label_file(reader.path)) for reader in self._readers]  # which reads nothing
        self._ends = list(accumulate(shard.scenes for shard in shards))

    @property
    def content_hash(self) -> str:
        """SHA-256 over this split's shards: name it beside a figure measured on them."""
        return self.manifest.content_hash(self.split)

    def __len__(self) -> int:
        return self._ends[-1]

    def scene(self, index: int) -> Scene:
        """Scene number `index` of the split, exactly as it was rendered."""
        shard, row = self._find(index)
        return self._readers[shard].scene(row)

    def labels(self, index: int) -> Labels:
        """The labels of scene number `index` that `luxel generate --masks …` wrote. Raises DataError without any."""
        shard, row = self._find(index)
        return self._labels[shard][row]

    def order(self, start: int, stop: int, seed: int) -> Int64[np.ndarray, "positions"]:
        """A new permutation of the split in every epoch; see `luxel.data.order`."""
        return shuffled(start, stop, len(self), seed)

    def batch(self, indices: Sequence[int] | Int64[np.ndarray, "batch"]) -> Batch:
        """The scenes with these numbers, in this order."""
        places = [self._find(int(index)) for index in indices]
        found = [(self._readers[shard], row) for shard, row in places]
        scenes = SceneBatch.from_arrays(gathered(found))
        radiance, variance = (
            torch.from_numpy(np.stack([reader.tensors[name][row] for reader, row in found]))
            for name in ("radiance", "variance")
        )
        spp = float(self.manifest.settings["spp"])
        of_a_path = [
            reader.tensors["path_variance"][row]
            if "path_variance" in reader.tensors
            else spp * reader.tensors["variance"][row].mean()
            for reader, row in found
        ]
        return Batch(scenes, radiance, variance, path_variance=torch.tensor(np.array(of_a_path, np.float32)))

    def _find(self, index: int) -> tuple[int, int]:
        """The number of a scene's shard, and its row there."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.root} has {len(self)} {self.split} scenes, asked for is number {index}")
        shard = bisect_right(self._ends, index)
        return shard, index - (self._ends[shard - 1] if shard else 0)


def _check(manifest: Manifest, root: Path, split: Split) -> None:
    """All that can be wrong with a folder, before anything is computed from it."""
    if not manifest.has_all_of(split):
        raise DataError(
            f"{root}: has {manifest.scenes} of {manifest.settings['count']} scenes; {REMEDY} to complete it"
        )
    shares = Shares.of(manifest.settings)
    if not manifest.of(split):
        what = f"val_share is {shares.val}" if split == "val" else shares.words
        raise DataError(f"{root}: has no {split} scenes, as its {what}; generate one of another")
    manifest.verify(root, split)
    ids = {name: _ids(manifest, root, name, shares) for name in SPLITS}
    for one, other in combinations(SPLITS, 2):
        if both := ids[one] & ids[other]:
            raise DataError(f"{root}: scene {min(both)} is in both {one} and {other}; {ANEW}")


def _ids(manifest: Manifest, root: Path, split: Split, shares: Shares) -> set[str]:
    """The split's scene ids, each of which the split's rule must have put there."""
    ids: set[str] = set()
    for shard in manifest.of(split):
        ids.update(ShardReader(root / shard.file).ids(shard.scenes))
    if wrong := [scene for scene in ids if split_of(scene, shares) != split]:
        raise DataError(f"{root}: scene {min(wrong)} is in {split}, where its id does not belong; {ANEW}")
    return ids
