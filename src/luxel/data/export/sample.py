"""One sample of a data set as files: its picture, radiance, label arrays, and a document of all that JSON can hold."""

import io
import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from luxel.data.annotations import Annotations, annotate, box_of
from luxel.data.dataset import ShardDataset
from luxel.data.export.rle import Rle, encode
from luxel.data.split import Split
from luxel.image.formats import encoded, to_bytes, write_exr
from luxel.scene.description import Scene, scene_id, stored_json


class ObjectDocument(TypedDict):
    """Labels of one object of the scene; boxes are those of `Annotations`, masks the pixels that it covers most of."""

    shape: str
    visible_box: list[int]
    amodal_box: list[int]
    visible_mask: Rle
    amodal_mask: Rle
    visible_area: int
    """Pixels of `visible_mask`."""
    mask_box: list[int]
    """(x, y, width, height) of these; `visible_box` is about all pixels that the object covers some of."""
    box_center: list[float]
    box_half_extents: list[float | None]
    """None, JSON's null, where infinite."""
    box_rotation: list[list[float]]
    box_corners: list[list[float | None]]
    """None where not in front of the camera."""


class PictureDocument(TypedDict):
    """What is said of one picture."""

    width: int
    height: int
    is_orthographic: bool
    intrinsics: list[list[float]]
    camera_from_world: list[list[float]]
    objects: list[ObjectDocument]
    """In the scene's order."""
    scene: dict[str, Any]
    """All of it, in Luxel's format, but for a map that came from a file: of that the SHA-256."""


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
        yield ".npz", npz_of(self.annotations)
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


def npz_of(labels: Annotations) -> bytes:
    """Depth, normals, base colours, and masks of which 255 is a whole pixel; the names are `Annotations`'."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        visible=as_bytes(labels.visible),
        amodal=as_bytes(labels.amodal),
        depth=labels.depth,
        normal=labels.normal,
        albedo=labels.albedo,
        object_number=labels.object_number.astype(np.int32),
    )
    return content.getvalue()


def document_of(scene: Scene, labels: Annotations) -> PictureDocument:
    """A picture's labels, but for the arrays."""
    height, width = labels.depth.shape
    return {
        "width": width,
        "height": height,
        "is_orthographic": scene.camera.is_orthographic,
        "intrinsics": labels.intrinsics.tolist(),
        "camera_from_world": labels.camera_from_world.tolist(),
        "objects": [object_document(item.shape, labels, number) for number, item in enumerate(scene.objects)],
        "scene": json.loads(stored_json(scene)),
    }


def object_document(shape: str, labels: Annotations, number: int) -> ObjectDocument:
    """The labels of one object."""
    visible, amodal = is_covered(labels.visible[number]), is_covered(labels.amodal[number])
    x0, y0, x1, y1 = box_of(visible).tolist()
    return {
        "shape": shape,
        "visible_box": labels.visible_box[number].tolist(),
        "amodal_box": labels.amodal_box[number].tolist(),
        "visible_mask": encode(visible),
        "amodal_mask": encode(amodal),
        "visible_area": int(visible.sum()),
        "mask_box": [x0, y0, x1 - x0, y1 - y0],
        "box_center": labels.box_center[number].tolist(),
        "box_half_extents": finite(labels.box_half_extents[number].tolist()),
        "box_rotation": labels.box_rotation[number].tolist(),
        "box_corners": [finite(corner) for corner in labels.box_corners[number].tolist()],
    }


def json_of(document: Mapping[str, Any]) -> bytes:
    """As it is written, in one line."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def key_of(index: int) -> str:
    """The stem of the files of sample number `index`; without dots, at which WebDataset would cut it."""
    return f"{index:06d}"


def is_covered(share: Float32[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The pixels that an object has for itself; of any pixel there is at most one visible object that has."""
    return share > 0.5


def as_bytes(share: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Shares 0 … 1 as 0 … 255."""
    return (share.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def finite(numbers: list[float]) -> list[float | None]:
    """The numbers, but None for what JSON has no word for: infinite ones and NaN."""
    return [number if math.isfinite(number) else None for number in numbers]
