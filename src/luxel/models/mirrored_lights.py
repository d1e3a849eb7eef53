"""Light that flat mirrors throw onto diffuse surfaces: lights sampled from a point's own mirror image.

A flat mirror shows a light as it is seen from the point's image behind it: directions and their densities are the
same but for the reflection, so that what is known of sampling lights holds. A path tracer finds this light by chance.
"""

import warp as wp

from luxel.core.emitters import LightCDF, LightSampleContext, light_cdf, sample_light
from luxel.core.frames import unit_length
from luxel.core.intersect import MISS, intersect_object, is_visible
from luxel.core.principled import albedos, evaluate_lobes
from luxel.core.sampling import sobol_point
from luxel.core.scene_tables import MOST_MIRRORS
from luxel.core.scenes import SceneObject, Scenes, material_of_object, shape_of
from luxel.core.shapes.kinds import BOX
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import is_panel, surface_interaction
from luxel.models.receivers import GatherSettings, Receiver, receiver_at
from luxel.models.shading_points import ShadingPoint
from luxel.models.signals import HIGHLIGHT, THROUGH, Signals, vector_at, with_vector

MIRROR_LOOK = wp.constant(8)  # one ray to lights of so many is sent by way of each face of each mirror
SAME_FACE = wp.constant(0.999)  # cosine between normals


@wp.struct
class MirrorFace:
    """A plane that reflects, as a point before it sees it."""

    normal: wp.vec3  # unit length, towards the point
    distance: float  # of the point; not positive where the face cannot be seen from there


@wp.func
def faces_of(kind: int) -> int:
    """How many faces a flat object has; a panel's two sides are one."""
    return wp.where(kind == BOX, 6, 1)


@wp.func
def mirror_face(obj: SceneObject, face: int, point: wp.vec3) -> MirrorFace:
    """A flat object's face: of a box ±x, ±y, ±z in turn, of others the only one, of panels on either side."""
    axis = wp.where(obj.kind == BOX, face // 2, 2)
    side = wp.where(face % 2 == 0, 1.0, -1.0)
    column = wp.vec3(obj.world_from_unit[0, axis], obj.world_from_unit[1, axis], obj.world_from_unit[2, axis])
    normal = side * unit_length(column)
    middle = obj.center
    if obj.kind == BOX:
        middle += side * column
    distance = wp.dot(point - middle, normal)
    if is_panel(obj.kind) and distance < 0.0:
        normal = -normal
        distance = -distance
    return MirrorFace(normal, distance)


@wp.func
def reflected(v: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """A direction after reflection by a plane."""
    return v - 2.0 * wp.dot(v, normal) * normal


@wp.struct
class MirroredLight:
    """A light that a point sees in a mirror."""

    direction: wp.vec3  # from the point
    radiance: wp.vec3  # that arrives from there
    density: float  # per steradian; 0 where there is none


@wp.func
def mirrored_context(at: LightSampleContext, face: MirrorFace) -> LightSampleContext:
    """The point's image behind a mirror's face, which sees the lights as the face shows them to the point."""
    image = at.point - 2.0 * face.distance * face.normal
    return LightSampleContext(image, reflected(at.normal, face.normal), MISS, at.is_opaque)


@wp.func
def sample_mirrored_light(
    scenes: Scenes,
    scene: int,
    at: LightSampleContext,
    mirror: int,
    face: MirrorFace,
    cdf: LightCDF,
    choice: float,
    u: wp.vec2,
) -> MirroredLight:
    """What `sample_light` finds for a point's image behind a face of the object `mirror`, as the point sees it there.

    The CDF is the `light_cdf` of `mirrored_context`. Nothing may be in between, be it clear.
    """
    none = wp.vec3(0.0, 0.0, 0.0)
    result = MirroredLight(none, none, 0.0)
    light = sample_light(scenes, scene, mirrored_context(at, face), cdf, choice, u)
    cosine = wp.dot(light.direction, face.normal)
    if light.density == 0.0 or cosine <= 0.0:
        return result
    direction = reflected(light.direction, face.normal)
    obj = scenes.objects[mirror]
    t = intersect_object(scenes, mirror, at.point, direction, at.object_id, INFINITY)
    if t == INFINITY:
        return result
    si = surface_interaction(shape_of(obj), at.point, direction, t)
    if wp.abs(wp.dot(si.normal, face.normal)) < SAME_FACE:
        return result
    is_before = light.object_id < 0
    if not is_before:
        is_before = wp.dot(scenes.objects[light.object_id].center - si.point, face.normal) > 0.0
    if not is_before:
        return result
    result.direction = direction
    result.density = light.density
    is_seen = is_visible(scenes, scene, at.point, direction, at.object_id, mirror)
    if is_seen and is_visible(scenes, scene, si.point, light.direction, mirror, light.object_id):
        result.radiance = wp.cw_mul(light.radiance, albedos(material_of_object(obj), cosine).reflectance)
    return result


@wp.struct
class Thrown:
    """What a mirror's face throws onto a point: irradiance over π, but for Burley's factors, and gloss that leaves."""

    diffuse: wp.vec3
    gloss: wp.vec3


@wp.func
def thrown_by_face(
    scenes: Scenes, settings: GatherSettings, scene: int, r: Receiver, mirror: int, face: MirrorFace
) -> Thrown:
    """Of lights; gloss where the diffuse lobe's rays serve it, which don't look for lights in mirrors."""
    result = Thrown(wp.vec3(0.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 0.0))
    each = wp.max(settings.light_rays // MIRROR_LOOK, 1)
    cdf = light_cdf(scenes, scene, mirrored_context(r.at, face))
    for k in range(each * settings.tiles):
        u = sobol_point(r.pattern * each + k, 5)
        choice = (float(k % each) + sobol_point(r.pattern + k // each, 6)[0]) / float(each)
        light = sample_mirrored_light(scenes, scene, r.at, mirror, face, cdf, choice, u)
        if wp.max(light.radiance) > 0.0:
            towards = evaluate_lobes(r.bsdf, r.local * light.direction)
            arriving = light.radiance / (light.density * float(each * settings.tiles))
            result.diffuse += arriving * towards.diffuse
            if r.shares_rays:
                result.gloss += wp.cw_mul(arriving, towards.specular)
    return result


@wp.kernel(enable_backward=False)
def look_into_mirrors(
    scenes: Scenes, settings: GatherSettings, points: wp.array[ShadingPoint], signals: wp.array[Signals], begin: int
) -> None:
    """Add the light by way of flat mirrors to a diffuse point's THROUGH, and to HIGHLIGHT where no ray looks for it."""
    index = wp.tid() + begin
    p = points[index]
    if p.object_id == MISS:
        return
    r = receiver_at(scenes, settings, p, index)
    if not r.is_diffuse:
        return
    out = signals[index]
    mirrors = scenes.scenes[p.scene].mirrors
    for i in range(MOST_MIRRORS):
        mirror = mirrors[i]
        if mirror != MISS and mirror != p.object_id:
            obj = scenes.objects[mirror]
            for number in range(faces_of(obj.kind)):
                face = mirror_face(obj, number, p.point)
                if face.distance > 0.0:
                    thrown = thrown_by_face(scenes, settings, p.scene, r, mirror, face)
                    out = with_vector(out, THROUGH, vector_at(out, THROUGH) + thrown.diffuse)
                    out = with_vector(out, HIGHLIGHT, vector_at(out, HIGHLIGHT) + thrown.gloss)
    signals[index] = out
