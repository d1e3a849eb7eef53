"""One sample of a data set as files: its picture, radiance, label arrays, and a document of all that JSON can hold."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from luxel.data.annotations import Annotations, annotate
from luxel.data.dataset import ShardDataset
from luxel.data.label_files import PictureDocument, arrays_of, document_of, json_of, key_of, npz_of
from luxel.data.split import Split
from luxel.image.formats import encoded, to_bytes, write_exr
from luxel.scene.description import Scene, scene_id


class Document(PictureDocument):
    """What KEY.json holds of a data set's sample."""

    key: str
    split: Split
    index: int
    """In the split."""
    scene_id: str


@dataclass(frozen=True)
class Sample:
    """A scene and its picture, one of a split's."""

    split: Split
    index: int
    scene: Scene
    radiance: Float32[np.ndarray, "height width 3"]
    """Linear RGB."""

    @staticmethod
    def of(dataset: ShardDataset, index: int) -> "Sample":
        """Sample number `index` of a split."""
        return Sample(dataset.split, index, dataset.scene(index), dataset.batch([index]).radiance[0].numpy())

    @property
    def key(self) -> str:
        """The stem of its files."""
        return key_of(self.index)

    @cached_property
    def annotations(self) -> Annotations:
        """Its labels."""
        height, width, _ = self.radiance.shape
        return annotate(self.scene, width, height)

    def files(self, exposure: float) -> Iterator[tuple[str, bytes]]:
        """Suffix and content of each of its files."""
        yield ".png", self.png(exposure)
        yield ".exr", self.exr()
        yield ".npz", npz_of(arrays_of(self.annotations))
        yield ".json", json_of(self.document())

    def png(self, exposure: float) -> bytes:
        """The picture, clipped to [0, 1] and in sRGB, `exposure` stops brighter."""
        return encoded(to_bytes(self.radiance, exposure=exposure), ".png")

    def exr(self) -> bytes:
        """The radiance as it is."""
        with tempfile.TemporaryDirectory() as folder:  # as OpenEXR writes to names alone
            path = Path(folder) / "radiance.exr"
            write_exr(path, self.radiance)
            return path.read_bytes()

    def document(self) -> Document:
        """All but the arrays."""
        return {
            "key": self.key,
            "split": self.split,
            "index": self.index,
            "scene_id": scene_id(self.scene),
            **document_of(self.scene, self.annotations),
        }
