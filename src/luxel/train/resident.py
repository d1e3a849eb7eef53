"""Training data held on the device: a step takes rows of them, and nothing is copied to a GPU or encoded anew.

Legend: samples are those of a data set's training split, in its order; radiance is linear, float32.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, TypeAlias

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from luxel.data.batches import ShardSource
from luxel.data.dataset import Batch, ShardDataset
from luxel.memory import free_memory
from luxel.models.estimates import Measured
from luxel.models.ray_model import RayModel
from luxel.models.tokens import Tokens
from luxel.train.measured_points import Points, measured_points

SHARE_OF_GPU = 0.25
"""At most so much of a GPU's free memory: the rest is for the network."""
MAX_CPU_BYTES = 1 << 28
"""A CPU reads larger sets from the page cache as fast, and there the copies would be a second time in memory."""
READ_AT_ONCE = 256
"""Samples that are encoded together."""
STEPS_AT_ONCE = 256
"""Steps whose order is copied to the device at once."""


Encoded: TypeAlias = Tokens | Measured


@dataclass(frozen=True)
class EncodedBatch:
    """A batch in the form in which the network reads it, all on its device."""

    encoded: Encoded
    """Scenes as tokens, or some points of each as measured."""
    radiance: Float[Tensor, "batch *picture 3"]
    """Of whole pictures, or of the points."""
    rays: ClassVar[None] = None

    def __len__(self) -> int:
        return len(self.radiance)

    @staticmethod
    def of(encoding: type[Encoded], *columns: Tensor) -> "EncodedBatch":
        """The batch of these `columns`: those of the encoding, and radiance."""
        return EncodedBatch(encoding(*columns[:-1]), columns[-1])

    @property
    def columns(self) -> tuple[Tensor, ...]:
        """All its tensors."""
        return (*self.encoded, self.radiance)

    @property
    def inputs(self) -> tuple[Encoded]:
        """What the model's `forward` takes instead of scenes."""
        return (self.encoded,)

    def rows(self, part: slice) -> "EncodedBatch":
        """The samples of this part."""
        return EncodedBatch.of(type(self.encoded), *(values[part] for values in self.columns))

    def to(self, device: torch.device | str) -> "EncodedBatch":
        """Itself: it is where it is needed."""
        return self


AnyBatch: TypeAlias = Batch | EncodedBatch
Encode: TypeAlias = Callable[..., Tokens]
"""encode(scenes, objects): tokens padded to so many objects a scene."""


class Resident(ABC):
    """The samples of a data set on the device."""

    encoding: ClassVar[type[Encoded]]
    """What the network reads of its batches."""

    def __init__(self, data: ShardDataset, columns: Iterable[Tensor], device: torch.device) -> None:
        self._data = data
        self._columns = [column.to(device) for column in columns]

    @abstractmethod
    def batch(self, *columns: Tensor) -> EncodedBatch:
        """The batch of these rows of all columns."""

    def rows(self, samples: Int64[Tensor, " batch"]) -> EncodedBatch:
        """The samples of these numbers, which are on the device too."""
        return self.batch(*(column.index_select(0, samples) for column in self._columns))

    def training_batches(
        self, batch_size: int, seed: int, start_step: int, rank: int, world: int
    ) -> Iterator[EncodedBatch]:
        """The samples of `luxel.data.batches.training_batches`, in its order."""
        share = slice(rank * batch_size // world, (rank + 1) * batch_size // world)
        for first in count(start_step, STEPS_AT_ONCE):
            order = self._data.order(first * batch_size, (first + STEPS_AT_ONCE) * batch_size, seed)
            mine = torch.from_numpy(order).unflatten(0, (STEPS_AT_ONCE, batch_size))[:, share]
            for samples in mine.contiguous().to(self._columns[0].device).unbind():
                yield self.rows(samples)


class ResidentPictures(Resident):
    """Whole pictures, and their scenes as tokens."""

    encoding = Tokens

    def __init__(self, data: ShardDataset, encode: Encode, device: torch.device) -> None:
        most = max(shard.objects for shard in data.manifest.of(data.split))
        parts = list[tuple[Tensor, ...]]()
        for start in range(0, len(data), READ_AT_ONCE):
            read = data.batch(range(start, min(len(data), start + READ_AT_ONCE)))
            parts.append((*encode(read.scenes.to(device), most), read.radiance.to(device)))
        super().__init__(data, (torch.cat(column) for column in zip(*parts, strict=True)), device)

    def batch(self, *columns: Tensor) -> EncodedBatch:
        """Tokens and radiance."""
        return EncodedBatch(Tokens(*columns[:-1]), columns[-1])


class ResidentPoints(Resident):
    """Points of the pictures, as many of each, with what a ray model reads of them."""

    encoding = Measured

    def __init__(self, data: ShardDataset, model: RayModel, count: int, device: torch.device) -> None:
        super().__init__(data, measured_points(data, model, count, device), device)

    def batch(self, *columns: Tensor) -> EncodedBatch:
        """What the network reads, and radiance."""
        points = Points(*columns)
        return EncodedBatch(points.measured, points.radiance)


def resident(data: Any, model: nn.Module, device: torch.device, points: int | None = None) -> Resident | None:
    """The training data on the device: so many points of pictures, if a ray model is to learn from these; or pictures,
    if they fit there and the model reads their scenes as tokens."""
    if points is not None:
        assert isinstance(model, RayModel)
        return ResidentPoints(data.train, model, points, device)
    encode: Encode | None = getattr(model, "encode", None)
    if encode is None or not isinstance(data, ShardSource):
        return None
    most = free_memory(str(device)) * SHARE_OF_GPU if device.type == "cuda" else MAX_CPU_BYTES
    return ResidentPictures(data.train, encode, device) if size(data.train) <= most else None


def size(data: ShardDataset) -> int:
    """Bytes of the images, beside which tokens are little."""
    settings = data.manifest.settings
    return len(data) * int(settings["height"]) * int(settings["width"]) * 3 * torch.float32.itemsize
