"""The shard: up to 256 scenes, as JSON and as arrays, and their traced images, in one safetensors file.

| tensor         | dtype   | shape                          |                                            |
|----------------|---------|--------------------------------|--------------------------------------------|
| radiance       | float32 | [scenes, height, width, 3]     | linear RGB                                 |
| variance       | float32 | [scenes, height, width, 3]     | of `radiance`                              |
| path_variance  | float32 | [scenes]                       | of one path; without it, spp · `variance` |
| ids            | uint8   | [scenes, 32]                   | scene ids (SHA-256)                        |
| scenes         | uint8   | [bytes]                        | the scenes' `stored_json`, one after another |
| scene_offsets  | int64   | [scenes + 1]                   | where each begins and ends                 |
| batch.*        |         |                                | the scenes as arrays: batch.offsets, batch.kind, … |

`batch.*` are what `luxel.core.scene_batch.scene_arrays` makes of the scenes: the fields of a SceneBatch. The JSON is
what counts; the arrays spare reading it. Shards that lack any of them are read by their JSON, as are all that were
written before there were any, whose four other tensors (`objects`, `mask`, `camera`, `background`) nothing reads.

An environment map of scenes is in `batch.map_*` alone, once, and their JSON names its SHA-256: no file but the shard is
needed, and of older ones, whose JSON has the file's path, neither. Older JSON may have a map within, which is read.

The bytes depend on the scenes and images alone: no date, no machine, no path, no order of a dictionary.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from luxel.configuration import shortened
from luxel.core.scene_batch import MAP_FIELDS, OBJECT_FIELDS, SCENE_FIELDS, scene_arrays
from luxel.data.manifest import REPLACE, DataError, ShardEntry
from luxel.data.shard_maps import ShardMaps, StoredMap, gathered_maps
from luxel.data.split import Split
from luxel.files.atomic import write_atomically
from luxel.scene.description import Camera, Scene, Sphere, parsed_json, scene_id, stored_json
from luxel.scene.environment import EMBEDDED
from luxel.trace.tracer import Radiance

SCENES_A_SHARD = 256
ARRAYS = "batch."
"""What the names of the scenes' arrays begin with."""
ALL_FIELDS = ("offsets", *OBJECT_FIELDS, *SCENE_FIELDS, *MAP_FIELDS)
ANY_SCENE = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)))
"""Whose arrays have the types and columns that all have."""
LATER = "is_orthographic"
"""Of these the one that shards lack from before there were orthographic cameras; their cameras are none."""


def shard_file(split: Split, number: int) -> str:
    """The file name of a split's shard."""
    return f"{split}-{number:05d}.safetensors"


def write_shard(root: Path, split: Split, number: int, scenes: Sequence[Scene], radiance: Radiance) -> ShardEntry:
    """Write one shard into the folder, atomically, and return its line of the manifest."""
    texts = [stored_json(scene).encode() for scene in scenes]
    content = save(
        {
            "radiance": radiance.mean,
            "variance": radiance.variance,
            "path_variance": radiance.variance_of_a_path,
            "ids": np.array([list(bytes.fromhex(scene_id(scene))) for scene in scenes], np.uint8),
            "scenes": np.frombuffer(b"".join(texts), np.uint8),
            "scene_offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64),
            **{ARRAYS + name: array for name, array in scene_arrays(scenes).items()},
        }
    )
    file = shard_file(split, number)
    write_atomically(root / file, content)
    longest = max(len(scene.objects) for scene in scenes)
    return ShardEntry(file, split, len(scenes), longest, hashlib.sha256(content).hexdigest())


class ShardReader:
    """A memory-mapped shard; opened when first read, and anew in a process that it is sent to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def tensors(self) -> dict[str, np.ndarray]:
        """Every tensor as it lies in the file: what is not looked at is not read, and nothing can be written."""
        try:
            with safe_open(self.path, framework="pt") as file:  # which copies nothing, as NumPy's would
                arrays = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (OSError, SafetensorError) as error:
            raise DataError(f"{self.path}: can't be read as a shard: {error}; {REPLACE}") from None
        for array in arrays.values():
            array.flags.writeable = False
        return arrays

    @property
    def _has_arrays(self) -> bool:
        return {ARRAYS + name for name in ALL_FIELDS if name != LATER} <= self.tensors.keys()

    @cached_property
    def scene_arrays(self) -> dict[str, np.ndarray]:
        """The scenes' arrays: those of the file, or made from its JSON."""
        if self._has_arrays:
            none = np.zeros(len(self.tensors["ids"]), np.int32)
            return {name: self.tensors.get(ARRAYS + name, none) for name in ALL_FIELDS}
        return scene_arrays([self.scene(row) for row in range(len(self.tensors["ids"]))])

    @cached_property
    def _maps(self) -> ShardMaps:
        return ShardMaps(self.scene_arrays, str(self.path))

    @property
    def texels_of_maps(self) -> list[int]:
        """How many each map has, by its number; no texel is read."""
        sizes = self.tensors.get(ARRAYS + "map_sizes", np.zeros((0, 2), np.int32))
        texels: list[int] = sizes.astype(np.int64).prod(1).tolist()
        return texels

    def map_of(self, row: int) -> StoredMap | None:
        """The environment map of one scene, if it has one. Raises DataError if it is none."""
        number = int(self.scene_arrays["map"][row])
        return self._maps[number] if number >= 0 else None

    def ids(self, scenes: int) -> list[str]:
        """The ids of so many scenes. Raises DataError unless the shard has them."""
        self._check_tensor("ids", np.dtype(np.uint8), (scenes, 32))
        return [row.tobytes().hex() for row in self.tensors["ids"]]

    def check(self, scenes: int, height: int, width: int) -> None:
        """Read the shard whole. Raises DataError, with the tensor and the scene, if it is not as in the table.

        Radiance and variances must be finite and not negative.
        """
        image = (scenes, height, width, 3)
        table = {
            "radiance": (np.float32, image),
            "variance": (np.float32, image),
            "ids": (np.uint8, (scenes, 32)),
            "scenes": (np.uint8, self.tensors.get("scenes", np.zeros(0)).shape[:1]),
            "scene_offsets": (np.int64, (scenes + 1,)),
        }
        if "path_variance" in self.tensors:
            table["path_variance"] = (np.float32, (scenes,))
        for name, (dtype, shape) in table.items():
            self._check_tensor(name, np.dtype(dtype), shape)
        self._check_ranges("scene_offsets", len(self.tensors["scenes"]))
        for name in ("radiance", "variance", "path_variance"):
            if name in self.tensors:
                self._check_values(name)
        if self._has_arrays:
            self._check_arrays(scenes)

    def _check_tensor(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Raise DataError unless the tensor is there, of this type and shape."""
        array = self.tensors.get(name)
        if array is None:
            raise DataError(f"{self.path}: {name} is missing; {REPLACE}")
        if (array.dtype, array.shape) != (dtype, shape):
            raise DataError(
                f"{self.path}: {name} is {array.dtype} {list(array.shape)}, must be {dtype} {list(shape)}; {REPLACE}"
            )

    def _check_ranges(self, name: str, end: int) -> None:
        """Raise DataError unless the offsets rise from 0 to `end`."""
        offsets = self.tensors[name]
        if offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any():
            raise DataError(f"{self.path}: {name} must rise from 0 to {end}; {REPLACE}")

    def _check_values(self, name: str) -> None:
        """Raise DataError, with the scene, for a value that is not finite, or negative."""
        values = self.tensors[name]
        if values.size == 0 or (values.min() >= 0 and values.max() < np.inf):  # NaN is neither
            return
        row, *place = np.argwhere(~((values >= 0) & (values < np.inf)))[0].tolist()
        where = f"{name}{place}" if place else name
        raise DataError(
            f"{self.path}: scene {row}: {where} is {values[row, *place]}, must be finite and at least 0; {REPLACE}"
        )

    def _check_arrays(self, scenes: int) -> None:
        """Raise DataError unless the scenes' arrays have the types and lengths of those of a scene."""
        self._check_tensor(ARRAYS + "offsets", np.dtype(np.int64), (scenes + 1,))
        objects = int(self.tensors[ARRAYS + "offsets"][-1])
        self._check_ranges(ARRAYS + "offsets", objects)
        for name, array in scene_arrays([ANY_SCENE]).items():
            if name in MAP_FIELDS:
                length = len(self.tensors.get(ARRAYS + name, array))
                self._check_tensor(ARRAYS + name, array.dtype, (length, *array.shape[1:]))
            elif name != "offsets" and (name != LATER or ARRAYS + name in self.tensors):
                length = objects if name in OBJECT_FIELDS else scenes
                self._check_tensor(ARRAYS + name, array.dtype, (length, *array.shape[1:]))
        numbers, maps = self.tensors[ARRAYS + "map"], len(self._maps)
        if not ((numbers >= -1) & (numbers < maps)).all():
            raise DataError(f"{self.path}: {ARRAYS}map must be in [-1, {maps - 1}]; {REPLACE}")
        self.scene(0)

    def scene(self, row: int) -> Scene:
        """One scene, exactly as it was rendered."""
        start, stop = self.tensors["scene_offsets"][row : row + 2].tolist()
        source = f"{self.path}, scene {row}"
        values = parsed_json(self.tensors["scenes"][start:stop].tobytes(), source)
        sky = values.get("sky") if isinstance(values, dict) else None
        if isinstance(sky, dict) and "sha256" in sky and not str(sky.get("file", "")).startswith(EMBEDDED):
            values["sky"] = {**sky, "file": self._map_file(row, sky["sha256"])}
        return Scene.from_values(values, source)

    def _map_file(self, row: int, sha256: str) -> str:
        """What stands for the file of a scene's map. Raises DataError unless the map is that of this SHA-256."""
        found = self.map_of(row) if self._has_arrays else None
        if found is None or found.sha256 != sha256:
            what = "is missing" if found is None else f"has the SHA-256 {found.sha256}, must have {shortened(sha256)}"
            raise DataError(f"{self.path}: the map of scene {row} {what}; {REPLACE}")
        return found.file

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}


def gathered(places: Sequence[tuple[ShardReader, int]]) -> dict[str, np.ndarray]:
    """The arrays of the scenes that stand at these rows of some shards, one after another."""
    all_arrays = [(reader.scene_arrays, row) for reader, row in places]
    parts = [(arrays, row, *arrays["offsets"][row : row + 2].tolist()) for arrays, row in all_arrays]
    lengths = [stop - start for _, _, start, stop in parts]
    return {
        "offsets": np.cumsum([0, *lengths], dtype=np.int64),
        **{
            name: np.concatenate([arrays[name][start:stop] for arrays, _, start, stop in parts])
            for name in OBJECT_FIELDS
        },
        **{name: np.concatenate([arrays[name][row : row + 1] for arrays, row, _, _ in parts]) for name in SCENE_FIELDS},
        **gathered_maps([reader.map_of(row) for reader, row in places]),
    }
