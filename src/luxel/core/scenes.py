"""A SceneBatch as kernels read it: tables of structs, which `luxel.core.scene_tables` derives from it once."""

import numpy as np
import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.lanes import Lanes
from luxel.core.launch import struct_array
from luxel.core.principled import Material, material_of
from luxel.core.scene_batch import SceneBatch
from luxel.core.scene_tables import scene_tables
from luxel.core.shapes.shape import Shape

ALWAYS = "always"
"""In place of the versions of a batch's tensors: its tables hold whatever is written to these."""


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
    is_mirror: int  # whether it is among its scene's `mirrors`


@wp.struct
class SceneRow:
    """A scene: the rows of its objects, its lights, its sky and its camera."""

    first_object: int
    end_objects: int
    tree_leaves: int  # of its tree, a power of two; 0 where there is none
    tree: int  # where its nodes begin
    tree_root: int  # the node whose children hold all objects but the outliers: 0 or 1
    outliers: int  # the leaf of what is in none of the tree's leaves, which follow it; without one the first of all
    first_light: int
    end_lights: int
    light_leaves: int  # of its light tree, a power of two; 0 where there is none
    light_tree: int  # where the tree's nodes begin: node n has the children 2n and 2n + 1, and 1 is the root
    light_group: int  # the first group of its lights, LANES in each, where they have no tree
    zenith: wp.vec3  # radiance of the sky, but for the sun: see `luxel.core.sky`
    horizon: wp.vec3
    ground: wp.vec3
    has_infinite_lights: int  # whether there is a sun, or a map, to be sampled
    sun_direction: wp.vec3
    sun_radiance: wp.vec3
    sun_chord_squared: float  # of its angular radius: 4 sin²(θ/2), which is 2 (1 − cos θ)
    map_height: int  # of its environment map, texels
    map_width: int  # 0 without a map
    first_texel: int
    map_rotation: float  # radians, anticlockwise from above
    map_scale: float  # of the texels' radiance
    map_flux: float  # the integral over the sphere of what is sampled (`luxel.core.map_tables`), mean of channels
    map_vector: wp.vec3  # the same, times the direction
    mirrors: wp.vec4i  # the largest flat objects of smooth metal, or −1
    sky_seen: float  # share of the sky that surfaces see through openings of a room; 1 of what is no room
    camera_position: wp.vec3
    camera_rotation: wp.mat33  # world from camera
    tan_half_fov: float  # of an orthographic camera half the picture's height, scene units
    is_orthographic: int
    key: wp.vec2ui


@wp.struct
class GuideTarget:
    """An ellipsoid that rays are sent to; see `luxel.core.guide_targets`. The intensity is 0 of none."""

    center: wp.vec3
    world_from_unit: wp.mat33
    unit_from_world: wp.mat33
    volume: float  # product of the semi-axes
    reach: float  # the longest of them
    intensity: float
    pane_center: wp.vec3  # of a ball that straight lines to the target pass
    pane_radius: float  # 0 if any may


@wp.struct
class LightNode:
    """A node of a light tree."""

    center: wp.vec3  # of its lights' bounding box
    half_extents: wp.vec3
    intensity: float  # mean radiance times area over 4, which is the radiant intensity in any one direction


@wp.struct
class LightGroup:
    """LANES lights of a scene, in their order, of which spheres are weighed together."""

    x: Lanes  # of their centres
    y: Lanes
    z: Lanes
    radius: Lanes
    intensity: Lanes  # of spheres mean radiance times π radius², which is the radiant intensity; of all else 0
    others: int  # a bit for each that is no sphere


@wp.struct
class BVHNode:
    """The bounding boxes of a node's children, beyond reach where there are none (`luxel.core.trees.boxes`)."""

    lower_x: Lanes
    lower_y: Lanes
    lower_z: Lanes
    upper_x: Lanes
    upper_y: Lanes
    upper_z: Lanes


@wp.struct
class BVHLeaf:
    """The bounding spheres of a leaf's objects, beyond reach where there are none."""

    x: Lanes
    y: Lanes
    z: Lanes
    radius: Lanes


@wp.struct
class BVHPrimitive:
    """An object in a leaf, with what is read of it before it is intersected."""

    object_id: int  # row, or −1 where there is no object
    kind: int


@wp.struct
class Texel:
    """One of an environment map; see `luxel.core.map_tables`."""

    radiance: wp.vec3
    share: float  # of the radiance, that is sampled
    in_row: float  # probability of this column or one before it, in its row
    of_row: float  # of this row or one before it


@wp.struct
class Scenes:
    """A batch. Tables of rows, since Warp hands structs on by value and each array in one is 70 bytes."""

    scenes: wp.array[SceneRow]
    objects: wp.array[SceneObject]
    guide_targets: wp.array[GuideTarget]  # TARGETS a scene
    light_object: wp.array[int]  # row of each light, scene by scene
    light_nodes: wp.array[LightNode]
    light_groups: wp.array[LightGroup]
    tree_nodes: wp.array[BVHNode]
    tree_leaves: wp.array[BVHLeaf]
    tree_primitives: wp.array[BVHPrimitive]  # LANES a leaf
    texels: wp.array[Texel]


ROW_OF = {
    "scenes": SceneRow,
    "objects": SceneObject,
    "guide_targets": GuideTarget,
    "light_object": int,
    "light_nodes": LightNode,
    "light_groups": LightGroup,
    "tree_nodes": BVHNode,
    "tree_leaves": BVHLeaf,
    "tree_primitives": BVHPrimitive,
}


@wp.func
def shape_of(obj: SceneObject) -> Shape:
    """An object's shape, without its material."""
    return Shape(obj.kind, obj.center, obj.scale, obj.world_from_unit, obj.unit_from_world)


@wp.func
def material_of_object(obj: SceneObject) -> Material:
    """An object's BSDF parameters."""
    return material_of(obj.base_color, obj.metallic, obj.roughness, obj.transmission, obj.eta)


@torch.no_grad()
def launchable(batch: SceneBatch) -> Scenes:
    """The batch for kernels on its device; made once, and again when a tensor of the batch was written to.

    Kernels see values alone: gradients end here.
    """
    versions = batch.versions
    cached = batch.__dict__.get("_launchable")
    if cached is None or cached[0] not in (versions, ALWAYS):
        cached = batch.__dict__["_launchable"] = versions, _launchable(batch)
    return cached[1]


def read_from(batch: SceneBatch, tables: dict[str, Int32[Tensor, "*words"]]) -> None:
    """Have kernels read the batch from these tables, whatever is written to them, as `launchable` would make them."""
    batch.__dict__["_launchable"] = ALWAYS, as_scenes(tables, batch.map_texels)


def _launchable(batch: SceneBatch) -> Scenes:
    tables = {name: table.ravel() for name, table in scene_tables(batch.on_cpu.arrays).items()}
    words = torch.from_numpy(np.concatenate(list(tables.values()))).to(batch.device)  # in one transfer
    parts = words.split([len(table) for table in tables.values()])
    return as_scenes(dict(zip(tables, parts, strict=True)), batch.map_texels)


def as_scenes(tables: dict[str, Int32[Tensor, "*words"]], texels: Float[Tensor, "texels words"]) -> Scenes:
    """What `scene_tables` returned and a SceneBatch's map_texels, where kernels are to read them, as one struct."""
    scenes = Scenes()
    scenes.texels = struct_array(texels, Texel)
    for name, table in tables.items():
        setattr(scenes, name, struct_array(table, ROW_OF[name]))
    return scenes
