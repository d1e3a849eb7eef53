"""Scenes in tensors: the one form that the tracer, the ray model and the image model's tokens all read.

Legend: scenes; objects, the rows of all scenes one after another; world space, scene units, linear RGB.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int32, Int64, Shaped
from torch import Tensor

from luxel.core.shapes.kinds import DISC, RECTANGLE, kind_of
from luxel.memory import collection_paused
from luxel.scene.camera import frame, rotation_rows, tan_half_fov
from luxel.scene.description import Scene

OBJECT_FIELDS = (
    *("kind", "center", "rotation", "scale"),
    *("base_color", "metallic", "specular", "roughness", "transmission", "emission"),
)
SCENE_FIELDS = ("camera_position", "camera_rotation", "tan_half_fov", "is_orthographic", "background", "key")


@dataclass(frozen=True)
class SceneBatch:
    """Scenes as rows of objects. Any float field may require gradients, which torch's functions of it give (tokens).

    What kernels compute from them has none: for derivatives of pictures there is `luxel.fit`.

    An object is the image of a unit shape (`luxel.core.shapes`): world = center + R(rotation) · (scale ∘ unit).
    """

    offsets: Int64[Tensor, "scenes_and_one"]
    """Scene s has the rows offsets[s] … offsets[s + 1] − 1. On the CPU, wherever the others are."""
    kind: Int32[Tensor, " objects"]
    """See `luxel.core.shapes.kinds`."""
    center: Float[Tensor, "objects 3"]
    rotation: Float[Tensor, "objects 4"]
    """Quaternions (w, x, y, z); their lengths are divided out."""
    scale: Float[Tensor, "objects 3"]
    base_color: Float[Tensor, "objects 3"]
    metallic: Float[Tensor, " objects"]
    specular: Float[Tensor, " objects"]
    roughness: Float[Tensor, " objects"]
    transmission: Float[Tensor, " objects"]
    emission: Float[Tensor, "objects 3"]
    """Radiance."""
    camera_position: Float[Tensor, "scenes 3"]
    camera_rotation: Float[Tensor, "scenes 3 3"]
    """World from camera; columns are right, up and backward."""
    tan_half_fov: Float[Tensor, " scenes"]
    """Half the picture's height at distance 1; of an orthographic camera, at any distance, in scene units."""
    is_orthographic: Int32[Tensor, " scenes"]
    """1 of cameras whose rays are parallel, else 0."""
    background: Float[Tensor, "scenes 3"]
    """Radiance of the sky."""
    key: Int32[Tensor, "scenes 2"]
    """64 bits of the scene's content as it was described, from which its random numbers derive."""

    @staticmethod
    def of(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> "SceneBatch":
        """The scenes, in float32."""
        return SceneBatch.from_arrays(scene_arrays(scenes)).to(device)

    @staticmethod
    def from_arrays(arrays: dict[str, np.ndarray]) -> "SceneBatch":
        """What `scene_arrays` returned."""
        batch = SceneBatch(**{name: torch.from_numpy(array) for name, array in arrays.items()})
        batch.__dict__["_arrays"] = dict(arrays)
        return batch

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The fields as NumPy sees them, where they are, of a batch on the CPU."""
        kept: dict[str, np.ndarray] | None = self.__dict__.get("_arrays")
        return kept or {field.name: getattr(self, field.name).detach().numpy() for field in fields(self)}

    def __repr__(self) -> str:
        return f"SceneBatch({len(self)} scenes of {len(self.center)} objects, on {self.center.device})"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def device(self) -> torch.device:
        """Where the tensors are, but for `offsets`."""
        return self.center.device

    @cached_property
    def counts(self) -> Int64[Tensor, " scenes"]:
        """Objects of each scene, on the CPU."""
        return self.offsets.diff()

    @cached_property
    def scene_of_object(self) -> Int64[Tensor, " objects"]:
        """The scene that each row belongs to."""
        return torch.arange(len(self)).repeat_interleave(self.counts).to(self.device)

    @property
    def is_panel(self) -> Bool[Tensor, " objects"]:
        """Whether the object has no thickness: both its sides are outside, and its third scale means nothing."""
        return (self.kind == RECTANGLE) | (self.kind == DISC)

    @property
    def is_emissive(self) -> Bool[Tensor, " objects"]:
        """Whether the object emits any light."""
        return (self.emission > 0).any(1)

    def to(self, device: torch.device | str) -> "SceneBatch":
        """The same on another device."""
        there = torch.device(device)
        if self.device.type == there.type and there.index in (None, self.device.index):
            return self
        moved = self._each(lambda _, values: values.to(there))
        if self.device.type == "cpu":
            moved.__dict__["_on_cpu"] = self, self.versions, moved.versions
        return moved

    @property
    def on_cpu(self) -> "SceneBatch":
        """The same on the CPU: where it came from, as long as neither was written to."""
        kept: tuple[SceneBatch, Any, Any] | None = self.__dict__.get("_on_cpu")
        if kept is not None and kept[1:] == (kept[0].versions, self.versions):
            return kept[0]
        return self.to("cpu")

    @property
    def versions(self) -> tuple[int | None, ...]:
        """How often each tensor was written to, as torch counts it; of inference tensors nothing is known."""
        tensors = [getattr(self, field.name) for field in fields(self)]
        return tuple(None if tensor.is_inference() else tensor._version for tensor in tensors)

    def __getstate__(self) -> dict[str, Tensor]:
        """The fields alone: what kernels were given of them can't go to another process."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def select(self, scenes: Int64[Tensor, " some"]) -> "SceneBatch":
        """The scenes of these numbers (on the CPU), in this order."""
        counts = self.counts[scenes]
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        rows = torch.arange(int(offsets[-1])) + (self.offsets[:-1][scenes] - offsets[:-1]).repeat_interleave(counts)
        there = {True: rows.to(self.device), False: scenes.to(self.device)}
        chosen = self._each(lambda name, values: values[there[name in OBJECT_FIELDS]])
        return replace(chosen, offsets=offsets)

    def __getitem__(self, part: slice) -> "SceneBatch":
        return self.select(torch.arange(len(self))[part])

    def padded(self, values: Shaped[Tensor, "objects *features"], length: int) -> Shaped[Tensor, "*any"]:
        """Rows of objects as [scenes, length, *features], zeros behind the objects that are there.

        Raises ValueError if a scene has more objects than `length`.
        """
        longest = int(self.counts.max())
        if longest > length:
            raise ValueError(f"a scene has {longest} objects, more than the {length} there is room for")
        place = self.scene_of_object * length + self.number_in_scene
        flat = values.new_zeros(len(self) * length, *values.shape[1:]).index_copy(0, place, values)
        return flat.unflatten(0, (len(self), length))

    @cached_property
    def number_in_scene(self) -> Int64[Tensor, " objects"]:
        """Each row's number among those of its scene."""
        return (
            torch.arange(len(self.center), device=self.device) - self.offsets[:-1].to(self.device)[self.scene_of_object]
        )

    def _each(self, change: Any) -> "SceneBatch":
        """change(name, values) of every field but `offsets`."""
        names = [field.name for field in fields(self) if field.name != "offsets"]
        return replace(self, **{name: change(name, getattr(self, name)) for name in names})


@collection_paused()
def scene_arrays(scenes: Sequence[Scene]) -> dict[str, np.ndarray]:
    """The fields of a SceneBatch of the scenes, as NumPy has them and shards store them."""
    items = [item for scene in scenes for item in scene.objects]
    materials = [item.material for item in items]
    frames = [frame(scene.camera) for scene in scenes]
    rows = {
        "center": [item.center for item in items],
        "rotation": [item.rotation for item in items],
        "scale": [item.scale for item in items],
        "base_color": [material.base_color for material in materials],
        "metallic": [material.metallic for material in materials],
        "specular": [material.specular for material in materials],
        "roughness": [material.roughness for material in materials],
        "transmission": [material.transmission for material in materials],
        "emission": [material.emission for material in materials],
        "camera_position": [scene.camera.position for scene in scenes],
        "camera_rotation": [one.rotation for one in frames],
        "tan_half_fov": [tan_half_fov(scene.camera) for scene in scenes],
        "background": [scene.background for scene in scenes],
    }
    return {
        "offsets": np.cumsum([0, *(len(scene.objects) for scene in scenes)], dtype=np.int64),
        "kind": np.array([kind_of(item) for item in items], np.int32),
        **{name: np.array(values, np.float32) for name, values in rows.items()},
        "is_orthographic": np.array([scene.camera.is_orthographic for scene in scenes], np.int32),
        "key": np.stack([_key(scene) for scene in scenes]),
    }


def rotation_matrix(quaternion: Float[Tensor, "rows 4"]) -> Float64[Tensor, "rows 3 3"]:
    """Rotations of quaternions (w, x, y, z), whose lengths are divided out, in float64."""
    rows = rotation_rows(*torch.nn.functional.normalize(quaternion.double(), dim=-1).unbind(-1))
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _key(scene: Scene) -> Int32[np.ndarray, "2"]:
    """64 bits that depend on the scene's content."""
    return np.frombuffer(hashlib.sha256(scene.to_json().encode()).digest()[:8], "<i4")
