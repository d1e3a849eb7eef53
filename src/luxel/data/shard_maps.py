"""The environment maps of a shard, each stored once: what its scenes' JSON names by SHA-256 alone.

Their rows are those of `luxel.core.map_tables.MapTables`; the first three words of a texel are its radiance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakValueDictionary

import numpy as np
from jaxtyping import Float32, Int64

from luxel import InputError
from luxel.core.map_tables import map_tables
from luxel.core.scene_batch import MAP_FIELDS
from luxel.data.manifest import REPLACE, DataError
from luxel.scene.environment import embedded, environment_map, lossless, read_map

NONE = dict(zip(MAP_FIELDS, map_tables([]), strict=True))
"""The rows of no map."""


@dataclass(frozen=True, eq=False)
class StoredMap:
    """One map's rows, as they lie in a shard."""

    rows: dict[str, np.ndarray]
    """By the names of MAP_FIELDS."""
    sha256: str
    """`EnvironmentMap.sha256`, of the texels that are there."""

    @staticmethod
    def of(rows: dict[str, np.ndarray], source: str) -> "StoredMap":
        """Reads the texels. Raises DataError for what is no radiance."""
        try:
            return StoredMap(rows, environment_map(_texels(rows), source).sha256)
        except InputError as error:
            raise DataError(f"{error}; {REPLACE}") from None

    @cached_property
    def file(self) -> str:
        """What stands for a file in scenes that have the map: the map itself, once in memory for all of them.

        As .hdr where that keeps every bit, as of what was one: a third of the size, also of scenes that are saved.
        """
        texels = _texels(self.rows)
        short = embedded(texels)
        return short if read_map(short).sha256 == self.sha256 else lossless(texels)


def _texels(rows: Mapping[str, np.ndarray]) -> Float32[np.ndarray, "height width 3"]:
    return rows["map_texels"][:, :3].reshape(*rows["map_sizes"][0], 3)


_SHARED: WeakValueDictionary[str, StoredMap] = WeakValueDictionary()
"""What shards of this process have been asked for, by SHA-256: equal maps of several shards are one."""


class ShardMaps:
    """The maps of a shard by their number in it, read when asked for; `source` begins messages.

    Raises DataError unless the sizes are those of the texels.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], source: str) -> None:
        self._arrays, self._source = arrays, source
        self._found: dict[int, StoredMap] = {}
        sizes, texels = arrays["map_sizes"].astype(np.int64), len(arrays["map_texels"])
        self._ends: Int64[np.ndarray, " maps"] = sizes.prod(1).cumsum()
        lengths = {len(arrays[name]) for name in MAP_FIELDS if name != "map_texels"}
        if (sizes <= 0).any() or lengths != {len(sizes)} or texels != sizes.prod(1).sum():
            raise DataError(f"{source}: map_sizes is {sizes.tolist()}, must be of {texels} texels in all; {REPLACE}")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> StoredMap:
        if number not in self._found:
            texels = slice(self._ends[number - 1] if number else 0, self._ends[number])
            places = dict.fromkeys(MAP_FIELDS, slice(number, number + 1)) | {"map_texels": texels}
            rows = {name: self._arrays[name][place] for name, place in places.items()}
            one = StoredMap.of(rows, f"{self._source}: map {number}")
            self._found[number] = _SHARED.setdefault(one.sha256, one)
        return self._found[number]


def gathered_maps(of_scenes: Sequence[StoredMap | None]) -> dict[str, np.ndarray]:
    """The fields of a SceneBatch whose scenes have these maps: equal maps once, and the number of each scene's."""
    different = {one.sha256: one for one in of_scenes if one is not None}
    numbers = {sha256: number for number, sha256 in enumerate(different)}
    rows = {name: [NONE[name], *(one.rows[name] for one in different.values())] for name in MAP_FIELDS}
    of_scene = [-1 if one is None else numbers[one.sha256] for one in of_scenes]
    return {"map": np.array(of_scene, np.int32), **{name: np.concatenate(parts) for name, parts in rows.items()}}
