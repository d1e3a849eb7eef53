"""Caustics of flat mirrors: diffuse points sample lights from their own mirror image.

A flat mirror shows a light as it is seen from the point's image behind it: directions and their densities are the
same but for the reflection, so that what is known of sampling lights holds. A path tracer finds this light by chance.
"""

import warp as wp

from luxel.core.emitters import LightCDF, LightSampleContext, light_cdf, sample_light
from luxel.core.frames import unit_length
from luxel.core.intersect import MISS, intersect_object, is_visible
from luxel.core.principled import albedos, evaluate_lobes, mean
from luxel.core.sampling import sobol_point
from luxel.core.scene_tables import MAX_MIRRORS
from luxel.core.scenes import SceneObject, Scenes, material_of_object, shape_of
from luxel.core.shapes.kinds import BOX
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import is_panel, surface_interaction
from luxel.models.gather_points import GatherPoint, GatherSettings, PointTerms, gather_point_at
from luxel.models.shading_points import ShadingPoint
from luxel.models.signals import CAUSTIC, CAUSTIC_MOMENT, HIGHLIGHT, Signals, rgb_at, with_rgb

LIGHT_RAYS_PER_MIRROR_RAY = wp.constant(8)  # one light sample of so many is taken by way of each face of each mirror
MIN_FACE_COSINE = wp.constant(0.999)  # between the normals of a hit and of the face that it is expected on


@wp.struct
class MirrorFace:
    """A plane that reflects, as a point before it sees it."""

    normal: wp.vec3  # unit length, towards the point
    distance: float  # of the point; not positive where the face cannot be seen from there


@wp.func
def face_count(kind: int) -> int:
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
    if wp.abs(wp.dot(si.normal, face.normal)) < MIN_FACE_COSINE:
        return result
    is_in_front = light.object_id < 0
    if not is_in_front:
        is_in_front = wp.dot(scenes.objects[light.object_id].center - si.point, face.normal) > 0.0
    if not is_in_front:
        return result
    result.direction = direction
    result.density = light.density
    is_seen = is_visible(scenes, scene, at.point, direction, at.object_id, mirror)
    if is_seen and is_visible(scenes, scene, si.point, light.direction, mirror, light.object_id):
        result.radiance = wp.cw_mul(light.radiance, albedos(material_of_object(obj), cosine).reflectance)
    return result


@wp.struct
class ReflectedLight:
    """Light that a mirror's face reflects onto a point, as it leaves there by the diffuse and by the glossy lobe."""

    diffuse: wp.vec3
    diffuse_moment: float  # as in CAUSTIC_MOMENT
    highlight: wp.vec3


@wp.func
def light_by_face(
    scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint, mirror: int, face: MirrorFace
) -> ReflectedLight:
    """That of lights; the highlight only where the diffuse lobe's rays serve it: they skip lights in mirrors."""
    result = ReflectedLight(wp.vec3(0.0, 0.0, 0.0), 0.0, wp.vec3(0.0, 0.0, 0.0))
    rays_per_pattern = wp.max(settings.light_rays // LIGHT_RAYS_PER_MIRROR_RAY, 1)
    cdf = light_cdf(scenes, scene, mirrored_context(r.at, face))
    for k in range(rays_per_pattern * settings.patterns_per_point):
        u = sobol_point(r.pattern * rays_per_pattern + k, 5)
        choice = (float(k % rays_per_pattern) + sobol_point(r.pattern + k // rays_per_pattern, 6)[0]) / float(
            rays_per_pattern
        )
        light = sample_mirrored_light(scenes, scene, r.at, mirror, face, cdf, choice, u)
        if wp.max(light.radiance) > 0.0:
            bsdf_value = evaluate_lobes(r.bsdf, r.local * light.direction)
            arriving = light.radiance / (light.density * float(rays_per_pattern * settings.patterns_per_point))
            result.diffuse += arriving * bsdf_value.diffuse
            result.diffuse_moment += mean(light.radiance) * mean(arriving) * bsdf_value.diffuse
            if r.shares_rays:
                result.highlight += wp.cw_mul(arriving, bsdf_value.specular)
    return result


@wp.kernel(enable_backward=False)
def add_mirrored_lights(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    throughput: wp.array[float],
    terms: wp.array[PointTerms],
    signals: wp.array[Signals],
    begin: int,
) -> None:
    """Add the light by way of flat mirrors to a diffuse point's CAUSTIC, and to HIGHLIGHT where no ray finds it."""
    index = wp.tid() + begin
    p = points[index]
    if p.object_id == MISS:
        return
    r = gather_point_at(scenes, settings, p, index, terms[index].alpha, throughput[index])
    if not r.is_diffuse:
        return
    out = signals[index]
    mirrors = scenes.scenes[p.scene].mirrors
    for i in range(MAX_MIRRORS):
        mirror = mirrors[i]
        if mirror != MISS and mirror != p.object_id:
            obj = scenes.objects[mirror]
            for number in range(face_count(obj.kind)):
                face = mirror_face(obj, number, p.point)
                if face.distance > 0.0:
                    reflected_light = light_by_face(scenes, settings, p.scene, r, mirror, face)
                    out = with_rgb(out, CAUSTIC, rgb_at(out, CAUSTIC) + reflected_light.diffuse)
                    out[CAUSTIC_MOMENT] = out[CAUSTIC_MOMENT] + reflected_light.diffuse_moment
                    out = with_rgb(out, HIGHLIGHT, rgb_at(out, HIGHLIGHT) + reflected_light.highlight)
    signals[index] = out
