"""A ray model's frames on a GPU, recorded as CUDA graphs and replayed for other scenes of the same size.

A frame is some 200 launches of microseconds each, for which the host needs longer than the GPU. A graph needs one, but
what is launched is the same every time: there is room for a little more of all that is counted on the GPU than the
recorded frame needed (`luxel.models.ray_model.FrameRoom`), and in the tables of its scenes; a frame that needs more is
recorded anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int32, Shaped
from torch import Tensor

from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import MAP_FIELDS, OBJECT_FIELDS, SCENE_FIELDS, SceneBatch
from luxel.core.scene_tables import scene_tables
from luxel.core.scenes import read_from
from luxel.core.shapes.kinds import PLANE
from luxel.models.ray_model import FrameRoom, RayModel, Shaded
from luxel.models.shading_points import points_of_fragments
from luxel.models.specular import ChainRoom, specular_chains
from luxel.models.visible_surfaces import FragmentRadiance

MAX_PIXELS = 1 << 18  # of a frame: larger ones keep a GPU busy for longer than its host
MAX_OBJECTS = 1 << 12
MAX_GRAPHS = 4  # each holds on to its frame's memory
SPARE = 1.25  # room, of what the recorded frame needed
MIN_ROOM = 1 << 10
MIN_OBJECTS = 1 << 4
TREE_TABLES = ("light_nodes", "light_groups", "tree_nodes", "tree_leaves", "tree_primitives")
"""Of `luxel.core.scenes.Scenes`: as long as scenes of many objects or lights need."""


class FrameSize(NamedTuple):
    """What frames of one graph have in common, beside what of their scenes it has room for."""

    scenes: int
    objects: int
    """Rows for them."""
    width: int
    """Pixels."""
    height: int
    constant_skies: bool
    flat_mirrors: bool
    """Whether there are any, as whose images lights are looked for."""
    map_address: int
    """Where the host has the texels of the environment map, which the graph keeps there; 0 without one."""

    @staticmethod
    def of(scenes: SceneBatch, width: int, height: int) -> "FrameSize":
        """Of frames of the scenes."""
        texels = scenes.on_cpu.map_texels
        return FrameSize(
            *(len(scenes), rows_for(len(scenes.kind)), width, height),
            *(scenes.has_constant_skies, bool(scenes.is_flat_mirror.any()), texels.data_ptr() if len(texels) else 0),
        )


class FrameRows(NamedTuple):
    """All that a frame reads of its scenes, in NumPy."""

    host: SceneBatch
    fields: dict[str, Shaped[np.ndarray, "rows *any"]]
    """Of their SceneBatch."""
    tables: dict[str, Int32[np.ndarray, "rows words"]]
    """Of `luxel.core.scenes.Scenes`."""
    scene_of_object: Int32[np.ndarray, " objects"]

    @property
    def table_rows(self) -> dict[str, int]:
        """How many each table has."""
        return {name: len(table) for name, table in self.tables.items()}


class FrameGraphs:
    """Renders with a ray model on a GPU, by a graph from the second frame of a size on."""

    def __init__(self, model: RayModel, device: torch.device | str) -> None:
        self.model, self.device = model, torch.device(device)
        self._seen = set[FrameSize]()
        self._graphs = OrderedDict[FrameSize, FrameGraph]()
        self._lock = threading.Lock()

    def __contains__(self, size: object) -> bool:
        """Whether there is a graph for frames of this size, which have all the memory that they need."""
        return size in self._graphs

    @torch.inference_mode()
    def render(self, host: SceneBatch, size: FrameSize, with_fragments: bool = False) -> Shaded:
        """Pictures of scenes on the CPU, as the model makes them of the same scenes on its device.

        `size` is `FrameSize.of` them. What they are made of is copied for those who ask for it. One at a time,
        whichever threads ask.
        """
        with self._lock:
            return self._render(host, size, with_fragments)

    def _render(self, host: SceneBatch, size: FrameSize, with_fragments: bool) -> Shaded:
        if not (self.model.config.chains and can_be_recorded(host, size) and size in self._seen):
            self._seen.add(size)
            return self.model.pictures(host.to(self.device), size.width, size.height, with_fragments)
        graph = self._graphs.pop(size, None)
        rows = frame_rows(host, size, None if graph is None else graph.table_rows)
        shaded = None if graph is None else graph.replay(rows, with_fragments)
        if graph is None or shaded is None:
            graph = FrameGraph(self.model, rows, size, self.device, None if graph is None else graph.room)
            shaded = graph.replay(rows, with_fragments)
            assert shaded is not None, "there is room for the frame that was recorded"
        self._graphs[size] = graph
        if len(self._graphs) > MAX_GRAPHS:
            self._graphs.popitem(last=False)
        return shaded


class FrameGraph:
    """The launches of one frame."""

    def __init__(
        self, model: RayModel, rows: FrameRows, size: FrameSize, device: torch.device, least: FrameRoom | None
    ) -> None:
        self.table_rows = rows.table_rows
        self._host = torch.from_numpy(packed(rows)).pin_memory()
        self._words = self._host.to(device)
        self._batch = batch = unpacked(self._words, rows)  # which launches read: nothing else may take its place
        self.room = room_for(model, batch, size, least)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._shaded, self._needed = model.frame(batch, size.width, size.height, self.room)

    def replay(self, rows: FrameRows, with_fragments: bool) -> Shaded | None:
        """The pictures of other scenes, None if there is too little room for them."""
        if rows.table_rows != self.table_rows:
            return None
        self._host.numpy()[:] = packed(rows)  # which the last frame's copy has read, as that frame was waited for
        self._words.copy_(self._host, non_blocking=True)
        self._graph.replay()
        needed, (radiance, of_fragments) = self._needed.tolist(), self._shaded
        if any(count > room for count, room in zip(needed, flat(self.room), strict=True)):
            return None
        count = needed[0] if with_fragments else 0
        # Copies, which the next frame leaves alone.
        return Shaded(radiance.clamp(min=0), FragmentRadiance(*(values[:count].clone() for values in of_fragments)))


def can_be_recorded(host: SceneBatch, size: FrameSize) -> bool:
    """Whether frames of this size are worth recording. Of several maps the texels are copied for every frame."""
    few = size.scenes * size.width * size.height <= MAX_PIXELS and size.objects <= MAX_OBJECTS
    return few and len(host.map_sizes) <= 1


def frame_rows(host: SceneBatch, size: FrameSize, least: Mapping[str, int] | None = None) -> FrameRows:
    """The fields of a SceneBatch and the tables of Scenes, with rows for as much as there is room for.

    Objects that no scene has are black planes. Tables of lights' and objects' trees have a power of two rows, and at
    least so many.
    """
    absent = {"kind": PLANE, "scale": 1, "roughness": 1, "rotation": (1, 0, 0, 0)}
    of, least = host.arrays, least or {}
    arrays = of | {name: with_rows(of[name], size.objects, absent.get(name, 0)) for name in OBJECT_FIELDS}
    tables = scene_tables(arrays)
    rooms = {name: power_of_two(len(tables[name])) for name in TREE_TABLES} | {"light_object": size.objects + 1}
    for name, room in rooms.items():
        tables[name] = with_rows(tables[name], max(room, least.get(name, 0)), 0)
    scenes = np.repeat(np.arange(len(host), dtype=np.int32), np.diff(of["offsets"]))
    return FrameRows(host, arrays, tables, with_rows(scenes, size.objects, 0))


def with_rows(
    values: Shaped[np.ndarray, "rows *any"], rows: int, value: int | tuple[int, ...]
) -> Shaped[np.ndarray, "more_rows *any"]:
    """As many rows as that, all alike behind those that there are."""
    found = np.empty((rows, *values.shape[1:]), values.dtype)
    found[: len(values)] = values
    found[len(values) :] = value
    return found


def packed(rows: FrameRows) -> Int32[np.ndarray, " words"]:
    """All of them, but for the offsets, one after another."""
    fields = (rows.fields[name] for name in (*OBJECT_FIELDS, *SCENE_FIELDS))
    return np.concatenate(
        [values.view(np.int32).ravel() for values in (*fields, *rows.tables.values(), rows.scene_of_object)]
    )


def unpacked(words: Int32[Tensor, " words"], rows: FrameRows) -> SceneBatch:
    """The scenes, reading from words that are `packed` as these rows are, whatever is written to them."""
    taken = 0

    def like(values: Shaped[np.ndarray, "*any"]) -> Shaped[Tensor, "*any"]:
        nonlocal taken
        part = words[taken : taken + values.size]
        taken += values.size
        return part.view(torch.from_numpy(values).dtype).unflatten(0, values.shape)

    fields = {name: like(rows.fields[name]) for name in (*OBJECT_FIELDS, *SCENE_FIELDS)}
    maps = {name: torch.from_numpy(rows.fields[name]).to(words.device) for name in MAP_FIELDS}
    batch = SceneBatch(offsets=torch.from_numpy(rows.fields["offsets"]), **fields, **maps)
    batch.remember(rows.host)  # which has a constant sky, and flat mirrors, if all others have
    read_from(batch, {name: like(table) for name, table in rows.tables.items()})
    batch.__dict__["scene_of_object"] = like(rows.scene_of_object)
    return batch


def rows_for(objects: int) -> int:
    """A power of two, so that few graphs do for scenes of all kinds."""
    return max(MIN_OBJECTS, power_of_two(objects))


def power_of_two(count: int) -> int:
    """The least that is as large."""
    return 1 << (count - 1).bit_length()


def flat(room: FrameRoom) -> tuple[int, int, int]:
    """As `RayModel.frame` counts it."""
    return (room.fragments, *room.chains)


def room_for(model: RayModel, batch: SceneBatch, size: FrameSize, least: FrameRoom | None) -> FrameRoom:
    """A little more than the scenes need, and at least so much."""
    found = visible_fragments(batch, size.width, size.height, model.config.pixel_rays)
    table = points_of_fragments(batch, found)
    chains = specular_chains(batch, table, size.height, ChainRoom(max(1, len(table)), 1))
    counts = [len(table), *chains.needed.tolist()]
    rooms = [max(MIN_ROOM, int(SPARE * count)) for count in counts]
    if least is not None:
        rooms = [max(pair) for pair in zip(rooms, flat(least), strict=True)]
    return FrameRoom(rooms[0], ChainRoom(*rooms[1:]))
