"""What is traced of a shard that is not whole yet: its images part by part, in files beside it.

`train-00003.064.part` has the images of scenes 64, 65, … of what `train-00003.safetensors` will be, as tensors `mean`,
`variance` and `path_variance` of a `Radiance`. A call that goes on reads it; once the shard is there, it is removed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from luxel import InputError
from luxel.files.atomic import writing
from luxel.files.tensors import read_tensors, write_tensors
from luxel.scene.description import Scene, scene_id
from luxel.trace.tracer import Radiance

SUFFIX = ".part"
SCENES = "scenes"
"""The metadata's entry with the SHA-256 of the scenes' ids."""


@dataclass(frozen=True)
class Part:
    """Scenes of a shard that are traced at once, and the file of their images."""

    path: Path
    scenes: tuple[Scene, ...]

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256("".join(map(scene_id, self.scenes)).encode()).hexdigest()

    def write(self, radiance: Radiance) -> None:
        """Write the images, whole or not at all."""
        images = {
            "mean": radiance.mean,
            "variance": radiance.variance,
            "path_variance": radiance.variance_of_a_path,
        }
        tensors = {name: torch.tensor(values) for name, values in images.items()}
        write_tensors(self.path, tensors, {SCENES: self._digest})

    def read(self, spp: int) -> Radiance | None:
        """The images, which had `spp` paths a pixel; None if they are not there, damaged, or those of other scenes."""
        if not self.path.is_file():
            return None
        try:
            tensors, metadata = read_tensors(self.path, "")
        except InputError:
            return None
        if metadata.get(SCENES) != self._digest:
            return None
        mean, variance, path_variance = (tensors[name].numpy() for name in ("mean", "variance", "path_variance"))
        return Radiance(mean, variance, spp, path_variance)


def parts_of(shard: Path, scenes: Sequence[Scene], size: int) -> Iterator[Part]:
    """A shard's parts, of so many scenes each, the last as it is left."""
    for first in range(0, len(scenes), size):
        yield Part(shard.with_name(f"{shard.stem}.{first:03d}{SUFFIX}"), tuple(scenes[first : first + size]))


def write_parts(shard: Path, scenes: Sequence[Scene], radiance: Radiance, size: int) -> None:
    """Keep the images of a shard that is to have more scenes as parts of `size` scenes, but for those left over."""
    for number, part in enumerate(parts_of(shard, scenes, size)):
        if len(part.scenes) == size:
            part.write(radiance.rows(slice(number * size, (number + 1) * size)))


def remove_parts(shard: Path) -> None:
    """Remove the files of a shard's parts, as it is whole."""
    with writing(shard.parent):
        for path in shard.parent.glob(f"{shard.stem}.*{SUFFIX}"):
            path.unlink()
