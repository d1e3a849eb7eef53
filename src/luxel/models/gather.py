"""What a surface point sees when it looks around: its lights, and by final gathering everything else.

Every point sends a fixed pattern of rays: to points on its lights, over its hemisphere and into its glossy lobes. What
they meet is lit by one light, and sends one ray on; mirrors and glass send it further. The estimators are those of
path tracing, with multiple importance sampling; but no number is random, and paths end early. Patterns differ among
pixels, of which any tile of 4 × 4 together has one well-spread set: `luxel.models.filter` brings them together.

A light behind glass is looked for along the refracted line, and one in a flat mirror by way of its image, by points
themselves; straight through glass by what their rays meet. Paths from diffuse surfaces leave it at that, and find what
else glass and mirrors show.
"""

from typing import Any

import torch
import warp as wp
from jaxtyping import Float, Int32
from torch import Tensor

from luxel.core.emitters import (
    LightSampleContext,
    choose_light,
    emitted_radiance,
    far_lights_found,
    light_density,
    light_weights,
    sample_light,
    sky_radiance,
)
from luxel.core.frames import PI, frame, to_world, unit_length
from luxel.core.intersect import MAP, MISS
from luxel.core.launch import launch, to_warp
from luxel.core.microfacet import sample_cosine_hemisphere
from luxel.core.principled import (
    BSDF,
    SMOOTH_ALPHA,
    albedos,
    bsdf_of,
    burley_diffuse,
    diffuse_weight,
    evaluate_bsdf,
    mean,
    mean_burley_factor,
    refraction_weight,
    sample_bsdf,
)
from luxel.core.rng import uniform
from luxel.core.rough_albedo import ROUGH
from luxel.core.sampling import net_point, power_heuristic
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import MOST_MIRRORS, Scenes, launchable, material_of_object, shape_of
from luxel.core.shapes.kinds import CYLINDER, ELLIPSOID
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.core.sky import gradient_radiance, mean_gradient_radiance
from luxel.core.visibility import LineOfSight, bent_line, is_clear, line_of_sight, next_hit
from luxel.models.mirrored_lights import MirrorFace, faces_of, mirror_face, mirrored_context, sample_mirrored_light
from luxel.models.neighbourhood import Neighbours, neighbour
from luxel.models.shading_points import ShadingPoint, as_points, pixel_width
from luxel.models.subpixels import direction_from, place_in_pixel, widened_alpha

TILE_PIXELS = 16
ROUNDING = wp.constant(1.0e-6)  # of a BSDF's value
INDIRECT_ALPHA = wp.constant(0.3)  # at least, where a diffuse surface sees gloss, lest it flicker (path regularisation)
MOST_SEGMENTS = wp.constant(8)  # of a gathering ray, through mirrors and glass
MIRROR_LOOK = wp.constant(4)  # one ray to lights of so many is sent by way of each face of each mirror
FIRST_LOOK = 4  # one ray to lights of so many is sent first
LANES = 8
"""Threads that share a point's rays on a GPU that has too few points to be busy: at most MANY_POINTS."""
MANY_POINTS = 1 << 17
GLOSS_SHARE = wp.constant(0.25)  # of highlights beside diffuse light, from which on they need all of the rays
NOISE_SHARE = wp.constant(0.1)  # of direct light's standard deviation, from which on it does, too
LIT = wp.constant(1)
SHADOWED = wp.constant(2)
FAR = wp.constant(1.0e9)  # the sky's distance

DIRECT, THROUGH, HIGHLIGHT, UNSHADOWED = range(0, 12, 3)
DIRECT_NOISE = 12
OF_LIGHTS = 13
"""The first of the signals: what lights do. The others are what rays over the hemisphere and into lobes find."""
SKY, SURFACES, REFLECTION, LOST = range(OF_LIGHTS, OF_LIGHTS + 12, 3)
OPENNESS, NEARNESS, INDIRECT_NOISE, GLOSSY_NOISE, ROUGH_WEIGHT = range(OF_LIGHTS + 12, OF_LIGHTS + 17)
SIGNALS = OF_LIGHTS + 17
Signals = wp.types.vector(SIGNALS, float)
"""What a point gathers, in RGB but for OPENNESS, NEARNESS and noise.

Irradiance over π (but for Burley's Fresnel factors) by lights (DIRECT), by lights through glass and by way of flat
mirrors (THROUGH), by the sky, and by way of other surfaces; radiance that leaves by the glossy lobes, of lights
(HIGHLIGHT) and of all else; what DIRECT would be without shadows; the share of the hemisphere's light that paths were
cut off from, for a unit of radiance everywhere (LOST); the share of the hemisphere that is sky; how near the other
surfaces are: the mean of s / (s + t), for rays that meet something at a distance of t, where a pixel is s wide; and the
variances, as if rays were independent, of the means over channels: of DIRECT by rays to lights, of SKY and SURFACES,
of HIGHLIGHT and REFLECTION by rays into lobes; and, where the diffuse lobe's rays serve a rough lobe (ROUGH) too, what
REFLECTION would be under a radiance of 1, the mean of the channels (ROUGH_WEIGHT).
"""


RAY_SUMS = 5
RaySums = wp.types.vector(RAY_SUMS, float)
"""Over the rays of a point over its hemisphere: of ROUGH_WEIGHT's summands times what the rough lobe reflects by them;
of these summands' squares; and of what stands in for the sky, in RGB (`look_around`).
"""


@wp.struct
class GatherSettings:
    """Rays of each kind that a point sends in its pattern, and how it goes on from there."""

    light_rays: int
    diffuse_rays: int
    glossy_rays: int
    bounces: int  # surfaces that scatter, beyond the point, up to which a gathering ray goes on
    tiles: int  # patterns that every point goes through: 1, or TILE_PIXELS for a point without neighbours
    occlusion: int  # 0: nothing is ever in between, for comparison
    chained: int  # points whose smooth lobes are followed (`luxel.models.specular`), the first ones
    lanes: int  # threads that share each point's rays, for a GPU's sake
    height: int  # of pictures in pixels


@wp.struct
class Gathered:
    """What one gathering ray brings; see Signals."""

    sky: wp.vec3
    surfaces: wp.vec3
    lights: wp.vec3
    lost: wp.vec3
    distance: float


@wp.func
def specular_value(bsdf: BSDF, value: wp.vec3, diffuse: float) -> wp.vec3:
    """A BSDF's value without its diffuse part, whose `diffuse_value` this is; 0 where the rest is rounding alone.

    Of two such numbers the ratio, as that of noise and mean, would say anything.
    """
    rest = value - bsdf.material.base_color * (diffuse * diffuse_weight(bsdf.material))
    if mean(rest) < ROUNDING * mean(value):
        rest = wp.vec3(0.0, 0.0, 0.0)
    return rest


@wp.func
def diffuse_value(bsdf: BSDF, wo: wp.vec3) -> float:
    """The diffuse lobe's value for an albedo of 1, times |cos θ_o|."""
    result = float(0.0)
    if bsdf.wi[2] > 0.0 and wo[2] > 0.0:
        half = unit_length(bsdf.wi + wo)
        result = burley_diffuse(bsdf.material, bsdf.wi[2], wo[2], wp.dot(wo, half))
    return result


@wp.func
def sight_of(
    scenes: Scenes,
    settings: GatherSettings,
    scene: int,
    at: LightSampleContext,
    direction: wp.vec3,
    target: int,
    straight_on: bool,
) -> LineOfSight:
    """The line of sight to a light, or to SUN or MAP; the settings may take every light to be in view."""
    if settings.occlusion == 0:
        return LineOfSight(wp.vec3(1.0, 1.0, 1.0), False, MISS, 0)
    return line_of_sight(scenes, scene, at.point, direction, at.object_id, target, straight_on)


@wp.func
def gather_along(
    scenes: Scenes,
    settings: GatherSettings,
    scene: int,
    start: LightSampleContext,
    start_direction: wp.vec3,
    start_density: float,
    lights_total: float,
    light_rays: float,
    is_diffuse: bool,
    least_alpha: float,
    pattern: int,
    number: int,
) -> Gathered:
    """What arrives along one ray from a point; `start_density` is the ray's, times how many there are of its kind.

    Opaque rough surfaces on the way have at least the point's own α, `least_alpha`. After a diffuse surface, glass
    passes rays on but does not look for lights, and lights seen through it don't count: lines of sight have found them.
    """
    none = wp.vec3(0.0, 0.0, 0.0)
    result = Gathered(none, none, none, none, FAR)
    key = wp.vec2ui(wp.uint32(17), wp.uint32(number))
    beta = wp.vec3(1.0, 1.0, 1.0)
    at = start
    origin = start.point
    origin_object = start.object_id
    left_object = int(MISS)
    direction = start_direction
    density = start_density
    total = lights_total
    rays_to_lights = light_rays
    after_diffuse = is_diffuse
    sees_lights = bool(True)
    bounces = int(0)
    for segment in range(MOST_SEGMENTS):
        hit = next_hit(scenes, scene, origin, direction, origin_object, left_object)
        if hit.object_id == MISS or settings.occlusion == 0:
            sky = wp.cw_mul(beta, sky_radiance(scenes, scene, direction))
            far = none
            if sees_lights and settings.occlusion != 0:
                far = far_lights_found(scenes, scene, at, total, direction, density, rays_to_lights)
            if segment == 0:
                result.sky = sky
                result.lights = far
            else:
                result.surfaces += sky + wp.cw_mul(beta, far)
            break
        if segment == 0:
            result.distance = hit.t
        obj = scenes.objects[hit.object_id]
        shape = shape_of(obj)
        si = surface_interaction(shape, origin, direction, hit.t)
        Le = emitted_radiance(scenes, hit.object_id, direction, si.normal)
        if wp.max(Le) > 0.0 and sees_lights:
            looked_for = light_density(scenes, scene, at, total, hit.object_id, direction, hit.t, si.normal)
            weight = power_heuristic(density, rays_to_lights * looked_for)
            if segment == 0:
                result.lights = Le * weight
            else:
                result.surfaces += wp.cw_mul(beta, Le) * weight

        material = material_of_object(obj)
        transmits = refraction_weight(material) > 0.0
        is_mirror = segment == 0 and obj.is_mirror != 0  # whose image of the lights the point has looked at
        if after_diffuse and not transmits and not is_mirror:
            material.alpha = wp.max(material.alpha, INDIRECT_ALPHA)
        elif material.alpha >= SMOOTH_ALPHA and not transmits:
            material.alpha = wp.max(material.alpha, least_alpha)
        normal = facing_normal(shape.kind, si.normal, direction)
        local = frame(normal)
        wi = local * (-direction)
        if wi[2] <= 0.0 and not transmits:
            break
        bsdf = bsdf_of(material, wi)
        origin = si.point
        left_object = origin_object
        origin_object = hit.object_id
        passes = material.alpha < SMOOTH_ALPHA and bsdf.diffuse_share < 0.5
        if after_diffuse:
            passes = is_mirror or (is_clear(material) and bsdf.diffuse_share == 0.0)
        if not passes:
            if bounces == settings.bounces:
                a = albedos(material, wi[2])
                result.lost = wp.cw_mul(beta, a.diffuse + a.reflectance + a.transmittance)
                break
            bounces += 1
            at = LightSampleContext(origin, normal, origin_object, material.transmission == 0.0)
            u = uniform(key, pattern, segment, 0)
            weights = light_weights(scenes, scene, at)
            light = sample_light(scenes, scene, at, weights, u[0], wp.vec2(u[1], u[2]))
            total = light.total
            rays_to_lights = 1.0
            if light.density > 0.0:
                wo = local * light.direction
                towards = evaluate_bsdf(bsdf, wo)
                if wp.max(towards.value) > 0.0:
                    sight = sight_of(scenes, settings, scene, at, light.direction, light.object_id, wo[2] > 0.0)
                    weight = 1.0 / light.density
                    if not sight.is_through:
                        weight *= power_heuristic(light.density, towards.density)
                    arriving = wp.cw_mul(light.radiance, sight.transmittance)
                    result.surfaces += wp.cw_mul(wp.cw_mul(beta, towards.value), arriving) * weight
            after_diffuse = after_diffuse or bsdf.diffuse_share > 0.0
        else:
            total = 0.0
        v = uniform(key, pattern, segment, 1)
        wo = sample_bsdf(bsdf, wp.vec3(v[0], v[1], v[2]))
        scattered = evaluate_bsdf(bsdf, wo)
        density = scattered.density
        if density <= 0.0:
            break
        sees_lights = not passes or (not after_diffuse and wi[2] * wo[2] > 0.0)
        beta = wp.cw_mul(beta, scattered.value) * (1.0 / density)
        direction = unit_length(to_world(local, wo))
    return result


@wp.func
def square(x: float) -> float:
    """x²."""
    return x * x


@wp.func
def variance_of_sum(squares: float, total: float, count: int) -> float:
    """Of independent summands, estimated from their sum and that of their squares."""
    result = float(0.0)
    if count > 1:
        result = wp.max(squares - total * total / float(count), 0.0) * (float(count) / float(count - 1))
    return result


@wp.func
def with_vector(signals: Signals, at: int, value: wp.vec3) -> Signals:
    """The signals with three of them set."""
    signals[at] = value[0]
    signals[at + 1] = value[1]
    signals[at + 2] = value[2]
    return signals


@wp.func
def vector_at(signals: Signals, at: int) -> wp.vec3:
    """Three of the signals."""
    return wp.vec3(signals[at], signals[at + 1], signals[at + 2])


@wp.struct
class Receiver:
    """A point that gathers: its BSDF in its own frame, and the rays of each kind that it sends."""

    bsdf: BSDF
    local: wp.mat33
    at: LightSampleContext
    is_front: bool
    is_diffuse: bool
    is_smooth: bool  # chains show what its lobes reflect and transmit
    turn_square: float  # of its normal within its pixel, if it is smooth: see `beyond_pixel`
    shares_rays: bool  # those of its diffuse lobe serve its gloss, too
    sees_light: bool
    pattern: int  # the first one of its tiles
    diffuse_rays: int
    glossy_rays: int


@wp.func
def beyond_pixel(wi: wp.vec3, wo: wp.vec3, turn_square: float) -> float:
    """The share of a smooth surface's highlight that chains don't show: all but what they find within the pixel.

    With t the tangent of the half vector's angle, t⁴ / (t² + turn²)²: 0 where the light's mirror image is, near which
    what one point has is a spike, and about 1 from where on the pixel has no such point: in the lobe's long tails.
    """
    half = unit_length(wi + wo)
    t_square = (1.0 - half[2] * half[2]) / wp.max(half[2] * half[2], 1.0e-6)
    return square(t_square / wp.max(t_square + turn_square, 1.0e-12))


@wp.func
def receiver_at(scenes: Scenes, settings: GatherSettings, p: ShadingPoint, index: int) -> Receiver:
    """The point number `index`, which has an object."""
    r = Receiver()
    material = material_of_object(scenes.objects[p.object_id])
    r.is_smooth = material.alpha < SMOOTH_ALPHA and index < settings.chained
    r.turn_square = 0.0
    kind = scenes.objects[p.object_id].kind
    is_curved = kind <= ELLIPSOID or kind == CYLINDER  # so that its highlights may be smaller than a pixel
    if is_curved and material.roughness < ROUGH and settings.tiles == 1 and index < settings.chained:
        alpha = widened_alpha(scenes, p, material.alpha, settings.height)
        if r.is_smooth:
            r.turn_square = square(alpha) - square(material.alpha)
        elif refraction_weight(material) == 0.0:
            material.alpha = alpha
    r.local = frame(p.normal)
    wi = r.local * (-p.direction)
    r.is_front = wi[2] > 0.0
    transmits = refraction_weight(material) > 0.0
    r.bsdf = bsdf_of(material, wi)
    r.bsdf.diffuse_share = 0.0  # its samples and densities are of the glossy lobes alone
    r.is_diffuse = r.is_front and diffuse_weight(material) * wp.max(material.base_color) > 0.0
    r.sees_light = r.is_front or transmits
    r.shares_rays = r.is_diffuse and material.roughness >= ROUGH and not transmits
    r.pattern = wp.where(settings.tiles > 1, 0, p.pattern)
    r.diffuse_rays = wp.where(r.is_diffuse, settings.diffuse_rays * settings.tiles, 0)
    has_lobe = r.sees_light and not r.is_smooth and not r.shares_rays
    r.glossy_rays = wp.where(has_lobe, settings.glossy_rays * settings.tiles, 0)
    r.at = LightSampleContext(p.point, p.normal, p.object_id, material.transmission == 0.0)
    return r


@wp.kernel(enable_backward=False)
def look_at_lights(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    least: int,
    parts: wp.array2d[Signals],
    found_in: wp.array2d[int],
    begin: int,
) -> None:
    """What a lane's rays to lights bring to a point that sends `least` of them or more; see `add_up_lights`.

    In place of noise there are sums of squares. 0 is where there is no object. `found_in` becomes which of LIT and
    SHADOWED the rays found.
    """
    index = (wp.tid() + begin) // settings.lanes
    lane = (wp.tid() + begin) % settings.lanes
    p = points[index]
    each = light_rays[index]
    if each < least:
        return
    out = Signals()
    found = int(0)
    if p.object_id != MISS:
        r = receiver_at(scenes, settings, p, index)
        none = wp.vec3(0.0, 0.0, 0.0)
        direct = none
        through = none
        highlight = none
        unshadowed = none
        squares = float(0.0)
        weights = light_weights(scenes, p.scene, r.at)
        many = wp.where(r.sees_light, each * settings.tiles, 0)
        for k in range(lane, many, settings.lanes):
            u = net_point(r.pattern * each + k, 0)
            part = float(k % each) + net_point(r.pattern + k // each, 1)[0]
            light = sample_light(scenes, p.scene, r.at, weights, part / float(each), u)
            if light.density > 0.0:
                density = light.density * float(many)
                wo = r.local * light.direction
                towards = evaluate_bsdf(r.bsdf, wo)
                if wp.max(towards.value) > 0.0:
                    diffuse = diffuse_value(r.bsdf, wo)
                    plain = wp.where(r.is_diffuse, diffuse, 0.0)
                    of_diffuse = float(r.diffuse_rays) * wp.max(wo[2], 0.0) / PI
                    of_glossy = float(wp.max(r.glossy_rays, 1)) * towards.density  # of a smooth surface its chain's
                    if settings.occlusion == 0:  # then other rays don't see lights
                        of_diffuse = 0.0
                        of_glossy = wp.where(r.is_smooth, of_glossy, 0.0)
                    if r.shares_rays:
                        of_glossy = of_diffuse
                    weight = power_heuristic(density, of_diffuse) / density
                    unshadowed += light.radiance * (plain / density)
                    leaves = wo[2] > 0.0 or not r.is_front
                    sight = sight_of(scenes, settings, p.scene, r.at, light.direction, light.object_id, leaves)
                    found = found | wp.where(wp.max(sight.transmittance) > 0.0, LIT, SHADOWED)
                    glossy_weight = power_heuristic(density, of_glossy) / density
                    arriving = wp.cw_mul(light.radiance, sight.transmittance)
                    if sight.is_through:
                        place = p.point
                        if settings.tiles == 1:
                            at = net_point(r.pattern * each + k, 7)
                            place = place_in_pixel(scenes, p, at, settings.height, sight.clear_object)
                        along = direction_from(scenes, place, p, light.direction, light.object_id)
                        line = bent_line(scenes, p.scene, place, along, p.object_id, light.object_id, sight)
                        wo = r.local * line.direction
                        towards = evaluate_bsdf(r.bsdf, wo)
                        diffuse = diffuse_value(r.bsdf, wo)
                        arriving = wp.cw_mul(light.radiance, line.transmittance)
                        through += arriving * (diffuse / density)
                        glossy_weight = 1.0 / density
                    else:
                        direct += arriving * (plain * weight)
                        squares += square(mean(arriving) * plain * weight)
                    if r.is_smooth and light.object_id != MAP:
                        glossy_weight *= beyond_pixel(r.bsdf.wi, wo, r.turn_square)
                    if not (r.is_smooth and sight.is_through):
                        highlight += wp.cw_mul(arriving, specular_value(r.bsdf, towards.value, diffuse)) * glossy_weight
        out = with_vector(out, DIRECT, direct)
        out = with_vector(out, THROUGH, through)
        out = with_vector(out, HIGHLIGHT, highlight)
        out = with_vector(out, UNSHADOWED, unshadowed)
        out[DIRECT_NOISE] = squares
    parts[index, lane] = out
    found_in[index, lane] = found


@wp.kernel(enable_backward=False)
def add_up_lights(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    least: int,
    parts: wp.array2d[Signals],
    found_in: wp.array2d[int],
    signals: wp.array[Signals],
    visibility: wp.array[int],
    begin: int,
) -> None:
    """What all lanes of `look_at_lights` brought, as the Signals of their point; others keep what they have.

    `visibility` becomes which of LIT and SHADOWED they found, and both where the light that they brought is noisy or
    mostly a highlight.
    """
    index = wp.tid() + begin
    each = light_rays[index]
    if each < least:
        return
    out = parts[index, 0]
    found = found_in[index, 0]
    for lane in range(1, settings.lanes):
        out += parts[index, lane]
        found = found | found_in[index, lane]
    p = points[index]
    if p.object_id != MISS:
        direct = vector_at(out, DIRECT)
        out[DIRECT_NOISE] = variance_of_sum(out[DIRECT_NOISE], mean(direct), each * settings.tiles)
        material = material_of_object(scenes.objects[p.object_id])
        matte = diffuse_weight(material) * wp.cw_mul(material.base_color, direct + vector_at(out, THROUGH))
        is_smooth = material.alpha < SMOOTH_ALPHA and index < settings.chained
        is_glossy = mean(vector_at(out, HIGHLIGHT)) > GLOSS_SHARE * mean(matte) and not is_smooth
        if is_glossy or out[DIRECT_NOISE] > square(NOISE_SHARE * mean(vector_at(out, UNSHADOWED))):
            found = LIT | SHADOWED
    signals[index] = out
    visibility[index] = found


@wp.kernel(enable_backward=False)
def choose_light_rays(
    near: Neighbours, visibility: wp.array[int], all_rays: int, light_rays: wp.array[int], begin: int
) -> None:
    """All of them where, together, a point and its neighbours have found both of LIT and SHADOWED."""
    index = wp.tid() + begin
    found = int(0)
    for k in range(9):
        j = neighbour(near, index, k - 3 * (k // 3) - 1, k // 3 - 1)
        if j != MISS:
            found = found | visibility[j]
    if found == (LIT | SHADOWED):
        light_rays[index] = all_rays


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
    weights = light_weights(scenes, scene, mirrored_context(r.at, face))
    for k in range(each * settings.tiles):
        u = net_point(r.pattern * each + k, 5)
        choice = (float(k % each) + net_point(r.pattern + k // each, 6)[0]) / float(each)
        light = sample_mirrored_light(scenes, scene, r.at, mirror, face, weights, choice, u)
        if wp.max(light.radiance) > 0.0:
            wo = r.local * light.direction
            diffuse = diffuse_value(r.bsdf, wo)
            arriving = light.radiance / (light.density * float(each * settings.tiles))
            result.diffuse += arriving * diffuse
            if r.shares_rays:
                result.gloss += wp.cw_mul(arriving, specular_value(r.bsdf, evaluate_bsdf(r.bsdf, wo).value, diffuse))
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


@wp.kernel(enable_backward=False)
def look_around(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    light_rays: wp.array[int],
    parts: wp.array2d[Signals],
    rays_of: wp.array[wp.vec2i],
    sums: wp.array2d[RaySums],
    begin: int,
) -> None:
    """What a lane's rays over the hemisphere and into glossy lobes bring to a point; see `add_up_surroundings`.

    In place of noise there are sums of squares, of so many rays as are in `rays_of`: of the hemisphere, and of lobes.
    What stands in for the sky is a gradient sky's radiance times the diffuse lobe's mean factor, plus what the factor
    differs from that times the sky's mean radiance: nearly their product, and of a mean that is known (`open_sky`).
    """
    index = (wp.tid() + begin) // settings.lanes
    lane = (wp.tid() + begin) % settings.lanes
    p = points[index]
    parts[index, lane] = Signals()
    rays_of[index] = wp.vec2i(0, 0)
    sums[index, lane] = RaySums()
    if p.object_id == MISS:
        return
    r = receiver_at(scenes, settings, p, index)
    rays = r.diffuse_rays + r.glossy_rays
    if rays == 0:
        return
    rays_of[index] = wp.vec2i(r.diffuse_rays, wp.where(r.shares_rays, r.diffuse_rays, r.glossy_rays))
    none = wp.vec3(0.0, 0.0, 0.0)
    direct = none
    sky = none
    surfaces = none
    highlight = none
    reflection = none
    lost = none
    openness = float(0.0)
    nearness = float(0.0)
    indirect_squares = float(0.0)
    glossy_squares = float(0.0)
    rough_weight = float(0.0)
    of_rays = RaySums()
    row = scenes.scenes[p.scene]
    mean_sky = mean_gradient_radiance(row, p.normal)
    mean_factor = mean_burley_factor(r.bsdf.material, r.bsdf.wi[2]) / float(wp.max(r.diffuse_rays, 1))
    total = choose_light(scenes, p.scene, r.at, light_weights(scenes, p.scene, r.at), 0.5).total
    many = float(light_rays[index] * settings.tiles)
    pixel = pixel_width(scenes, p, settings.height)
    for ray in range(lane, rays, settings.lanes):
        is_glossy = ray >= r.diffuse_rays
        each = settings.diffuse_rays
        k = ray
        if is_glossy:
            each = settings.glossy_rays
            k = ray - r.diffuse_rays
        tile = r.pattern + k // each
        number = k % each
        u = net_point(r.pattern * each + k, wp.where(is_glossy, 3, 2))
        wo = sample_cosine_hemisphere(u)
        density = wp.max(wo[2], 1.0e-6) / PI * float(r.diffuse_rays)
        scattered = evaluate_bsdf(r.bsdf, wo)
        if is_glossy:
            part = (float(number) + net_point(tile, 4)[0]) / float(each)
            wo = sample_bsdf(r.bsdf, wp.vec3(part, u[0], u[1]))
            scattered = evaluate_bsdf(r.bsdf, wo)
            density = scattered.density * float(r.glossy_rays)
            number += 64  # other paths than the diffuse rays'
        if density > 0.0:
            direction = unit_length(to_world(r.local, wo))
            least_alpha = r.bsdf.material.alpha
            found = gather_along(
                scenes,
                settings,
                p.scene,
                r.at,
                direction,
                density,
                total,
                many,
                not is_glossy,
                least_alpha,
                tile,
                number,
            )
            diffuse = diffuse_value(r.bsdf, wo)
            if not is_glossy:
                plain = diffuse / density
                direct += found.lights * plain
                sky += found.sky * plain
                surfaces += found.surfaces * plain
                indirect_squares += square(mean(found.sky + found.surfaces) * plain)
                alike = mean_sky * (plain - mean_factor) + gradient_radiance(row, direction) * mean_factor
                for c in range(3):
                    of_rays[2 + c] += alike[c]
                lost += found.lost * plain
                openness += wp.where(found.distance == FAR, 1.0, 0.0) / float(r.diffuse_rays)
                nearness += pixel / (pixel + found.distance) / float(r.diffuse_rays)
            if is_glossy or r.shares_rays:
                value = specular_value(r.bsdf, scattered.value, diffuse) / density
                highlight += wp.cw_mul(found.lights, value)
                reflection += wp.cw_mul(found.sky + found.surfaces, value)
                reflected = mean(wp.cw_mul(found.lights + found.sky + found.surfaces, value))
                glossy_squares += square(reflected)
                if r.shares_rays:
                    rough_weight += mean(value)
                    of_rays[0] += mean(value) * reflected
                    of_rays[1] += square(mean(value))
    out = Signals()
    out = with_vector(out, DIRECT, direct)
    out = with_vector(out, SKY, sky)
    out = with_vector(out, SURFACES, surfaces)
    out = with_vector(out, HIGHLIGHT, highlight)
    out = with_vector(out, REFLECTION, reflection)
    out = with_vector(out, LOST, lost)
    out[OPENNESS] = openness
    out[NEARNESS] = nearness
    out[INDIRECT_NOISE] = indirect_squares
    out[GLOSSY_NOISE] = glossy_squares
    out[ROUGH_WEIGHT] = rough_weight
    parts[index, lane] = out
    sums[index, lane] = of_rays


@wp.func
def open_sky(scenes: Scenes, p: ShadingPoint) -> wp.vec3:
    """Irradiance over π by a gradient sky without anything before it, times the diffuse lobe's mean factor."""
    factor = mean_burley_factor(material_of_object(scenes.objects[p.object_id]), -wp.dot(p.direction, p.normal))
    return mean_gradient_radiance(scenes.scenes[p.scene], p.normal) * factor


@wp.kernel(enable_backward=False)
def add_up_surroundings(
    scenes: Scenes,
    settings: GatherSettings,
    points: wp.array[ShadingPoint],
    parts: wp.array2d[Signals],
    rays_of: wp.array[wp.vec2i],
    sums: wp.array2d[RaySums],
    signals: wp.array[Signals],
    begin: int,
) -> None:
    """Add what all lanes of `look_around` brought to the Signals of their point.

    Of the sky, less the error that its stand-in has by the same rays, times the share that is in view (a control
    variate: Owen, "Monte Carlo theory, methods and examples", §8.9): on open ground nothing else is left of its noise.
    Of a rough lobe that the diffuse lobe's rays serve, noise is that of a ratio: of the rays' deviations from their
    weights' share of the sum (Cochran, "Sampling Techniques", eq. 2.46).
    """
    index = wp.tid() + begin
    out = parts[index, 0]
    of_rays = sums[index, 0]
    for lane in range(1, settings.lanes):
        out += parts[index, lane]
        of_rays += sums[index, lane]
    rays = rays_of[index]
    indirect = mean(vector_at(out, SKY) + vector_at(out, SURFACES))
    out[INDIRECT_NOISE] = variance_of_sum(out[INDIRECT_NOISE], indirect, rays[0])
    glossy = mean(vector_at(out, HIGHLIGHT) + vector_at(out, REFLECTION))
    if out[ROUGH_WEIGHT] > 0.0:
        ratio = glossy / out[ROUGH_WEIGHT]
        deviations = out[GLOSSY_NOISE] + ratio * (ratio * of_rays[1] - 2.0 * of_rays[0])
        deviations = wp.where(deviations < ROUNDING * out[GLOSSY_NOISE], 0.0, deviations)
        out[GLOSSY_NOISE] = variance_of_sum(deviations, 0.0, rays[1])
    else:
        out[GLOSSY_NOISE] = variance_of_sum(out[GLOSSY_NOISE], glossy, rays[1])
    if rays[0] > 0:
        error = wp.vec3(of_rays[2], of_rays[3], of_rays[4]) - open_sky(scenes, points[index])
        out = with_vector(out, SKY, vector_at(out, SKY) - out[OPENNESS] * error)
    signals[index] = signals[index] + out


@torch.no_grad()
def gather(
    batch: SceneBatch,
    table: Int32[Tensor, "points words"],
    settings: GatherSettings,
    near: Any | None = None,
) -> Float[Tensor, "points signals"]:
    """The Signals of ShadingPoints.

    With Neighbours, points first send one of FIRST_LOOK rays to lights, and all of them only where shadows may end.
    """
    count, device = len(table), batch.device
    lanes = settings.lanes = LANES if device.type == "cuda" and count <= MANY_POINTS else 1
    signals = torch.empty(count, SIGNALS, device=device)
    parts = to_warp(torch.empty(count, lanes, SIGNALS, device=device), Signals)
    all_rays = settings.light_rays
    first = all_rays if near is None else max(1, all_rays // FIRST_LOOK)
    light_rays = torch.full((count,), first, dtype=torch.int32, device=device)
    visibility, rays_of = torch.empty_like(light_rays), torch.empty(count, 2, dtype=torch.int32, device=device)
    found_in = torch.empty(count, lanes, dtype=torch.int32, device=device)
    inputs = [launchable(batch), settings, as_points(table), light_rays]
    outputs = [to_warp(signals, Signals), visibility]

    def look(least: int) -> None:
        launch(look_at_lights, count * lanes, [*inputs, least], [parts, found_in], device, sliced=True)
        launch(add_up_lights, count, [*inputs, least, parts, found_in], outputs, device, sliced=True)

    look(0)
    if first < all_rays:
        launch(choose_light_rays, count, [near, visibility, all_rays], [light_rays], device, sliced=True)
        look(all_rays)
    if settings.occlusion and batch.is_flat_mirror.any():
        launch(look_into_mirrors, count, inputs[:3], outputs[:1], device, sliced=True)
    ray_sums = to_warp(torch.empty(count, lanes, RAY_SUMS, device=device), RaySums)
    around = [parts, to_warp(rays_of, wp.vec2i), ray_sums]
    launch(look_around, count * lanes, inputs, around, device, sliced=True)
    launch(add_up_surroundings, count, [*inputs[:3], *around], outputs[:1], device, sliced=True)
    return signals
