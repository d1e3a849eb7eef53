"""Gather points: shading points with their BSDF and the sampling pattern by which they gather light."""

import warp as wp

from luxel.core.emitters import LightCDF, LightSampleContext, light_cdf
from luxel.core.frames import INVERSE_PI, frame, to_world, unit_length
from luxel.core.guiding import guide_density, guide_weight
from luxel.core.intersect import MISS
from luxel.core.principled import (
    BSDF,
    bsdf_of,
    diffuse_weight,
    evaluate_lobes,
    is_followed,
    mean,
    refraction_weight,
)
from luxel.core.rough_albedo import ROUGH
from luxel.core.scenes import Scenes, material_of_object
from luxel.core.shapes.kinds import CYLINDER, ELLIPSOID
from luxel.core.visibility import LineOfSight, line_of_sight
from luxel.models.shading_points import ShadingPoint
from luxel.models.signals import square
from luxel.models.subpixels import widened_alpha

PATTERNS_OF_TILE = 16
MIN_THROUGHPUT = wp.constant(0.1)  # of chains whose ends may send all rays to lights: of others little is seen
FAINT_THROUGHPUT = wp.constant(0.03)
"""Of chains whose ends send few rays over the hemisphere and into lobes: less than glass reflects straight back.

With 0.1 for 0.03 (and fragments that cover as little of their pixel) pictures of balls lost 0.1 to 0.2 dB.
"""
FAINT_DIVISOR = wp.constant(4)  # of their rays
MIN_MATTE = wp.constant(0.01)  # diffuse BSDF that highlights are compared with
MAX_GAIN = wp.constant(4.0)  # of a light by its highlight; by 16, diffuse light of the others is too noisy
GUIDED_DIVISOR = wp.constant(3)  # of a pattern's rays over the hemisphere, if there are targets
HIGHLIGHT_SAMPLES = wp.constant(4)  # of lights, for each ray to one, that a glossy point takes where it sends all rays


@wp.struct
class GatherSettings:
    """Rays of each kind that a point sends in its pattern, and how it goes on from there."""

    light_rays: int
    diffuse_rays: int
    glossy_rays: int
    bounces: int  # surfaces that scatter, beyond the point, up to which a gather path goes on
    patterns_per_point: int  # 1, or PATTERNS_OF_TILE for a point without neighbours to share with
    occlusion: int  # 0: nothing is ever in between, for comparison
    specular_points: int  # the first ones, whose smooth lobes specular chains follow (`luxel.models.specular`)
    threads_per_point: int  # that share a point's rays, for a GPU's sake
    height: int  # of pictures in pixels


@wp.struct
class PointTerms:
    """What light sampling finds out about a point once, and all of its kernels ask for."""

    alpha: float  # GGX's, of its highlights all over a pixel: see `highlight_alpha`
    light_weight_sum: float  # ChosenLight's, of its light samples
    visibility: int  # which of LIT and SHADOWED they found


@wp.struct
class GatherPoint:
    """A shading point that gathers light: its BSDF in its local frame, and the rays of each kind that it sends."""

    bsdf: BSDF
    local: wp.mat33
    at: LightSampleContext
    is_front: bool
    is_diffuse: bool
    is_smooth: bool  # chains show what its lobes reflect and transmit
    squared_normal_turn: float  # radians² by which the normal turns within the pixel; see `highlight_beyond_pixel`
    shares_rays: bool  # those of its diffuse lobe serve its gloss, too
    sees_light: bool
    pattern: int  # its first one
    diffuse_rays: int
    glossy_rays: int


@wp.func
def highlight_beyond_pixel(wi: wp.vec3, wo: wp.vec3, squared_normal_turn: float) -> float:
    """The share of a smooth surface's highlight that chains don't show: all but what they find within the pixel.

    With t the tangent of the half vector's angle, t⁴ / (t² + turn²)²: 0 where the light's mirror image is, near which
    what one point has is a spike, and about 1 from where on the pixel has no such point: in the lobe's long tails.
    """
    half = unit_length(wi + wo)
    t_square = (1.0 - half[2] * half[2]) / wp.max(half[2] * half[2], 1.0e-6)
    return square(t_square / wp.max(t_square + squared_normal_turn, 1.0e-12))


@wp.func
def highlight_alpha(scenes: Scenes, settings: GatherSettings, p: ShadingPoint, index: int) -> float:
    """GGX's α of the highlights of the shading point number `index`, which on what is curved may be below a pixel."""
    obj = scenes.objects[p.object_id]
    alpha = material_of_object(obj).alpha
    is_curved = obj.kind <= ELLIPSOID or obj.kind == CYLINDER
    has_one_pixel = settings.patterns_per_point == 1 and index < settings.specular_points
    if is_curved and obj.roughness < ROUGH and has_one_pixel:
        alpha = widened_alpha(scenes, p, alpha, settings.height)
    return alpha


@wp.func
def possible_light_rays(settings: GatherSettings, throughput: float, light_rays: int) -> float:
    """How many rays to lights a point may send that sends so many a pattern now, for MIS weights.

    Whether all are sent depends on what the first find, which weights must not. Where that is certain, as of points of
    which little is seen, the highlights of few rays do not count as if they were many.
    """
    rays_per_pattern = wp.where(throughput < MIN_THROUGHPUT, light_rays, settings.light_rays)
    return float(rays_per_pattern * settings.patterns_per_point)


@wp.func
def few_of(rays: int, throughput: float) -> int:
    """Of so many rays, those that a point sends of whose light the camera receives that share."""
    return wp.where(throughput < FAINT_THROUGHPUT, (rays + FAINT_DIVISOR - 1) // FAINT_DIVISOR, rays)


@wp.func
def gather_point_at(
    scenes: Scenes, settings: GatherSettings, p: ShadingPoint, index: int, alpha: float, throughput: float
) -> GatherPoint:
    """Of the shading point number `index`, which has an object and this `highlight_alpha`."""
    r = GatherPoint()
    material = material_of_object(scenes.objects[p.object_id])
    r.is_smooth = is_followed(material) and index < settings.specular_points
    r.squared_normal_turn = 0.0
    if r.is_smooth:
        r.squared_normal_turn = square(alpha) - square(material.alpha)
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
    r.pattern = wp.where(settings.patterns_per_point > 1, 0, p.pattern)
    r.diffuse_rays = wp.where(r.is_diffuse, few_of(settings.diffuse_rays, throughput) * settings.patterns_per_point, 0)
    has_lobe = r.sees_light and not r.is_smooth and not r.shares_rays
    r.glossy_rays = wp.where(has_lobe, few_of(settings.glossy_rays, throughput) * settings.patterns_per_point, 0)
    r.at = LightSampleContext(p.point, p.normal, p.object_id, material.transmission == 0.0)
    return r


@wp.struct
class Guide:
    """How many of a pattern's rays over the hemisphere a point sends to targets, and the sum of their weights."""

    rays: int
    weight_sum: float


@wp.func
def guide_of(scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint) -> Guide:
    """A point's."""
    guide = Guide(0, 0.0)
    if r.diffuse_rays > 0:
        guide.weight_sum = guide_weight(scenes, scene, r.at)
        if guide.weight_sum > 0.0:
            guide.rays = r.diffuse_rays // settings.patterns_per_point // GUIDED_DIVISOR
    return guide


@wp.func
def hemisphere_density(
    scenes: Scenes, settings: GatherSettings, scene: int, r: GatherPoint, guide: Guide, wo: wp.vec3
) -> float:
    """Per steradian, of all of a point's rays over its hemisphere in a direction: by the cosine, and to targets."""
    guided = guide.rays * settings.patterns_per_point
    density = wo[2] * INVERSE_PI * float(r.diffuse_rays - guided)
    if guided > 0:
        density += float(guided) * guide_density(scenes, scene, r.at, guide.weight_sum, to_world(r.local, wo))
    return wp.where(wo[2] > 0.0, density, 0.0)


@wp.func
def has_highlights(r: GatherPoint) -> bool:
    """Whether a lobe narrower than the diffuse one, and not its chain's, reflects lights outside of the object."""
    return r.glossy_rays > 0 and refraction_weight(r.bsdf.material) == 0.0


@wp.func
def light_samples_per_ray(settings: GatherSettings, r: GatherPoint, rays_per_pattern: int) -> int:
    """How many samples of lights a point takes for each ray that it sends to them: the others are of highlights."""
    takes_more = settings.patterns_per_point == 1 and rays_per_pattern == settings.light_rays
    return wp.where(takes_more and has_highlights(r), HIGHLIGHT_SAMPLES, 1)


@wp.func
def highlight_gain(scenes: Scenes, scene: int, r: GatherPoint, object_id: int) -> float:
    """How much brighter a light is by all lobes of a point than by the diffuse one, which is how often to choose it.

    1 where there is nothing to choose, and in a light tree, which knows no lobes. The glossy lobe is that towards the
    light's center, at least as wide as the light looks.
    """
    gain = float(1.0)
    row = scenes.scenes[scene]
    if has_highlights(r) and row.light_leaves == 0 and row.end_lights - row.first_light > 1:
        obj = scenes.objects[object_id]
        vector = obj.center - r.at.point
        square_distance = wp.max(wp.dot(vector, vector), 1.0e-24)
        wo = r.local * (vector / wp.sqrt(square_distance))
        if wo[2] > 0.0 and r.is_front:
            bsdf = r.bsdf
            material = bsdf.material
            spread = 0.25 * square(obj.radius) / square_distance  # half vectors turn half as far as directions
            bsdf.material.alpha = wp.sqrt(square(material.alpha) + wp.min(spread, 1.0))
            matte = diffuse_weight(material) * mean(material.base_color) * INVERSE_PI
            gain += wp.min(mean(evaluate_lobes(bsdf, wo).specular) / (wo[2] * wp.max(matte, MIN_MATTE)), MAX_GAIN)
    return gain


@wp.func
def light_cdf_of_lobes(scenes: Scenes, scene: int, r: GatherPoint) -> LightCDF:
    """A point's `light_cdf`, whose lights weigh their `highlight_gain` times as much."""
    cdf = light_cdf(scenes, scene, r.at)
    if has_highlights(r):
        row = scenes.scenes[scene]
        below = float(0.0)
        weight_sum = float(0.0)
        for i in range(wp.where(row.light_leaves == 0, row.end_lights - row.first_light, 0)):
            weight = cdf[i] - below
            below = cdf[i]
            if weight > 0.0:
                weight *= highlight_gain(scenes, scene, r, scenes.light_object[row.first_light + i])
            weight_sum += weight
            cdf[i] = weight_sum
    return cdf


@wp.func
def sight_to_light(
    scenes: Scenes,
    settings: GatherSettings,
    scene: int,
    shaft: wp.uint64,
    at: LightSampleContext,
    direction: wp.vec3,
    target: int,
    allow_transmission: bool,
) -> LineOfSight:
    """The line of sight to a light, or to SUN or MAP; the settings may take every light to be in view."""
    if settings.occlusion == 0:
        return LineOfSight(wp.vec3(1.0, 1.0, 1.0), False, MISS, 0)
    return line_of_sight(scenes, scene, shaft, at.point, direction, at.object_id, target, allow_transmission)
