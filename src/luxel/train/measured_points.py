"""What a ray model reads of a data set's pictures, measured once at some of their points.

Of a step on whole pictures nearly all time goes into rays, which find the same in every epoch: what points gather does
not depend on the network. Only points that mirrors and glass show are shaded by it, here as it is before training. All
points are of pixels that one object fills, since a pixel's radiance says little of each that shares it.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float16, Float32
from torch import Tensor

import luxel
from luxel import InputError
from luxel.data.dataset import ShardDataset
from luxel.files.atomic import writing
from luxel.files.tensors import read_tensors, write_tensors
from luxel.models.estimates import CHANNEL_FEATURES, ESTIMATES, POINT_FEATURES, Measured
from luxel.models.ray_model import PIXELS_AT_ONCE, RayModel
from luxel.progress import ProgressBar

FOLDER = "measured"
"""Of the data set."""
SAMPLES_A_FILE = 50
TINY = 1e-30  # radiance that is none
MAX_SHARE = 6e4  # nearly the largest number of half precision
PROBES = 64
REMEDY = "delete it and repeat the command"
NOT_KEPT = "what is measured is kept there: allow it, or copy the data set to where that may be"


class Points(NamedTuple):
    """Points of pictures, as many of each, as they are kept; `Measured` and the radiance to be learned."""

    point: Float16[Tensor, "*samples points point_features"]
    channel: Float16[Tensor, "*samples points 3 channel_features"]
    share: Float16[Tensor, "*samples points 3 estimates"]  # of the scale
    scale: Float32[Tensor, "*samples points 3"]
    emitted: Float32[Tensor, "*samples points 3"]
    bound: Float32[Tensor, "*samples points 3"]
    radiance: Float32[Tensor, "*samples points 3"]

    @staticmethod
    def of(measured: Measured, radiance: Float32[Tensor, "points 3"]) -> "Points":
        """These points, on the CPU."""
        share = (measured.estimates / measured.scale[..., None].clamp(min=TINY)).clamp(max=MAX_SHARE)
        point, channel, share = (values.half().cpu() for values in (measured.point, measured.channel, share))
        return Points(
            point, channel, share, measured.scale.cpu(), measured.emitted.cpu(), measured.bound.cpu(), radiance
        )

    @staticmethod
    def black(count: int) -> "Points":
        """So many that no light reaches, of which nothing is learned."""
        gathered = Measured(
            torch.zeros(count, POINT_FEATURES),
            torch.zeros(count, 3, CHANNEL_FEATURES),
            torch.zeros(count, 3, ESTIMATES),
            *torch.zeros(3, count, 3),
        )
        return Points.of(gathered, torch.zeros(count, 3))

    @property
    def measured(self) -> Measured:
        """What the network reads, in single precision."""
        estimates = self.share.float() * self.scale[..., None]
        return Measured(self.point.float(), self.channel.float(), estimates, self.scale, self.emitted, self.bound)


def points_memory(samples: int, count: int) -> int:
    """Bytes that `count` points of each of so many samples take while they are read: file by file, and joined."""
    return 2 * samples * count * sum(column.nbytes for column in Points.black(1))


def measured_points(data: ShardDataset, model: RayModel, count: int, device: torch.device) -> Points:
    """`count` random points of each of the data set's pictures, measured on the device and left on the CPU.

    They are kept beside the data set's shards, for runs of other seeds and for the same command repeated. Raises
    InputError for a file that is damaged or of other pictures, and for a folder that cannot be written in.
    """
    folder = data.root / FOLDER / fingerprint(data, model, count)
    pixels = int(data.manifest.settings["height"]) * int(data.manifest.settings["width"])
    parts = list[Points]()
    with ProgressBar(total=len(data), desc="measuring points", unit="img", leave=False) as bar:
        for numbers in parts_of(range(len(data)), SAMPLES_A_FILE):
            path = folder / f"{numbers.start:07}.safetensors"
            if not path.exists():
                with writing(folder, NOT_KEPT):
                    folder.mkdir(parents=True, exist_ok=True)
                samples = list[Points]()
                for some in parts_of(numbers, max(1, PIXELS_AT_ONCE // pixels)):
                    samples += points_of_samples(data, some, model, count, device)
                    bar.update(len(some))
                stacked = (torch.stack(column) for column in zip(*samples, strict=True))
                write_tensors(path, dict(zip(Points._fields, stacked, strict=True)))
            else:
                bar.update(len(numbers))
            tensors, _ = read_tensors(path, REMEDY)
            expected = {name: (len(numbers), *column.shape) for name, column in Points.black(count)._asdict().items()}
            if {name: tuple(column.shape) for name, column in tensors.items()} != expected:
                raise InputError(f"{path}: not {count} points of each of {len(numbers)} pictures; {REMEDY}")
            parts.append(Points(**tensors))
    return Points(*(torch.cat(column) for column in zip(*parts, strict=True)))


def parts_of(numbers: range, length: int) -> Iterator[range]:
    """The numbers, so many at a time."""
    for first in range(0, len(numbers), length):
        yield numbers[first : first + length]


@torch.no_grad()
def points_of_samples(
    data: ShardDataset, numbers: range, model: RayModel, count: int, device: torch.device
) -> list[Points]:
    """`count` random points of each picture, some of them more than once if it has few; black ones if it has none.

    The pictures are measured together, which changes nothing but the time that a GPU takes.
    """
    samples = data.batch(numbers)
    height, width = samples.radiance.shape[1:3]
    measured, pixels = model.measured_pixels(samples.scenes.to(device), width, height)
    radiance, pixels = samples.radiance.flatten(0, 2), pixels.cpu()
    ends = torch.searchsorted(pixels, torch.arange(len(samples) + 1) * height * width).tolist()
    found = list[Points]()
    for number, (begin, end) in zip(numbers, itertools.pairwise(ends), strict=True):
        if begin == end:
            found.append(Points.black(count))
            continue
        chosen = begin + torch.randint(end - begin, (count,), generator=torch.Generator().manual_seed(number))
        there = chosen.to(device)
        found.append(Points.of(Measured(*(values[there] for values in measured)), radiance[pixels[chosen]]))
    return found


def fingerprint(data: ShardDataset, model: RayModel, count: int) -> str:
    """Sixteen hexadecimal digits of all that decides what is measured: pictures, settings, weights and Luxel's code.

    Weights count by what comes out of them: networks of any seed are alike before training.
    """
    settings = json.dumps([asdict(model.config), count], sort_keys=True)
    sha = hashlib.sha256(f"{data.content_hash}\n{settings}\n".encode())
    sha.update(probed(model).tobytes())
    package = Path(luxel.__file__).parent
    measuring = sorted(path for folder in ("core", "models") for path in (package / folder).rglob("*.py"))
    for source in (*measuring, Path(__file__)):
        sha.update(source.read_bytes())
    return sha.hexdigest()[:16]


@torch.no_grad()
def probed(model: RayModel) -> Float32[np.ndarray, "probes 3"]:
    """What a model's network makes of inputs that are always the same."""
    generator, device = torch.Generator().manual_seed(0), model.head.weight.device
    shapes = [(POINT_FEATURES,), (3, CHANNEL_FEATURES), (3, ESTIMATES), (3,)]
    point, channel, estimates, scale = (torch.rand(PROBES, *shape, generator=generator).to(device) for shape in shapes)
    unbounded = torch.full((PROBES, 3), torch.inf, device=device)
    return model.corrected(Measured(point, channel, estimates, scale, torch.zeros_like(scale), unbounded)).cpu().numpy()
