"""A picture's labels as files: arrays as KEY.npz, and all that JSON can hold as KEY.json."""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NotRequired, TypedDict

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from luxel.configuration import Configuration
from luxel.data.annotations import Annotations, box_of
from luxel.data.rle import Rle, encode
from luxel.scene.description import Scene, stored_json


@dataclass(frozen=True)
class LabelChoice(Configuration):
    """Which labels of a picture are written; its camera, scene and shapes always are if any is."""

    masks: bool = False
    """What is seen of every object, and all of it that is in the frame; and which object each pixel shows."""
    depth: bool = False
    """Along the viewing direction, in scene units."""
    normals: bool = False
    """In world space."""
    albedo: bool = False
    """Base colours, linear RGB."""
    boxes: bool = False
    """In pixels, of what is seen and of the whole object; and oriented in world space, with corners in pixels."""

    @property
    def chosen(self) -> list[str]:
        """The names of those that are."""
        return [field.name for field in fields(self) if getattr(self, field.name)]


ALL_LABELS = LabelChoice(masks=True, depth=True, normals=True, albedo=True, boxes=True)


@dataclass(frozen=True)
class FrameLabelChoice(LabelChoice):
    """Which labels of a movie's frame are written."""

    flow: bool = False
    """To the next frame, in pixels; the last frame has none."""


ALL_FRAME_LABELS = FrameLabelChoice(**vars(ALL_LABELS), flow=True)


class ObjectDocument(TypedDict):
    """Labels of one object of the scene; masks are the pixels that it covers most of, boxes those of `Annotations`."""

    shape: str
    visible_mask: NotRequired[Rle]
    amodal_mask: NotRequired[Rle]
    visible_area: NotRequired[int]
    """Pixels of `visible_mask`."""
    mask_box: NotRequired[list[int]]
    """(x, y, width, height) of these; `visible_box` is about all pixels that the object covers some of."""
    visible_box: NotRequired[list[int]]
    amodal_box: NotRequired[list[int]]
    whole_box: NotRequired[list[float | None]]
    """None, JSON's null, where there is none."""
    box_center: NotRequired[list[float]]
    box_half_extents: NotRequired[list[float | None]]
    """None where infinite."""
    box_rotation: NotRequired[list[list[float]]]
    box_corners: NotRequired[list[list[float | None]]]
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
    """All of it, in Luxel's format, but for an environment map: of that the SHA-256."""


def arrays_of(labels: Annotations, choice: LabelChoice = ALL_LABELS) -> dict[str, np.ndarray]:
    """The chosen arrays, by `Annotations`' names, and flow where there is some; of masks 255 is a whole pixel."""
    arrays: dict[str, np.ndarray] = {}
    if choice.masks:
        arrays["visible"], arrays["amodal"] = as_bytes(labels.visible), as_bytes(labels.amodal)
    if choice.depth:
        arrays["depth"] = labels.depth
    if choice.normals:
        arrays["normal"] = labels.normal
    if choice.albedo:
        arrays["albedo"] = labels.albedo
    if choice.masks:
        arrays["object_number"] = labels.object_number.astype(np.int32)
    if labels.flow is not None:
        arrays["flow"] = labels.flow
    return arrays


def npz_of(arrays: Mapping[str, np.ndarray]) -> bytes:
    """NumPy's compressed file of the arrays."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def document_of(scene: Scene, labels: Annotations, choice: LabelChoice = ALL_LABELS) -> PictureDocument:
    """A picture's labels, but for the arrays."""
    height, width = labels.depth.shape
    return {
        "width": width,
        "height": height,
        "is_orthographic": scene.camera.is_orthographic,
        "intrinsics": labels.intrinsics.tolist(),
        "camera_from_world": labels.camera_from_world.tolist(),
        "objects": [object_document(item.shape, labels, number, choice) for number, item in enumerate(scene.objects)],
        "scene": json.loads(stored_json(scene)),
    }


def object_document(shape: str, labels: Annotations, number: int, choice: LabelChoice) -> ObjectDocument:
    """The labels of one object."""
    found: ObjectDocument = {"shape": shape}
    if choice.masks:
        visible, amodal = is_covered(labels.visible[number]), is_covered(labels.amodal[number])
        x0, y0, x1, y1 = box_of(visible).tolist()
        found["visible_mask"], found["amodal_mask"] = encode(visible), encode(amodal)
        found["visible_area"] = int(visible.sum())
        found["mask_box"] = [x0, y0, x1 - x0, y1 - y0]
    if choice.boxes:
        found["visible_box"] = labels.visible_box[number].tolist()
        found["amodal_box"] = labels.amodal_box[number].tolist()
        found["whole_box"] = finite(labels.whole_box[number].tolist())
        found["box_center"] = labels.box_center[number].tolist()
        found["box_half_extents"] = finite(labels.box_half_extents[number].tolist())
        found["box_rotation"] = labels.box_rotation[number].tolist()
        found["box_corners"] = [finite(corner) for corner in labels.box_corners[number].tolist()]
    return found


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
