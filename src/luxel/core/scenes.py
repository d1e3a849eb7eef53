"""A SceneBatch as kernels read it, and what is derived from it once: transforms, bounds, trees, lists of lights."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Float, Int32, Int64, Shaped
from torch import Tensor

from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.principled import Material, material_of
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.core.shapes.kinds import PLANE
from luxel.core.shapes.shape import Shape, bounding_radius, half_extent, surface_area
from luxel.core.trees import boxes, heap, median_order, powers_of_two

TREE_ABOVE = 96  # objects in a scene, from which on `benchmarks/tracer.py` finds a tree faster than a loop over all
LEAF_OBJECTS = wp.constant(8)  # of a tree over objects
EXACT_LIGHTS = 24  # lights in a scene, up to which each is weighed for itself
FARTHEST = 1e7  # half extent that a tree takes a plane's for, beyond all that the scene format allows
PADDING = 1e-5  # of a tree's boxes, relative: many times the rounding of what they bound


@wp.struct
class SceneObject:
    """An object: an affine image of a unit shape, and its material. See SceneBatch for units."""

    kind: int
    center: wp.vec3
    radius: float  # of the bounding sphere round the centre
    scale: wp.vec3
    world_from_unit: wp.mat33
    unit_from_world: wp.mat33
    base_color: wp.vec3
    metallic: float
    roughness: float
    transmission: float
    eta: float
    emission: wp.vec3
    mean_emission: float  # of the channels
    light_number: int  # its place among its scene's lights, or −1


@wp.struct
class SceneRow:
    """A scene: the rows of its objects, its lights, its sky and its camera."""

    first_object: int
    end_objects: int
    tree_leaves: int  # of its tree, a power of two; 0 where there is none
    tree: int  # where its nodes begin
    tree_objects: int  # where the objects of its leaves begin, LEAF_OBJECTS each
    first_light: int
    end_lights: int
    light_leaves: int  # of its light tree, a power of two; 0 where there is none
    light_tree: int  # where the tree's nodes begin: node n has the children 2n and 2n + 1, and 1 is the root
    background: wp.vec3
    camera_position: wp.vec3
    camera_rotation: wp.mat33  # world from camera
    tan_half_fov: float
    key: wp.vec2ui


@wp.struct
class LightNode:
    """A node of a light tree."""

    center: wp.vec3  # of its lights' bounding box
    half_extents: wp.vec3
    intensity: float  # mean radiance times area over 4, which is the radiant intensity in any one direction


@wp.struct
class TreeNode:
    """The bounding box of some of a scene's objects, beyond reach where there are none (`luxel.core.trees.boxes`)."""

    lower: wp.vec3
    upper: wp.vec3


@wp.struct
class Scenes:
    """A batch. Tables of rows, since Warp hands structs on by value and each array in one is 70 bytes."""

    scenes: wp.array[SceneRow]
    objects: wp.array[SceneObject]
    light_object: wp.array[int]  # row of each light, scene by scene
    light_nodes: wp.array[LightNode]
    tree_nodes: wp.array[TreeNode]
    tree_object: wp.array[int]  # row of each object in a leaf, or −1


@wp.func
def shape_of(obj: SceneObject) -> Shape:
    """An object's shape, without its material."""
    return Shape(obj.kind, obj.center, obj.scale, obj.world_from_unit, obj.unit_from_world)


@wp.func
def material_of_object(obj: SceneObject) -> Material:
    """An object's BSDF parameters."""
    return material_of(obj.base_color, obj.metallic, obj.roughness, obj.transmission, obj.eta)


@wp.kernel(enable_backward=False)
def measure_objects(
    kind: wp.array[int],
    scale: wp.array[wp.vec3],
    world_from_unit: wp.array[wp.mat33],
    radius: wp.array[float],
    half_extents: wp.array[wp.vec3],
    area: wp.array[float],
) -> None:
    """Bounding sphere's radius, half the bounding box, and surface area of every object."""
    i = wp.tid()
    radius[i] = bounding_radius(kind[i], scale[i])
    half_extents[i] = wp.vec3(
        half_extent(kind[i], world_from_unit[i], wp.vec3(1.0, 0.0, 0.0)),
        half_extent(kind[i], world_from_unit[i], wp.vec3(0.0, 1.0, 0.0)),
        half_extent(kind[i], world_from_unit[i], wp.vec3(0.0, 0.0, 1.0)),
    )
    area[i] = surface_area(kind[i], scale[i])


@torch.no_grad()
def launchable(batch: SceneBatch) -> Scenes:
    """The batch for kernels on its device; made once, and again when a tensor of the batch was written to.

    Kernels see values alone: gradients end here.
    """
    versions = batch.versions
    cached = batch.__dict__.get("_launchable")
    if cached is None or cached[0] != versions:
        cached = batch.__dict__["_launchable"] = versions, _launchable(batch)
    return cached[1]


def _launchable(batch: SceneBatch) -> Scenes:
    device, objects = batch.device, len(batch.kind)
    rotation, scale = rotation_matrix(batch.rotation), batch.scale.double()
    world_from_unit = (rotation * scale[:, None]).float()
    unit_from_world = (rotation.mT / scale[:, :, None]).float()
    radius, half_extents, area = (torch.empty(objects, *size, device=device) for size in ((), (3,), ()))
    launch(
        measure_objects,
        objects,
        [batch.kind, to_warp(batch.scale, wp.vec3), to_warp(world_from_unit, wp.mat33)],
        [radius, to_warp(half_extents, wp.vec3), area],
        device,
    )
    lights = lights_of(batch, half_extents, area)
    trees = trees_over(batch, half_extents)
    tables: dict[str, tuple[Any, list[Tensor]]] = {
        "scenes": (
            SceneRow,
            [
                *(batch.offsets[:-1], batch.offsets[1:], trees.leaves, trees.begins, trees.object_begins),
                *(lights.offsets[:-1], lights.offsets[1:], lights.leaves, lights.tree),
                *(batch.background, batch.camera_position, batch.camera_rotation, batch.tan_half_fov, batch.key),
            ],
        ),
        "objects": (
            SceneObject,
            [
                *(batch.kind, batch.center, radius, batch.scale, world_from_unit, unit_from_world),
                *(batch.base_color, batch.metallic, batch.roughness, batch.transmission, batch.eta),
                *(batch.emission, batch.emission.mean(1), lights.number),
            ],
        ),
        "light_nodes": (LightNode, [lights.nodes]),
        "tree_nodes": (TreeNode, [trees.nodes]),
    }
    scenes = Scenes()
    for name, (struct, columns) in tables.items():
        setattr(scenes, name, struct_array(table_of(columns, device), struct))
    scenes.light_object = to_warp(lights.rows)
    scenes.tree_object = to_warp(trees.objects)
    return scenes


def table_of(columns: Sequence[Tensor], device: torch.device) -> Shaped[Tensor, "rows words"]:
    """Rows of a struct whose fields are all of 32-bit words, so that there is no padding."""
    words = [column if column.is_floating_point() else column.int() for column in columns]
    return torch.cat(
        [
            column.detach().to(device).flatten(1).view(torch.int32)
            if column.dim() > 1
            else column.detach().to(device)[:, None].view(torch.int32)
            for column in words
        ],
        1,
    ).contiguous()


class Trees(NamedTuple):
    """Trees over the objects of scenes that have many."""

    leaves: Int64[Tensor, " scenes"]
    begins: Int64[Tensor, " scenes"]
    object_begins: Int64[Tensor, " scenes"]
    nodes: Float[Tensor, "nodes 6"]
    objects: Int32[Tensor, " items"]


def trees_over(batch: SceneBatch, half_extents: Float[Tensor, "objects 3"]) -> Trees:
    """A tree over the objects of each scene that has more than TREE_ABOVE; all trees of one size are built together."""
    device, counts = batch.device, batch.counts
    leaves = torch.where(counts > TREE_ABOVE, powers_of_two((counts + LEAF_OBJECTS - 1) // LEAF_OBJECTS), 0)
    begins, object_begins = torch.zeros_like(counts), torch.zeros_like(counts)
    nodes, objects = [torch.zeros(1, 6, device=device)], [torch.zeros(1, dtype=torch.int32, device=device)]
    half = half_extents.clamp(max=FARTHEST) * (1 + PADDING) + PADDING * batch.center.abs()
    for size in leaves[leaves > 0].unique().tolist():
        members, items = (leaves == size).nonzero()[:, 0], size * LEAF_OBJECTS
        some = batch.select(members)
        mine = torch.cat([torch.arange(*batch.offsets[member : member + 2]) for member in members.tolist()]).to(device)
        rows = some.padded(mine + 1, items) - 1
        absent = (rows < 0)[..., None]
        center = torch.where(absent, torch.inf, batch.center[rows])
        order = median_order(center, LEAF_OBJECTS)
        rows, absent = rows.gather(1, order), absent.gather(1, order[..., None])
        lower = torch.where(absent, torch.inf, (batch.center - half)[rows])
        upper = torch.where(absent, -torch.inf, (batch.center + half)[rows])
        leaf = (-1, LEAF_OBJECTS)
        found = boxes(lower.unflatten(1, leaf).amin(2), upper.unflatten(1, leaf).amax(2))
        number = torch.arange(len(members))
        begins[members] = sum(map(len, nodes)) + number * found.shape[1]
        object_begins[members] = sum(map(len, objects)) + number * items
        nodes.append(found.flatten(0, 1))
        objects.append(rows.int().flatten())
    return Trees(leaves, begins, object_begins, torch.cat(nodes), torch.cat(objects))


class Lights(NamedTuple):
    """The emitting objects of each scene, but for planes, and trees over them where they are many."""

    offsets: Int64[Tensor, "scenes_and_one"]
    rows: Int32[Tensor, " lights_and_one"]
    number: Int32[Tensor, " objects"]
    leaves: Int64[Tensor, " scenes"]
    tree: Int64[Tensor, " scenes"]
    nodes: Float[Tensor, "nodes 7"]


def lights_of(batch: SceneBatch, half_extents: Float[Tensor, "objects 3"], area: Float[Tensor, " objects"]) -> Lights:
    """The lights of each scene, in the order of their tree's leaves where they are many."""
    device = batch.device
    rows = (batch.is_emissive & (batch.kind != PLANE)).nonzero()[:, 0]
    counts = torch.bincount(batch.scene_of_object[rows], minlength=len(batch)).cpu()
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    intensity = batch.emission.mean(1) * area / 4
    leaves, tree = torch.zeros_like(counts), torch.zeros_like(counts)
    nodes = [torch.zeros(1, 7, device=device)]
    for scene in (counts > EXACT_LIGHTS).nonzero()[:, 0].tolist():
        part = slice(int(offsets[scene]), int(offsets[scene + 1]))
        leaves[scene] = 1 << (int(counts[scene]) - 1).bit_length()
        tree[scene] = sum(len(node) for node in nodes)
        rows[part], made = light_tree(rows[part], int(leaves[scene]), batch.center, half_extents, intensity)
        nodes.append(made)
    number = torch.full_like(batch.kind, -1)
    number[rows] = (torch.arange(len(rows), device=device) - offsets.to(device)[batch.scene_of_object[rows]]).int()
    return Lights(offsets, torch.cat([rows, rows.new_zeros(1)]).int(), number, leaves, tree, torch.cat(nodes))


def light_tree(
    rows: Int64[Tensor, " lights"],
    leaves: int,
    center: Float[Tensor, "objects 3"],
    half_extents: Float[Tensor, "objects 3"],
    intensity: Float[Tensor, " objects"],
) -> tuple[Int64[Tensor, " lights"], Float[Tensor, "nodes 7"]]:
    """The lights of one scene in the order of their leaves, and the fields of LightNode; node 0 is none."""
    far = torch.full((1, leaves - len(rows), 3), torch.inf, device=center.device)
    rows = rows[median_order(torch.cat([center[rows][None], far], 1), 1)[0][: len(rows)]]
    lower = heap(torch.cat([(center - half_extents)[rows][None], far], 1), torch.amin)[0]
    upper = heap(torch.cat([(center + half_extents)[rows][None], -far], 1), torch.amax)[0]
    intensities = heap(torch.cat([intensity[rows][None, :, None], torch.zeros_like(far[..., :1])], 1), torch.sum)[0]
    box = torch.cat([(lower + upper) / 2, (upper - lower) / 2], 1)
    return rows, torch.cat([torch.where(intensities > 0, box, 0.0), intensities], 1)
