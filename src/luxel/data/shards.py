"""The shard: up to 256 scenes, as JSON and as arrays, and their traced images, in one safetensors file.

| tensor         | dtype   | shape                          |                                            |
|----------------|---------|--------------------------------|--------------------------------------------|
| radiance       | float32 | [scenes, height, width, 3]     | linear RGB                                 |
| variance       | float32 | [scenes, height, width, 3]     | of `radiance`                              |
| path_variance  | float32 | [scenes]                       | of one path; without it, spp · `variance` |
| ids            | uint8   | [scenes, 32]                   | scene ids (SHA-256)                        |
| scenes         | uint8   | [bytes]                        | the scenes' canonical JSON, one after another |
| scene_offsets  | int64   | [scenes + 1]                   | where each begins and ends                 |
| batch.*        |         |                                | the scenes as arrays: batch.offsets, batch.kind, … |

`batch.*` are what `luxel.core.scene_batch.scene_arrays` makes of the scenes: the fields of a SceneBatch. The JSON is
what counts; the arrays spare reading it. Shards that lack any of them are read by their JSON, as are all that were
written before there were any, whose four other tensors (`objects`, `mask`, `camera`, `background`) nothing reads.

The bytes depend on the scenes and images alone: no date, no machine, no order of a dictionary.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from luxel.core.scene_batch import MAP_FIELDS, OBJECT_FIELDS, SCENE_FIELDS, scene_arrays
from luxel.data.manifest import DataError, ShardEntry
from luxel.data.split import Split
from luxel.files.atomic import write_atomically
from luxel.scene.description import Scene, scene_id
from luxel.trace.tracer import Radiance

SCENES_A_SHARD = 256
ARRAYS = "batch."
"""What the names of the scenes' arrays begin with."""
ALL_FIELDS = ("offsets", *OBJECT_FIELDS, *SCENE_FIELDS, *MAP_FIELDS)
LATER = "is_orthographic"
"""Of these the one that shards lack from before there were orthographic cameras; their cameras are none."""
REPLACE = "delete the shard, and generate again with the same settings"


def shard_file(split: Split, number: int) -> str:
    """The file name of a split's shard."""
    return f"{split}-{number:05d}.safetensors"


def write_shard(root: Path, split: Split, number: int, scenes: Sequence[Scene], radiance: Radiance) -> ShardEntry:
    """Write one shard into the folder, atomically, and return its line of the manifest."""
    texts = [scene.to_json().encode() for scene in scenes]
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
        self._path = path

    @cached_property
    def tensors(self) -> dict[str, np.ndarray]:
        """Every tensor as it lies in the file: what is not looked at is not read, and nothing can be written."""
        try:
            with safe_open(self._path, framework="pt") as file:  # which copies nothing, as NumPy's would
                arrays = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (OSError, SafetensorError) as error:
            raise DataError(f"{self._path}: can't be read as a shard: {error}; {REPLACE}") from None
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
            raise DataError(f"{self._path}: {name} is missing; {REPLACE}")
        if (array.dtype, array.shape) != (dtype, shape):
            raise DataError(
                f"{self._path}: {name} is {array.dtype} {list(array.shape)}, must be {dtype} {list(shape)}; {REPLACE}"
            )

    def _check_ranges(self, name: str, end: int) -> None:
        """Raise DataError unless the offsets rise from 0 to `end`."""
        offsets = self.tensors[name]
        if offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any():
            raise DataError(f"{self._path}: {name} must rise from 0 to {end}; {REPLACE}")

    def _check_values(self, name: str) -> None:
        """Raise DataError, with the scene, for a value that is not finite, or negative."""
        values = self.tensors[name]
        if values.size == 0 or (values.min() >= 0 and values.max() < np.inf):  # NaN is neither
            return
        row, *place = np.argwhere(~((values >= 0) & (values < np.inf)))[0].tolist()
        where = f"{name}{place}" if place else name
        raise DataError(
            f"{self._path}: scene {row}: {where} is {values[row, *place]}, must be finite and at least 0; {REPLACE}"
        )

    def _check_arrays(self, scenes: int) -> None:
        """Raise DataError unless the scenes' arrays have the types and lengths of those of a scene."""
        self._check_tensor(ARRAYS + "offsets", np.dtype(np.int64), (scenes + 1,))
        objects = int(self.tensors[ARRAYS + "offsets"][-1])
        self._check_ranges(ARRAYS + "offsets", objects)
        for name, array in scene_arrays([self.scene(0)]).items():
            if name in MAP_FIELDS:
                length = len(self.tensors.get(ARRAYS + name, array))
                self._check_tensor(ARRAYS + name, array.dtype, (length, *array.shape[1:]))
            elif name != "offsets" and (name != LATER or ARRAYS + name in self.tensors):
                length = objects if name in OBJECT_FIELDS else scenes
                self._check_tensor(ARRAYS + name, array.dtype, (length, *array.shape[1:]))

    def scene(self, row: int) -> Scene:
        """One scene, exactly as it was rendered."""
        start, stop = self.tensors["scene_offsets"][row : row + 2].tolist()
        return Scene.from_json(self.tensors["scenes"][start:stop].tobytes(), f"{self._path}, scene {row}")

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path}


def gathered(places: Sequence[tuple[Mapping[str, np.ndarray], int]]) -> dict[str, np.ndarray]:
    """The arrays of the scenes that stand at these rows of the arrays of some shards, one after another."""
    parts = [(arrays, row, *arrays["offsets"][row : row + 2].tolist()) for arrays, row in places]
    lengths = [stop - start for _, _, start, stop in parts]
    return {
        "offsets": np.cumsum([0, *lengths], dtype=np.int64),
        **{
            name: np.concatenate([arrays[name][start:stop] for arrays, _, start, stop in parts])
            for name in OBJECT_FIELDS
        },
        **{name: np.concatenate([arrays[name][row : row + 1] for arrays, row, _, _ in parts]) for name in SCENE_FIELDS},
        **_maps_of(places),
    }


def _maps_of(places: Sequence[tuple[Mapping[str, np.ndarray], int]]) -> dict[str, np.ndarray]:
    """The environment maps that these scenes have, those of one shard once each, and the number of each scene's."""
    numbers: dict[tuple[int, int], int] = {}
    parts = {name: [places[0][0][name][:0]] for name in MAP_FIELDS}
    of_scene = []
    for arrays, row in places:
        number = int(arrays["map"][row])
        if number >= 0 and (id(arrays), number) not in numbers:
            numbers[id(arrays), number] = len(numbers)
            texels = arrays["map_sizes"].astype(np.int64).prod(1)
            begin = int(texels[:number].sum())
            for name in MAP_FIELDS:
                one = slice(begin, begin + int(texels[number])) if name == "map_texels" else slice(number, number + 1)
                parts[name].append(arrays[name][one])
        of_scene.append(numbers.get((id(arrays), number), -1))
    return {"map": np.array(of_scene, np.int32), **{name: np.concatenate(rows) for name, rows in parts.items()}}
