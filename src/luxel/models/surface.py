"""What is known exactly about the points that rays meet: geometry and material, whatever the view.

Light transport is the same if a scene is moved, turned or scaled, and so are these features: directions are in the
point's own frame, z the normal on the viewer's side and x towards the viewer; lengths are ratios.

Shapes: points of all scenes stand in one row, [..., lanes]; a pair of an object and a point is [..., objects, lanes].
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor

from luxel.geometry.arrays import dot, normalised, transform
from luxel.geometry.intersect import NOTHING, Shapes, arrival, nearest
from luxel.geometry.vectors import Vector
from luxel.scene.description import MIN_SPECULAR
from luxel.scene.tokens import FIELDS


class ShapeArrays(NamedTuple):
    """As `luxel.geometry.intersect.Shapes`, in arrays."""

    center: Float[Tensor, "3 *objects"]
    unit_from_world: Float[Tensor, "3 3 *objects"]
    square_axes: Float[Tensor, "3 *objects"]
    volume: Float[Tensor, "*objects"]

    @property
    def vectors(self) -> Shapes:
        """The same for rays to meet."""
        return Shapes.of([*self.center, *self.unit_from_world.flatten(0, 1), *self.square_axes, self.volume])


class Surfaces(NamedTuple):
    """Objects as the ray model reads them: fields are [..., scenes, objects]."""

    shapes: ShapeArrays
    real: Bool[Tensor, "scenes objects"]
    base_color: Float[Tensor, "3 scenes objects"]
    metallic: Float[Tensor, "scenes objects"]
    roughness: Float[Tensor, "scenes objects"]
    transmission: Float[Tensor, "scenes objects"]
    eta: Float[Tensor, "scenes objects"]  # index of refraction

    @property
    def clear(self) -> Float[Tensor, "scenes objects"]:
        """The share of light that passes the surface, but for its colour and reflection."""
        return (1 - self.metallic) * self.transmission

    def of(self, scene: Int64[Tensor, " lanes"]) -> "Surfaces":
        """What each lane can meet: every lane a scene of its own, unless all are in the only one."""
        shapes = ShapeArrays(*(by_lane(field, scene) for field in self.shapes))
        return Surfaces(shapes, *(by_lane(field, scene) for field in self[1:]))


def by_lane(field: Shaped[Tensor, "*any scenes objects"], scene: Int64[Tensor, " lanes"]) -> Tensor:
    """A field of each lane's scene, [..., lanes, objects]; of one scene alone the field itself, which broadcasts.

    A picture is mostly of one scene, and a copy of it for every lane would cost more than what is computed from it.
    """
    return field if field.shape[-2] == 1 else field[..., scene, :]


class Points(NamedTuple):
    """Where rays meet surfaces; where `item` is NOTHING only the ray's own fields mean anything."""

    scene: Int64[Tensor, " lanes"]
    item: Int64[Tensor, " lanes"]
    position: Float[Tensor, "3 lanes"]
    direction: Float[Tensor, "3 lanes"]  # unit, of the ray, towards the point
    normal: Float[Tensor, "3 lanes"]  # unit, on the side that the ray comes from
    inside: Bool[Tensor, " lanes"]  # whether the ray comes from within the object

    @property
    def hit(self) -> Bool[Tensor, " lanes"]:
        """Whether the ray met anything."""
        return self.item != NOTHING

    def at(self, lanes: Int64[Tensor, " some"]) -> "Points":
        """These lanes alone."""
        return Points(*(field[..., lanes] for field in self))


class Material(NamedTuple):
    """The material at each point, and what its smooth surface does to the ray, by colour channel."""

    base_color: Float[Tensor, "3 lanes"]
    metallic: Float[Tensor, " lanes"]
    roughness: Float[Tensor, " lanes"]
    transmission: Float[Tensor, " lanes"]
    eta: Float[Tensor, " lanes"]
    cosine: Float[Tensor, " lanes"]  # between ray and normal
    fresnel: Float[Tensor, " lanes"]  # reflectance of the dielectric
    diffuse: Float[Tensor, "3 lanes"]  # albedo
    mirror: Float[Tensor, "3 lanes"]  # reflectance
    through: Float[Tensor, "3 lanes"]  # transmittance, in and out; from inside, out, with radiance's gain of η²
    black: Bool[Tensor, " lanes"]  # an opaque surface, seen from inside

    @property
    def by_channel(self) -> tuple[Tensor, Tensor, Tensor]:
        """What the surface does to light of each channel: diffuse, mirror, through."""
        return self.diffuse, self.mirror, self.through


class Onward(NamedTuple):
    """Rays by which a smooth surface shows others: `source` is the lane that each continues."""

    source: Int64[Tensor, " onward"]
    origin: Float[Tensor, "3 onward"]
    points: Points
    kept: Bool[Tensor, " onward"]  # whether it has entered the object and not left it


def surfaces(tokens: Float[Tensor, "batch objects features"], mask: Bool[Tensor, "batch objects"]) -> Surfaces:
    """The objects of `luxel.scene.tokens`, in camera space."""
    fields = {name: tokens[..., columns].float().movedim(-1, 0) for name, columns in FIELDS.items()}
    axes = torch.where(mask, fields["semi_axes"], 1.0)
    object_from_camera = fields["rotation"].unflatten(0, (3, 3)).transpose(0, 1)
    shapes = ShapeArrays(fields["center"], object_from_camera / axes[:, None], axes.square(), axes.prod(0))
    metallic, roughness, transmission = (fields[name][0] for name in ("metallic", "roughness", "transmission"))
    return Surfaces(
        shapes,
        mask,
        fields["base_color"],
        metallic,
        roughness,
        transmission,
        refractive_index(fields["specular"][0], transmission),
    )


def refractive_index(specular: Float[Tensor, "*any"], transmission: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Index of refraction whose reflectance at normal incidence is 8 % of `specular` (Burley 2015)."""
    specular = torch.where((transmission > 0) & (specular == 0), MIN_SPECULAR, specular)
    return 2 / (1 - (0.08 * specular).sqrt()) - 1


def meet(
    scenes: Surfaces,
    scene: Int64[Tensor, " lanes"],
    origin: Float[Tensor, "3 lanes"],
    direction: Float[Tensor, "3 lanes"],
    own: Int64[Tensor, " lanes"],
) -> Points:
    """The nearest surface along each ray, which starts on the object `own`, or in the open (NOTHING)."""
    if not len(scene):
        return Points(scene, own, origin, direction, -direction, own > NOTHING)
    there = scenes.of(scene)
    one = -2 if len(there.real) == 1 else -1  # the lanes of one scene, or a lane of each
    every = ShapeArrays(*(field.transpose(-1, -2)[..., None] for field in there.shapes))
    start, along = (Vector.of(field.unsqueeze(one)) for field in (origin, direction))
    met = nearest(every.vectors, there.real.T[..., None], start, along, own.int().unsqueeze(one))
    item, distance = met.item.squeeze(one).long(), met.distance.squeeze(one)
    found = ShapeArrays(*(field[..., scene, item.clamp(min=0)] for field in scenes.shapes))
    hit = arrival(found.vectors, Vector.of(origin), Vector.of(direction), distance)
    normal = hit.normal.stacked()
    inside = dot(normal, direction) > 0
    return Points(scene, item, hit.point.stacked(), direction, torch.where(inside, -normal, normal), inside)


def material_at(scenes: Surfaces, points: Points) -> Material:
    """The material of every point; an opaque object is black from inside, as in Mitsuba."""
    fields = [scenes.base_color, scenes.metallic, scenes.roughness, scenes.transmission, scenes.eta, scenes.clear]
    item = points.item.clamp(min=0)
    color, metallic, roughness, transmission, eta, clear = (field[..., points.scene, item] for field in fields)
    cosine = -dot(points.direction, points.normal)
    reflectance = fresnel(cosine, torch.where(points.inside, 1 / eta, eta))
    metal = color + (1 - color) * (1 - cosine).clamp(0, 1) ** 5
    outside = torch.where(eta == 1, 0.0, (1 - metallic) * reflectance + metallic * metal)  # as Mitsuba has it
    return Material(
        color,
        metallic,
        roughness,
        transmission,
        eta,
        cosine,
        reflectance,
        torch.where(points.inside, 0.0, color * ((1 - metallic) * (1 - transmission))),
        torch.where(points.inside, clear * reflectance, outside),
        clear * (1 - reflectance) * torch.where(points.inside, color.clamp(min=0).sqrt() * eta * eta, color),
        points.inside & (clear == 0),
    )


def fresnel(cosine: Float[Tensor, " lanes"], eta: Float[Tensor, " lanes"]) -> Float[Tensor, " lanes"]:
    """Reflectance of unpolarised light at a smooth dielectric of relative index `eta`."""
    square = 1 - (1 - cosine * cosine) / (eta * eta)
    other = square.clamp(min=0).sqrt()
    parallel = (eta * cosine - other) / (eta * cosine + other).clamp(min=1e-9)
    perpendicular = (cosine - eta * other) / (cosine + eta * other).clamp(min=1e-9)
    return torch.where(square <= 0, 1.0, (parallel.square() + perpendicular.square()) / 2)


def reflected(scenes: Surfaces, points: Points, lanes: Int64[Tensor, " onward"]) -> Onward:
    """The mirror rays of these lanes."""
    at = points.at(lanes)
    points = meet(scenes, at.scene, at.position, mirror_direction(at), at.item)
    return Onward(lanes, at.position, points, torch.zeros_like(at.inside))


def refracted(
    scenes: Surfaces, points: Points, eta: Float[Tensor, " lanes"], lanes: Int64[Tensor, " onward"]
) -> Onward:
    """These lanes' rays through their objects: in at one side, out at the other, unless something is inside.

    Where total reflection keeps the ray in, it goes on as if reflected there.
    """
    at, index = points.at(lanes), eta[lanes]
    within = refract(at.direction, at.normal, torch.where(at.inside, 1 / index, index))
    far = meet(scenes, at.scene, at.position, within, at.item)
    leaves = (far.item == at.item) & far.inside & ~at.inside
    out = refract(within, far.normal, 1 / index)
    beyond = meet(scenes, at.scene, far.position, out, far.item)
    chosen = Points(*(torch.where(leaves, after, before) for after, before in zip(beyond, far, strict=True)))
    return Onward(lanes, torch.where(leaves, far.position, at.position), chosen, ~leaves & ~at.inside)


def mirror_direction(points: Points) -> Float[Tensor, "3 lanes"]:
    """Of the reflected ray."""
    return normalised(points.direction - 2 * dot(points.direction, points.normal) * points.normal)


def refract(
    direction: Float[Tensor, "3 lanes"], normal: Float[Tensor, "3 lanes"], eta: Float[Tensor, " lanes"]
) -> Float[Tensor, "3 lanes"]:
    """Direction in a medium of relative index `eta` (Snell's law), or the reflected one where that is total."""
    cosine = -dot(direction, normal)
    square = 1 - (1 - cosine * cosine) / (eta * eta)
    through = direction / eta + (cosine / eta - square.clamp(min=0).sqrt()) * normal
    return normalised(torch.where(square > 0, through, direction + 2 * cosine * normal))


class Nested(NamedTuple):
    """Which object, the last dimension, is within which opaque one."""

    centre: Bool[Tensor, "scenes objects objects"]  # its centre
    whole: Bool[Tensor, "scenes objects objects"]  # all of it, and of the sphere round it


def nested(scenes: Surfaces) -> Nested:
    """See Nested."""
    shapes = scenes.shapes
    start = transform(shapes.unit_from_world[..., None], shapes.center[..., None, :] - shapes.center[..., None])
    distance = dot(start, start).sqrt()
    longest, shortest = shapes.square_axes.amax(0).sqrt(), shapes.square_axes.amin(0).sqrt()
    radius = longest[:, None] / shortest[..., None]
    opaque = (scenes.real & (scenes.clear == 0))[..., None] & scenes.real[:, None]
    opaque = opaque & ~torch.eye(opaque.shape[1], dtype=torch.bool, device=opaque.device)
    return Nested(opaque & (distance < 1), opaque & (distance + radius < 1))


class Frame(NamedTuple):
    """The points' own axes, unit vectors [3, lanes]."""

    x: Float[Tensor, "3 lanes"]
    y: Float[Tensor, "3 lanes"]
    z: Float[Tensor, "3 lanes"]


def frame(points: Points) -> Frame:
    """z along the normal, x as far as possible towards the viewer."""
    z = points.normal
    across = -points.direction + dot(points.direction, z) * z
    steep = dot(across, across) < 1e-10
    helper = torch.stack([(z[0].abs() < 0.5).float(), (z[0].abs() >= 0.5).float(), torch.zeros_like(z[0])])
    x = normalised(torch.where(steep, helper - dot(helper, z) * z, across))
    return Frame(x, torch.linalg.cross(z, x, dim=0), z)


class Seen(NamedTuple):
    """Every object as seen from every point; lengths are over the distance."""

    shapes: ShapeArrays  # [..., objects, lanes], or [..., objects, 1] in one scene
    real: Bool[Tensor, "objects #lanes"]
    own: Bool[Tensor, "objects lanes"]  # whether the point is on it
    direction: Float[Tensor, "3 objects lanes"]  # unit, to its centre
    distance: Float[Tensor, "objects lanes"]  # to its centre, scene units
    size: Float[Tensor, "objects lanes"]  # radius of the sphere of equal volume
    height: Float[Tensor, "objects lanes"]  # half its extent along the point's normal
    around: Bool[Tensor, "objects lanes"]  # whether the point is within it

    def shapes_of(self, lane: Int64[Tensor, " rows"]) -> ShapeArrays:
        """The objects of these lanes' scenes, [..., objects, rows], or [..., objects, 1] in one scene."""
        return self.shapes if self.real.shape[1] == 1 else ShapeArrays(*(field[..., lane] for field in self.shapes))


def seen(scenes: Surfaces, points: Points) -> Seen:
    """See Seen."""
    there = scenes.of(points.scene)
    shapes = ShapeArrays(*(field.transpose(-1, -2).contiguous() for field in there.shapes))
    vector = shapes.center - points.position[:, None]
    distance = dot(vector, vector).sqrt().clamp(min=1e-6)
    support = transform(shapes.unit_from_world, points.normal[:, None]) * shapes.square_axes
    start = transform(shapes.unit_from_world, vector)
    own = points.item == torch.arange(len(distance), device=distance.device)[:, None]
    return Seen(
        shapes,
        there.real.T,
        own,
        vector / distance,
        distance,
        shapes.volume ** (1 / 3) / distance,
        dot(support, support).sqrt() / distance,
        (dot(start, start) < 1) & ~own & there.real.T,
    )


def clearance(
    shapes: ShapeArrays, origin: Float[Tensor, "3 *lanes"], direction: Float[Tensor, "3 *lanes"]
) -> tuple[Float[Tensor, "*pairs"], Float[Tensor, "*pairs"]]:
    """How far from each ellipsoid's centre a ray passes, in unit space (at 1 it grazes), and at which distance.

    The distance is in scene units, negative behind the origin.
    """
    start = transform(shapes.unit_from_world, origin - shapes.center)
    along = transform(shapes.unit_from_world, direction)
    distance = -dot(start, along) / dot(along, along)
    past = start + distance * along
    return dot(past, past).sqrt(), distance
