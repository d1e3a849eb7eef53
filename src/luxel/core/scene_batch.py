"""Scenes in tensors: the one form that the tracer, the ray model and the image model's tokens all read.

Legend: scenes; objects, the rows of all scenes one after another; world space, scene units, linear RGB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int32, Int64, Shaped
from torch import Tensor

from luxel.core.map_tables import map_tables
from luxel.core.principled import smooth_roughness
from luxel.core.shapes.kinds import BOX, DISC, PLANE, RECTANGLE, kind_of
from luxel.memory import collection_paused
from luxel.scene.camera import frame, rotation_rows, tan_half_fov
from luxel.scene.description import GradientSky, MapSky, Scene, Sun, scene_id

OBJECT_FIELDS = (
    *("kind", "center", "rotation", "scale"),
    *("base_color", "metallic", "specular", "roughness", "transmission", "emission"),
)
SCENE_FIELDS = (
    *("camera_position", "camera_rotation", "tan_half_fov", "is_orthographic", "background"),
    *("sky", "sun_direction", "sun_angular_radius", "sun_radiance"),
    *("map", "map_rotation", "map_scale", "key"),
)
MAP_FIELDS = ("map_sizes", "map_moments", "map_brightest", "map_texels")
"""What is neither of objects nor of scenes, of which several may have one map."""
IS_FLAT = np.isin(range(PLANE + 1), (BOX, RECTANGLE, DISC, PLANE))
"""Whether objects of each kind are."""
NO_SUN = Sun(direction=(0, 0, 1), radiance=(0, 0, 0))
NO_SKY = GradientSky(zenith=(0, 0, 0), horizon=(0, 0, 0))


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
    """Radiance from everywhere."""
    sky: Float[Tensor, "scenes 3 3"]
    """What a `GradientSky` adds: its radiance at the zenith, the horizon and the ground's pole; 0 without one."""
    sun_direction: Float[Tensor, "scenes 3"]
    """Unit length, towards the sun."""
    sun_angular_radius: Float[Tensor, " scenes"]
    """Radians; 0 without a sun."""
    sun_radiance: Float[Tensor, "scenes 3"]
    map: Int32[Tensor, " scenes"]
    """The number of its environment map, or −1."""
    map_rotation: Float[Tensor, " scenes"]
    """Radians about z, anticlockwise seen from above."""
    map_scale: Float[Tensor, " scenes"]
    """Of the map's radiance."""
    key: Int32[Tensor, "scenes 2"]
    """64 bits of the scene's content as it was described, from which its random numbers derive."""
    map_sizes: Int32[Tensor, "maps 2"]
    """Height and width of each map; this and the others are `luxel.core.map_tables.MapTables`."""
    map_moments: Float[Tensor, "maps 4"]
    map_brightest: Float[Tensor, "maps 3"]
    map_texels: Float[Tensor, "texels words"]

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
    def is_sky_constant(self) -> Bool[np.ndarray, " scenes"]:
        """Of each scene, whether the background is all that is infinitely far."""
        of = self.on_cpu.arrays
        return ~(of["sky"].any((1, 2)) | of["sun_radiance"].any(1) | (of["map"] >= 0))

    @property
    def has_constant_skies(self) -> bool:
        """Whether that is so in every scene."""
        return bool(self.is_sky_constant.all())

    @property
    def brightest_sky(self) -> Float[Tensor, "scenes 3"]:
        """The highest radiance that is infinitely far, by channel: of a sun, with the brightest sky behind it."""
        of_map = torch.cat([self.map_brightest, self.map_brightest.new_zeros(1, 3)])[self.map]  # of none the last
        return self.background + self.sky.amax(1) + self.sun_radiance + of_map * self.map_scale[:, None]

    @property
    def is_flat_mirror(self) -> Bool[np.ndarray, " objects"]:
        """Whether the object is flat and of smooth metal alone (`flat_mirrors`)."""
        return flat_mirrors(self.on_cpu.arrays)

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
            moved.remember(self)
        return moved

    def remember(self, host: "SceneBatch") -> None:
        """That this is the same as a batch on the CPU, for `on_cpu`."""
        self.__dict__["_on_cpu"] = host, host.versions, self.versions

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
        of_objects, of_scenes = rows.to(self.device), scenes.to(self.device)
        chosen = {name: getattr(self, name)[of_objects] for name in OBJECT_FIELDS}
        chosen |= {name: getattr(self, name)[of_scenes] for name in SCENE_FIELDS}
        return replace(self, **chosen, offsets=offsets)

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


def flat_mirrors(of: dict[str, np.ndarray]) -> Bool[np.ndarray, " objects"]:
    """Whether objects are flat and of smooth metal alone: a diffuse part would need lights to be looked for."""
    is_smooth = of["roughness"] < smooth_roughness(of["metallic"], of["transmission"])
    found: Bool[np.ndarray, " objects"] = is_smooth & (of["metallic"] > 0.99) & IS_FLAT[of["kind"]]
    return found


@collection_paused()
def scene_arrays(scenes: Sequence[Scene]) -> dict[str, np.ndarray]:
    """The fields of a SceneBatch of the scenes, as NumPy has them and shards store them."""
    items = [item for scene in scenes for item in scene.objects]
    materials = [item.material for item in items]
    frames = [frame(scene.camera) for scene in scenes]
    suns = [scene.sun or NO_SUN for scene in scenes]
    gradients = [scene.sky if isinstance(scene.sky, GradientSky) else NO_SKY for scene in scenes]
    skies = {number: scene.sky for number, scene in enumerate(scenes) if isinstance(scene.sky, MapSky)}
    of_scene = {number: sky.map for number, sky in skies.items()}
    maps = list(dict.fromkeys(of_scene.values()))
    place = {each: number for number, each in enumerate(maps)}
    every = range(len(scenes))
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
        "sky": [(sky.zenith, sky.horizon, sky.ground) for sky in gradients],
        "sun_direction": [sun.direction for sun in suns],
        "sun_angular_radius": [math.radians(sun.angular_radius_degrees) if any(sun.radiance) else 0 for sun in suns],
        "sun_radiance": [sun.radiance for sun in suns],
        "map_rotation": [math.radians(skies[number].rotation_degrees) if number in skies else 0 for number in every],
        "map_scale": [skies[number].scale if number in skies else 0 for number in every],
    }
    return {
        "offsets": np.cumsum([0, *(len(scene.objects) for scene in scenes)], dtype=np.int64),
        "kind": np.array([kind_of(item) for item in items], np.int32),
        **{name: np.array(values, np.float32) for name, values in rows.items()},
        "is_orthographic": np.array([scene.camera.is_orthographic for scene in scenes], np.int32),
        "map": np.array([place[of_scene[number]] if number in skies else -1 for number in every], np.int32),
        "key": np.stack([_key(scene) for scene in scenes]),
        **dict(zip(MAP_FIELDS, map_tables(maps), strict=True)),
    }


def rotation_matrix(quaternion: Float[Tensor, "rows 4"]) -> Float64[Tensor, "rows 3 3"]:
    """Rotations of quaternions (w, x, y, z), whose lengths are divided out, in float64."""
    rows = rotation_rows(*torch.nn.functional.normalize(quaternion.double(), dim=-1).unbind(-1))
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _key(scene: Scene) -> Int32[np.ndarray, "2"]:
    """64 bits that depend on the scene's content."""
    return np.frombuffer(bytes.fromhex(scene_id(scene))[:8], "<i4")
