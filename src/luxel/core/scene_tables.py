"""What is derived once from a SceneBatch for kernels: transforms, bounds, trees, lists of lights.

The tables are of 32-bit words, row after row the fields of a struct in `luxel.core.scenes`.
"""

import threading
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float32, Int32, Int64, Shaped

from luxel.core.frosted_lamps import frosted_lamps, frosted_suns
from luxel.core.guide_targets import GuideTargets, guide_table
from luxel.core.lanes import LANES
from luxel.core.launch import load, struct_array
from luxel.core.openings import rooms
from luxel.core.scene_batch import flat_mirrors
from luxel.core.shapes.kinds import PLANE, SPHERE
from luxel.core.shapes.shape import Shape, bounding_radius, half_extent, surface_area
from luxel.core.trees import OUT_OF_REACH, boxes, heap, median_order, powers_of_two, wide_tree
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import MIN_SPECULAR

TREE_ABOVE = 64  # objects in a scene, from which on `benchmarks/tracer.py` finds a tree faster than a loop over all;
# at most as many as `luxel.core.shafts` has bits
OUTLIERS = LANES  # objects of a scene, at most, that every ray tries, lest they stretch its tree's boxes
FAR_OUT = 4.0  # times the median reach from the scene's middle: where an outlier's farthest side is
EXACT_LIGHTS = 24  # lights in a scene, up to which each is weighed for itself
MAX_MIRRORS = wp.constant(4)  # as many as SceneRow has room for
MAX_HALF_EXTENT = 1e7  # half extent that a tree takes a plane's for, beyond all that the scene format allows
MEASURED_TOGETHER = 64  # objects
PADDING = 1e-5  # of a tree's boxes, relative: many times the rounding of what they bound


def scene_tables(of: dict[str, np.ndarray]) -> dict[str, Int32[np.ndarray, "rows words"]]:
    """The tables of Scenes, of a batch's `arrays` on the CPU: a GPU would wait for the host at every small step."""
    rotation, scale = rotation_matrix(of["rotation"]), of["scale"].astype(np.float64)
    world_from_unit = (rotation * scale[:, None]).astype(np.float32)
    unit_from_world = (rotation.swapaxes(1, 2) / scale[:, :, None]).astype(np.float32)
    shapes = table_of(of["kind"], of["center"], of["scale"], world_from_unit, unit_from_world)
    sizes = measured(shapes)
    lights = lights_of(of, sizes)
    chord = 2 * np.sin(of["sun_angular_radius"] / 2)
    maps = maps_of(of)
    has_infinite_lights = (of["sun_radiance"] > 0).any(1) | (maps.flux > 0)
    trees = trees_over(of, sizes["half_extents"])
    mirrors = mirrors_of(of, sizes["area"])
    is_mirror = np.zeros(len(shapes), np.int32)
    is_mirror[mirrors[mirrors >= 0]] = 1
    openings, sky_seen = rooms(of, unit_from_world)
    frosted = [frosted_lamps(of, lights.rows[:-1], sizes, rotation), frosted_suns(of, sizes, rotation)]
    targets = GuideTargets.joined([openings, *frosted])
    return {
        "scenes": table_of(
            *(of["offsets"][:-1], of["offsets"][1:]),
            *(trees.leaves, trees.begins, trees.roots, trees.outliers),
            *(lights.offsets[:-1], lights.offsets[1:], lights.leaves, lights.tree, lights.group),
            *(of["sky"] + of["background"][:, None], has_infinite_lights),
            *(of["sun_direction"], of["sun_radiance"], chord**2),
            *(maps.size, maps.first_texel, of["map_rotation"], of["map_scale"], maps.flux, maps.vector),
            *(mirrors, sky_seen),
            *(of["camera_position"], of["camera_rotation"], of["tan_half_fov"], of["is_orthographic"], of["key"]),
        ),
        "objects": table_of(
            *(of["kind"], of["center"], sizes["radius"], of["scale"], world_from_unit, unit_from_world),
            *(of["base_color"], of["metallic"], of["roughness"], of["transmission"]),
            *(eta_of(of["specular"], of["transmission"]), of["emission"], of["emission"].mean(1)),
            *(lights.number, is_mirror),
        ),
        "guide_targets": guide_table(targets, len(sky_seen)),
        "light_object": table_of(lights.rows),
        "light_nodes": table_of(lights.nodes),
        "light_groups": light_groups(of, lights.grouped),
        "tree_nodes": table_of(trees.nodes),
        "tree_leaves": table_of(leaf_spheres(trees.objects, of["center"], sizes["radius"])),
        "tree_primitives": table_of(trees.objects, np.append(of["kind"], -1)[trees.objects]),
    }


@wp.struct
class ObjectSize:
    """How large an object is."""

    radius: float  # of the bounding sphere
    half_extents: wp.vec3  # of the bounding box
    area: float  # of its surface


SIZE_FIELDS = np.dtype(ObjectSize.numpy_dtype())  # type: ignore[attr-defined]


@wp.kernel(enable_backward=False)
def measure_objects(shapes: wp.array[Shape], sizes: wp.array[ObjectSize]) -> None:
    """How large each object is."""
    i = wp.tid()
    kind = shapes[i].kind
    scale = shapes[i].scale
    world_from_unit = shapes[i].world_from_unit
    sizes[i].radius = bounding_radius(kind, scale)
    sizes[i].half_extents = wp.vec3(
        half_extent(kind, world_from_unit, wp.vec3(1.0, 0.0, 0.0)),
        half_extent(kind, world_from_unit, wp.vec3(0.0, 1.0, 0.0)),
        half_extent(kind, world_from_unit, wp.vec3(0.0, 0.0, 1.0)),
    )
    sizes[i].area = surface_area(kind, scale)


class Measuring(threading.local):
    """A thread's launch of `measure_objects`, recorded once: to pack its arguments takes longer than to run it."""

    @cached_property
    def tables(self) -> tuple[Int32[np.ndarray, "objects words"], Shaped[np.ndarray, " objects"]]:
        """Shapes, and their ObjectSizes."""
        words = wp.types.type_size_in_bytes(Shape) // 4
        return np.zeros((MEASURED_TOGETHER, words), np.int32), np.zeros(MEASURED_TOGETHER, SIZE_FIELDS)

    @cached_property
    def command(self) -> Any:
        """That reads the one and writes the other."""
        load(measure_objects, torch.device("cpu"))
        shapes, sizes = (torch.from_numpy(table.view(np.int32)) for table in self.tables)
        arrays = [struct_array(shapes, Shape), struct_array(sizes, ObjectSize)]
        return wp.launch(measure_objects, MEASURED_TOGETHER, arrays, device="cpu", record_cmd=True)


_measuring = Measuring()


def measured(shapes: Int32[np.ndarray, "objects words"]) -> Shaped[np.ndarray, " objects"]:
    """The fields of ObjectSize, of Shapes."""
    found = np.empty(len(shapes), SIZE_FIELDS)
    given, sizes = _measuring.tables
    for first in range(0, len(shapes), MEASURED_TOGETHER):
        some = shapes[first : first + MEASURED_TOGETHER]
        given[: len(some)] = some
        _measuring.command.set_dim(len(some))
        _measuring.command.launch()
        found[first : first + len(some)] = sizes[: len(some)]
    return found


def mirrors_of(of: dict[str, np.ndarray], area: Float32[np.ndarray, " objects"]) -> Int32[np.ndarray, "scenes mirrors"]:
    """The rows of each scene's largest flat mirrors, whose image of the lights points look for; −1 behind them."""
    mirrors = np.full((len(of["key"]), MAX_MIRRORS), -1, np.int32)
    rows = np.flatnonzero(flat_mirrors(of))
    if not len(rows):
        return mirrors
    scene = np.searchsorted(of["offsets"], rows, "right") - 1
    order = np.lexsort((rows, -area[rows], scene))
    rows, scene = rows[order], scene[order]
    place = np.arange(len(rows)) - np.searchsorted(scene, scene)
    kept = place < MAX_MIRRORS
    mirrors[scene[kept], place[kept]] = rows[kept]
    return mirrors


class Maps(NamedTuple):
    """The environment map of each scene, turned and scaled; 0 without one. See SceneRow."""

    size: Int32[np.ndarray, "scenes 2"]
    first_texel: Int64[np.ndarray, " scenes"]
    flux: Float32[np.ndarray, " scenes"]
    vector: Float32[np.ndarray, "scenes 3"]


def maps_of(of: dict[str, np.ndarray]) -> Maps:
    """The map of each scene."""
    number = of["map"]  # −1 takes the last row, which is none
    if not len(of["map_sizes"]):
        size, first_texel = np.zeros((len(number), 2), np.int32), np.zeros(len(number), np.int64)
        return Maps(size, first_texel, np.zeros(len(number), np.float32), np.zeros((len(number), 3), np.float32))
    sizes, moments = (
        np.concatenate([of[name], np.zeros_like(of[name][:1], shape=(1, width))])[number]
        for name, width in (("map_sizes", 2), ("map_moments", 4))
    )
    first_texel = np.concatenate([[0], of["map_sizes"].astype(np.int64).prod(1).cumsum()])[number]
    moments = moments * of["map_scale"][:, None]
    cosine, sine = np.cos(of["map_rotation"]), np.sin(of["map_rotation"])
    _, x, y, z = moments.T
    vector = np.stack([cosine * x - sine * y, sine * x + cosine * y, z], 1)
    return Maps(sizes, first_texel, moments[:, 0], vector)


def eta_of(
    specular: Float32[np.ndarray, " objects"], transmission: Float32[np.ndarray, " objects"]
) -> Float32[np.ndarray, " objects"]:
    """Index of refraction, inside over outside, whose reflectance at normal incidence is 8 % of `specular`.

    Burley, "Extending the Disney BRDF to a BSDF", 2015; Mitsuba takes a specular of 0 for 0.001 where there is
    transmission, as an index of 1 would not refract.
    """
    refracts = (transmission > 0) & (specular == 0)
    reflectance = 0.08 * np.where(refracts, MIN_SPECULAR, specular.astype(np.float64))
    return (2 / (1 - np.sqrt(reflectance)) - 1).astype(np.float32)


def table_of(*columns: Shaped[np.ndarray, "rows *any"]) -> Int32[np.ndarray, "rows words"]:
    """Rows of a struct whose fields are all of 32-bit words, so that there is no padding."""
    parts = [column.reshape(len(column), -1) for column in columns]
    words = np.empty((len(parts[0]), sum(part.shape[1] for part in parts)), np.int32)
    floats, end = words.view(np.float32), 0
    for part in parts:
        begin, end = end, end + part.shape[1]
        (floats if part.dtype.kind == "f" else words)[:, begin:end] = part
    return words


def leaf_spheres(
    rows: Int32[np.ndarray, " primitives"],
    center: Float32[np.ndarray, "objects 3"],
    radius: Float32[np.ndarray, " objects"],
) -> Float32[np.ndarray, "leaves 4 lanes"]:
    """The fields of BVHLeaf; of rows −1, which are the last one's here, there are no objects."""
    spheres = np.concatenate([center, radius[:, None]], 1)
    absent = np.array([[OUT_OF_REACH] * 3 + [0]], np.float32)
    return np.concatenate([spheres, absent])[rows].reshape(-1, LANES, 4).swapaxes(1, 2)


class Trees(NamedTuple):
    """Trees over the objects of scenes that have many, and leaves of the others' objects; see SceneRow."""

    leaves: Int64[np.ndarray, " scenes"]
    begins: Int64[np.ndarray, " scenes"]
    roots: Int64[np.ndarray, " scenes"]
    outliers: Int64[np.ndarray, " scenes"]
    nodes: Float32[np.ndarray, "nodes 6 lanes"]
    objects: Int32[np.ndarray, " primitives"]


def trees_over(of: dict[str, np.ndarray], half_extents: Float32[np.ndarray, "objects 3"]) -> Trees:
    """A tree over the objects of each scene that has more than TREE_ABOVE, but for its outliers.

    Those of a scene without a tree are in leaves, too, in their order.
    """
    offsets, center = of["offsets"], of["center"]
    counts = np.diff(offsets)
    leaves, begins, roots = np.zeros((3, len(counts)), np.int64)
    nodes, objects = [np.zeros((1, 6, LANES), np.float32)], [np.full(LANES, -1, np.int32)]
    has_tree = counts > TREE_ABOVE
    outliers, listed = listed_objects(offsets, ~has_tree)
    objects.append(listed)
    scenes = np.flatnonzero(has_tree).tolist()
    if not scenes:
        return Trees(leaves, begins, roots, outliers, nodes[0], np.concatenate(objects))
    half = half_extents.clip(max=MAX_HALF_EXTENT) * (1 + PADDING) + PADDING * np.abs(center)
    bounds = ((center - half, np.inf), (center + half, -np.inf), (center, np.inf))  # and those of absent objects
    for scene in scenes:
        rows = np.arange(offsets[scene], offsets[scene + 1])
        far = outliers_of(center[rows], half[rows])
        within = rows[~far]
        count = int(powers_of_two(np.array([-(-len(within) // LANES)]))[0])
        in_each = -(-len(within) // count)
        primitives = np.full(count * in_each, -1)
        primitives[: len(within)] = within
        lower, upper, middle = (
            np.where((primitives < 0)[:, None], beyond, values[primitives]).astype(np.float32)
            for values, beyond in bounds
        )
        order = median_order(middle[None], in_each)[0].reshape(count, in_each)
        tree = wide_tree(boxes(lower[order].min(1)[None], upper[order].max(1)[None])[0])
        leaves[scene], begins[scene], roots[scene] = count, sum(map(len, nodes)), tree.root
        outliers[scene] = sum(map(len, objects)) // LANES
        nodes.append(tree.boxes.swapaxes(1, 2))
        listed = np.full((1 + count, LANES), -1, np.int32)
        listed[0, : far.sum()] = rows[far]
        listed[1:, :in_each] = primitives[order]
        objects.append(listed.ravel())
    return Trees(leaves, begins, roots, outliers, np.concatenate(nodes), np.concatenate(objects))


def listed_objects(
    offsets: Int64[np.ndarray, "scenes_and_one"], is_listed: Bool[np.ndarray, " scenes"]
) -> tuple[Int64[np.ndarray, " scenes"], Int32[np.ndarray, " primitives"]]:
    """The first leaf of each of these scenes, 0 of others, and its objects or lights, LANES a leaf, from leaf 1 on."""
    counts = np.diff(offsets)
    leaves = np.where(is_listed, -(-counts // LANES), 0)
    first = np.where(is_listed, 1 + leaves.cumsum() - leaves, 0)
    scene = np.repeat(np.arange(len(counts)), counts)
    rows = np.flatnonzero(is_listed[scene])
    scene = scene[rows]
    primitives = np.full(LANES * leaves.sum(), -1, np.int32)
    primitives[LANES * (first[scene] - 1) + rows - offsets[scene]] = rows
    return first, primitives


def outliers_of(
    center: Float32[np.ndarray, "objects 3"], half_extents: Float32[np.ndarray, "objects 3"]
) -> Bool[np.ndarray, " objects"]:
    """The farthest-reaching objects, at most OUTLIERS, such as the ground and its lamps about a cloud of points.

    In a tree's boxes they would stretch those of all nodes above them over most of the scene, for every ray to enter.
    """
    reach = (np.abs(center - np.median(center, axis=0)) + half_extents).max(1)
    least = np.partition(reach, -OUTLIERS - 1)[-OUTLIERS - 1] if len(reach) > OUTLIERS else 0
    return reach > max(least, FAR_OUT * np.median(reach))


def rows_of(
    offsets: Int64[np.ndarray, "sets_and_one"], members: Int64[np.ndarray, " some"], length: int
) -> Int64[np.ndarray, "some length"]:
    """The rows offsets[m] … offsets[m + 1] − 1 of some sets m, and −1 behind them."""
    number = np.arange(length)
    begins, ends = offsets[members, None], offsets[members + 1, None]
    return np.where(begins + number < ends, begins + number, -1)


class Lights(NamedTuple):
    """The emitting objects of each scene, but for planes, and trees over them where they are many."""

    offsets: Int64[np.ndarray, "scenes_and_one"]
    rows: Int32[np.ndarray, " lights_and_one"]
    number: Int32[np.ndarray, " objects"]
    leaves: Int64[np.ndarray, " scenes"]
    tree: Int64[np.ndarray, " scenes"]
    nodes: Float32[np.ndarray, "nodes 7"]
    group: Int64[np.ndarray, " scenes"]
    grouped: Int32[np.ndarray, " lanes"]
    """Rows of the objects of LightGroups, −1 where there is none."""


def lights_of(of: dict[str, np.ndarray], sizes: Shaped[np.ndarray, " objects"]) -> Lights:
    """The lights of each scene, in the order of their tree's leaves where they are many."""
    emission, center = of["emission"], of["center"]
    rows = np.flatnonzero((emission > 0).any(1) & (of["kind"] != PLANE))
    scene = np.searchsorted(of["offsets"], rows, "right") - 1
    rows = rows[np.lexsort((*center[rows].T, scene))]  # in an order that is not the description's
    counts = np.bincount(scene, minlength=len(of["key"]))
    offsets = np.concatenate([[0], counts.cumsum()])
    leaves, tree = np.zeros((2, len(counts)), np.int64)
    has_tree = counts > EXACT_LIGHTS
    leaves[has_tree] = powers_of_two(counts[has_tree])
    nodes = [np.zeros((1, 7), np.float32)]
    for size in sorted(set(leaves[has_tree].tolist())):
        finite = np.where(of["kind"] == PLANE, 0, sizes["area"])
        members = np.flatnonzero(leaves == size)
        places = rows_of(offsets, members, size)
        chosen = np.where(places < 0, -1, rows[places])
        intensity = (emission.mean(1) * finite / 4).astype(np.float32)
        ordered, made = light_trees(chosen, center, sizes["half_extents"], intensity)
        rows[places[places >= 0]] = ordered[ordered >= 0]
        tree[members] = sum(map(len, nodes)) + np.arange(len(members)) * made.shape[1]
        nodes.append(made.reshape(-1, 7))
    number = np.full(len(emission), -1, np.int32)
    number[rows] = np.arange(len(rows)) - offsets[scene]
    rows_and_one = np.zeros(len(rows) + 1, np.int32)
    rows_and_one[:-1] = rows
    group, grouped = listed_objects(offsets, ~has_tree)
    grouped = np.where(grouped < 0, -1, rows_and_one[grouped])
    grouped = np.concatenate([np.full(LANES, -1), grouped])  # as the first group is number 1
    return Lights(offsets, rows_and_one, number, leaves, tree, np.concatenate(nodes), group, grouped)


def light_groups(of: dict[str, np.ndarray], rows: Int32[np.ndarray, " lanes"]) -> Int32[np.ndarray, "groups words"]:
    """The fields of LightGroup, of these objects."""
    is_sphere = (of["kind"] == SPHERE)[rows] & (rows >= 0)
    radius = of["scale"][rows, 0]
    intensity = np.where(is_sphere, of["emission"].mean(1)[rows] * np.pi * radius**2, 0)
    lanes = np.concatenate([of["center"][rows], radius[:, None], intensity[:, None]], 1).astype(np.float32)
    bits = np.where(is_sphere | (rows < 0), 0, 1 << np.arange(len(rows)) % LANES).reshape(-1, LANES).sum(1)
    return table_of(lanes.reshape(-1, LANES, 5).swapaxes(1, 2), bits)


def light_trees(
    rows: Int64[np.ndarray, "trees leaves"],
    center: Float32[np.ndarray, "objects 3"],
    half_extents: Float32[np.ndarray, "objects 3"],
    intensity: Float32[np.ndarray, " objects"],
) -> tuple[Int64[np.ndarray, "trees leaves"], Float32[np.ndarray, "trees nodes 7"]]:
    """The lights of scenes in the order of their leaves, and the fields of LightNode; node 0 is none.

    `rows` are the lights', −1 behind them up to a power of two.
    """
    order = median_order(np.where((rows < 0)[..., None], np.inf, center[rows]).astype(np.float32), 1)
    rows = np.take_along_axis(rows, order, 1)
    absent = (rows < 0)[..., None]
    lower = heap(np.where(absent, np.inf, (center - half_extents)[rows]).astype(np.float32), np.minimum)
    upper = heap(np.where(absent, -np.inf, (center + half_extents)[rows]).astype(np.float32), np.maximum)
    intensities = heap(np.where(absent, 0, intensity[rows][..., None]).astype(np.float32), np.add)
    with np.errstate(invalid="ignore"):
        box = np.where(intensities > 0, np.concatenate([(lower + upper) / 2, (upper - lower) / 2], 2), 0)
    return rows, np.concatenate([box.astype(np.float32), intensities], 2)
