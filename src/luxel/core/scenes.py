"""A SceneBatch as kernels read it, and what is derived from it once: transforms, bounds, trees, lists of lights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int32, Int64, Shaped
from torch import Tensor

from luxel.core.launch import launch, to_warp
from luxel.core.principled import Material, material_of
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.core.shapes.kinds import PLANE
from luxel.core.shapes.shape import Shape, bounding_radius, half_extent, surface_area

TREE_ABOVE = 96  # objects in a scene, from which on `benchmarks/tracer.py` finds a tree faster than a loop over all
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
    has_tree: int
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
class Scenes:
    """A batch. Tables of rows, since Warp hands structs on by value and each array in one is 70 bytes."""

    scenes: wp.array[SceneRow]
    objects: wp.array[SceneObject]
    light_object: wp.array[int]  # row of each light, scene by scene
    light_nodes: wp.array[LightNode]
    tree: wp.uint64  # over the objects of all scenes that have one, in groups by scene
    tree_object: wp.array[int]  # row of each of its items


@dataclass(frozen=True)
class LaunchableScenes:
    """The kernel argument, and what must live as long as it."""

    scenes: Scenes
    memory: tuple[Any, ...]


@wp.func
def shape_of(obj: SceneObject) -> Shape:
    """Of an object."""
    return Shape(obj.kind, obj.center, obj.scale, obj.world_from_unit, obj.unit_from_world)


@wp.func
def material_of_object(obj: SceneObject) -> Material:
    """Of an object."""
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
def launchable(batch: SceneBatch) -> LaunchableScenes:
    """The batch for kernels on its device; made once a batch."""
    cached: LaunchableScenes | None = batch.__dict__.get("_launchable")
    if cached is None:
        cached = batch.__dict__["_launchable"] = _launchable(batch)
    return cached


def _launchable(batch: SceneBatch) -> LaunchableScenes:
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
    has_tree = batch.counts > TREE_ABOVE
    tables: dict[str, tuple[Any, list[Tensor]]] = {
        "scenes": (
            SceneRow,
            [
                *(batch.offsets[:-1], batch.offsets[1:], has_tree),
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
    }
    scenes, memory = Scenes(), []
    for name, (struct, columns) in tables.items():
        table = table_of(columns, device)
        memory.append(table)
        rows = wp.array(ptr=table.data_ptr(), dtype=struct, shape=len(table), device=wp.device_from_torch(device))
        setattr(scenes, name, rows)
    scenes.light_object = to_warp(lights.rows)
    rows = has_tree.to(device)[batch.scene_of_object].nonzero()[:, 0]
    tree = tree_over(batch, rows, half_extents) if len(rows) else None
    scenes.tree = wp.uint64(0) if tree is None else tree.id
    scenes.tree_object = to_warp(torch.cat([rows, rows.new_zeros(1)]).int())
    return LaunchableScenes(scenes, (*memory, tree))


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


def tree_over(batch: SceneBatch, rows: Int64[Tensor, " some"], half_extents: Float[Tensor, "objects 3"]) -> wp.Bvh:
    """One tree over these objects, in groups by scene."""
    center = batch.center[rows]
    half = half_extents[rows].clamp(max=FARTHEST) * (1 + PADDING) + PADDING * center.abs()
    lower, upper = (to_warp(center + sign * half, wp.vec3) for sign in (-1, 1))
    return wp.Bvh(lower, upper, groups=to_warp(batch.scene_of_object[rows].int()))


class Lights(NamedTuple):
    """The emitting objects of each scene, but for planes, and trees over them where they are many."""

    offsets: Int64[Tensor, "scenes_and_one"]
    rows: Int32[Tensor, " lights_and_one"]
    number: Int32[Tensor, " objects"]
    leaves: Int64[Tensor, " scenes"]
    tree: Int64[Tensor, " scenes"]
    nodes: Float[Tensor, "nodes 7"]


def lights_of(batch: SceneBatch, half_extents: Float[Tensor, "objects 3"], area: Float[Tensor, " objects"]) -> Lights:
    """See Lights; fields are those of SceneRow and Scenes."""
    device = batch.device
    rows = (batch.is_emissive & (batch.kind != PLANE)).nonzero()[:, 0]
    counts = torch.bincount(batch.scene_of_object[rows], minlength=len(batch)).cpu()
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    intensity = batch.emission.mean(1) * area / 4
    leaves, tree = torch.zeros_like(counts), torch.zeros_like(counts)
    nodes = [torch.zeros(1, 7, device=device)]
    for scene in (counts > EXACT_LIGHTS).nonzero()[:, 0].tolist():
        part = slice(int(offsets[scene]), int(offsets[scene + 1]))
        rows[part] = in_morton_order(rows[part], batch.center)
        leaves[scene] = 1 << (int(counts[scene]) - 1).bit_length()
        tree[scene] = sum(len(node) for node in nodes)
        nodes.append(light_nodes(rows[part], int(leaves[scene]), batch.center, half_extents, intensity))
    number = torch.full_like(batch.kind, -1)
    number[rows] = (torch.arange(len(rows), device=device) - offsets.to(device)[batch.scene_of_object[rows]]).int()
    return Lights(offsets, torch.cat([rows, rows.new_zeros(1)]).int(), number, leaves, tree, torch.cat(nodes))


def in_morton_order(rows: Int64[Tensor, " lights"], center: Float[Tensor, "objects 3"]) -> Int64[Tensor, " lights"]:
    """The rows along a Z-order curve through their bounding box, so that neighbours share a parent."""
    place = center[rows]
    low, high = place.amin(0), place.amax(0)
    cell = ((place - low) / (high - low).clamp(min=1e-12) * 1023).long()
    code = torch.zeros_like(rows)
    for bit in range(10):
        for axis in range(3):
            code |= ((cell[:, axis] >> bit) & 1) << (3 * bit + axis)
    return rows[code.argsort(stable=True)]


def light_nodes(
    rows: Int64[Tensor, " lights"],
    leaves: int,
    center: Float[Tensor, "objects 3"],
    half_extents: Float[Tensor, "objects 3"],
    intensity: Float[Tensor, " objects"],
) -> Float[Tensor, "nodes 7"]:
    """A complete binary tree over lights: box's centre 3, half extents 3, intensity 1; node 0 is none."""
    absent = leaves - len(rows)
    far = torch.full((absent, 3), torch.inf, device=center.device)
    lower = torch.cat([center[rows] - half_extents[rows], far])
    upper = torch.cat([center[rows] + half_extents[rows], -far])
    power = torch.cat([intensity[rows], torch.zeros(absent, device=center.device)])
    levels = [(lower, upper, power)]
    while len(power) > 1:
        lower, upper = lower.unflatten(0, (-1, 2)).amin(1), upper.unflatten(0, (-1, 2)).amax(1)
        power = power.unflatten(0, (-1, 2)).sum(1)
        levels.append((lower, upper, power))
    lower, upper, power = (torch.cat([level[part] for level in reversed(levels)]) for part in range(3))
    there: Bool[Tensor, " nodes"] = (power > 0) & (lower <= upper).all(1)
    box = torch.where(there[:, None], torch.cat([(lower + upper) / 2, (upper - lower) / 2], 1), 0.0)
    nodes = torch.cat([box, torch.where(there, power, 0.0)[:, None]], 1)
    return torch.cat([torch.zeros_like(nodes[:1]), nodes])
