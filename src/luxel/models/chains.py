"""Specular chains: rays followed through mirrors and clear glass, down to the first surface that scatters."""

import warp as wp

from luxel.core.emitters import emitted_radiance, environment_radiance, is_lamp
from luxel.core.frames import unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, refract
from luxel.core.intersect import MISS, SUN, Hit, intersect, intersect_object
from luxel.core.principled import Material, albedos, is_followed, mean, refraction_weight
from luxel.core.scenes import Scenes, material_of_object, shape_of
from luxel.core.shapes.kinds import BOX
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.core.sky import is_in_sun
from luxel.core.visibility import TOUCHING
from luxel.models.light_images import RayCone, cone_after_interface, image_share
from luxel.models.ray_differentials import Segment
from luxel.models.shading_points import ShadingPoint, pixel_width

REFLECTED, TRANSMITTED = 0, 1
LOBES = 2
BRANCHES = 3  # of each: the strongest, and those that differ from it at the second and third interface
MAX_CHAIN_INTERFACES = wp.constant(5)  # with the segment from the last one to a light, paths of depth 6
MAX_CONE_DISTANCE = wp.constant(1.0e6)  # distance up to which rays of a pixel part
PATH_ID_PRIME = wp.constant(7919)  # see `extended_path_id`
MIN_SHADED_THROUGHPUT = wp.constant(0.01)  # of an end whose surface is shaded; lights and the sky are always shown


@wp.struct
class Chain:
    """Where a specular chain ends, the throughput from there to its start, and the radiance of lights and the sky."""

    end: ShadingPoint
    throughput: wp.vec3
    radiance: wp.vec3
    interfaces: int
    starts_inside: bool  # an opaque solid, which hides the point where it starts
    first: Segment
    last: Segment


@wp.func
def empty_chain(p: ShadingPoint) -> Chain:
    """One that shows nothing."""
    none = wp.vec3(0.0, 0.0, 0.0)
    segment = Segment(p.point, p.direction, none, MISS, MISS, 0, 1.0, none, wp.vec2(0.0, 0.0))
    chain = Chain(p, none, none, 0, False, segment, segment)
    chain.end.object_id = MISS
    return chain


@wp.struct
class NextHit:
    """What a ray hits next, and the object that touches it there from outside, or MISS."""

    hit: Hit
    touching: int


@wp.func
def next_hit_beyond(scenes: Scenes, p: ShadingPoint, object_id: int, reach: float) -> NextHit:
    """Along a ray that goes on from an interface of an object.

    What touches the object's far side is at the same distance, as far as can be told: the far side comes first.
    """
    hit = intersect(scenes, p.scene, p.point, p.direction, object_id)
    touching = int(MISS)
    if scenes.objects[object_id].kind >= BOX and wp.dot(p.direction, p.normal) < 0.0:  # round ones touch in a point
        t = intersect_object(scenes, object_id, p.point, p.direction, object_id, INFINITY)
        near = wp.min(reach + TOUCHING * t, 0.25 * t)
        if t < hit.t + near:
            if hit.object_id != object_id:
                touching = hit.object_id
            else:
                beyond = intersect(scenes, p.scene, p.point + (t - near) * p.direction, p.direction, object_id)
                if beyond.t < 2.0 * near and beyond.object_id != object_id:
                    touching = beyond.object_id
            hit = Hit(object_id, t)
    return NextHit(hit, touching)


@wp.struct
class ScatteredRay:
    """A ray that leaves an interface, reflected or transmitted, and the throughput of its chain up to there."""

    ray: ShadingPoint
    throughput: wp.vec3
    transmits: bool
    index_ratio: float


@wp.func
def scatter_at_interface(
    p: ShadingPoint, material: Material, throughput: wp.vec3, lobe: int, interfaces: int, branch: int
) -> ScatteredRay:
    """The one lobe by which a chain goes on from an interface, where it has arrived at `p`; see `follow_chain`."""
    result = ScatteredRay(p, throughput, lobe == TRANSMITTED, 1.0)
    cos_i = -wp.dot(p.direction, p.normal)
    a = albedos(material, cos_i)
    if interfaces == 0:
        result.throughput = wp.where(result.transmits, a.transmittance, a.reflectance)
    else:
        result.transmits = (mean(a.transmittance) > mean(a.reflectance)) != (interfaces == branch)
        share = a.reflectance + a.transmittance
        if interfaces <= branch or (branch == 0 and interfaces < BRANCHES):
            share = wp.where(result.transmits, a.transmittance, a.reflectance)
        result.throughput = wp.cw_mul(throughput, share)
    if result.transmits:
        index_ratio = wp.where(cos_i > 0.0, material.eta, 1.0 / material.eta)
        result.index_ratio = index_ratio
        result.throughput = result.throughput / (index_ratio * index_ratio)
        result.ray.gain = p.gain * index_ratio * index_ratio
        cos_t = fresnel_dielectric(cos_i, material.eta).cos_t
        result.ray.direction = unit_length(refract(-p.direction, p.normal, cos_t, index_ratio))
    else:
        result.ray.direction = unit_length(reflect(-p.direction, p.normal))
    return result


@wp.func
def extended_path_id(path_id: int, object_id: int, transmits: bool) -> int:
    """The hash of a chain's interfaces with one more; all chains of a pixel have the first one in common.

    Two paths of three interfaces have the same hash only if objects' rows differ by thousands.
    """
    return PATH_ID_PRIME * path_id + 2 * object_id + wp.where(transmits, 2, 1)


@wp.func
def ends_chain(material: Material, cosine: float) -> bool:
    """Whether a chain ends at a surface: most of what leaves it comes from many directions."""
    a = albedos(material, cosine)
    return not is_followed(material) or mean(a.diffuse) > mean(a.reflectance) + mean(a.transmittance)


@wp.func
def follow_chain(scenes: Scenes, p: ShadingPoint, offset: wp.vec2, lobe: int, branch: int, height: int) -> Chain:
    """One ray of one lobe of a point, `offset` from the middle of its pixel.

    Beyond the point itself it takes the stronger of reflection and transmission at each interface, but at number
    `branch` the weaker. From interface BRANCHES on, and after the weaker one, what the other would show is taken to be
    as bright. What touches the glass from outside is behind a gap of air.
    """
    chain = empty_chain(p)
    end = p
    throughput = wp.vec3(0.0, 0.0, 0.0)
    touching = int(MISS)
    interfaces = int(0)
    path_id = int(0)
    cone = RayCone(0.0, 0.0)
    if height > 0:
        cone.width = pixel_width(scenes, p, height)
    while interfaces < MAX_CHAIN_INTERFACES:
        object_id = end.object_id
        end.object_id = MISS
        material = material_of_object(scenes.objects[object_id])
        if wp.dot(end.direction, end.normal) >= 0.0 and refraction_weight(material) == 0.0:
            break
        scattered = scatter_at_interface(end, material, throughput, lobe, interfaces, branch)
        throughput = scattered.throughput
        cos_i = -wp.dot(end.direction, end.normal)
        cone = cone_after_interface(cone, scenes.objects[object_id], cos_i, scattered.index_ratio, scattered.transmits)
        if wp.max(throughput) == 0.0:
            break
        end = scattered.ray
        reach = TOUCHING * wp.length(end.point)
        beyond = NextHit(Hit(touching, 0.0), MISS)
        crosses_gap = scattered.transmits and touching != MISS
        if not crosses_gap:
            if touching != MISS:
                end.point -= reach * end.normal
            beyond = next_hit_beyond(scenes, end, object_id, reach)
        touching = beyond.touching
        hit = beyond.hit
        cone.width += wp.min(hit.t, MAX_CONE_DISTANCE) * cone.spread
        hit_share = float(1.0)
        light = hit.object_id
        if light == MISS and is_in_sun(scenes.scenes[p.scene], end.direction):
            light = SUN
        if interfaces > 0 and is_lamp(scenes, light):
            hit_share = image_share(scenes, p.scene, light, cone)
        path_id = extended_path_id(path_id, object_id, scattered.transmits)
        shown = wp.vec3(0.0, 0.0, 0.0)  # not again what branch 0 shows
        if interfaces >= branch:
            shown = throughput
            chain.last = Segment(
                end.point, end.direction, throughput, object_id, light, path_id, hit_share, chain.radiance, offset
            )
            if interfaces == 0:
                chain.first = chain.last
        end.object_id = hit.object_id
        if hit.object_id == MISS:
            far = environment_radiance(scenes, p.scene, end.direction)
            if light == SUN:
                far -= (1.0 - hit_share) * scenes.scenes[p.scene].sun_radiance
            chain.radiance += wp.cw_mul(shown, far)
            break
        shape = shape_of(scenes.objects[hit.object_id])
        si = surface_interaction(shape, end.point, end.direction, hit.t)
        chain.radiance += wp.cw_mul(
            hit_share * shown, emitted_radiance(scenes, hit.object_id, end.direction, si.normal)
        )
        end.point = si.point
        end.normal = facing_normal(shape.kind, si.normal, end.direction)
        if crosses_gap:  # rays from there meet the glass for certain
            end.point -= reach * end.normal
        hit_material = material_of_object(scenes.objects[hit.object_id])
        cos_hit = -wp.dot(end.direction, end.normal)
        if interfaces == 0:
            chain.starts_inside = cos_hit < 0.0 and refraction_weight(hit_material) == 0.0
        if ends_chain(hit_material, cos_hit):
            break
        interfaces += 1
    chain.interfaces = interfaces
    if interfaces >= branch and interfaces < MAX_CHAIN_INTERFACES and mean(throughput) >= MIN_SHADED_THROUGHPUT:
        chain.end = end
        chain.throughput = throughput
    return chain
