"""Emitters: those that next-event estimation samples, which are objects, the sun and the bright part of an environment
map; and the rest of the sky, which is left to rays that the BSDF samples.

An object emits outwards only, a panel on its front; so it lights neither itself nor what is within it.
"""

import warp as wp

from luxel.core.bounds import sphere_light_weights
from luxel.core.frames import PI
from luxel.core.intersect import MAP, MISS, SUN
from luxel.core.lanes import LANES
from luxel.core.maps import map_density, map_radiance, sample_map
from luxel.core.sampling import power_heuristic
from luxel.core.scene_tables import EXACT_LIGHTS
from luxel.core.scenes import LightNode, SceneRow, Scenes, shape_of
from luxel.core.shapes.kinds import SPHERE
from luxel.core.shapes.shape import direction_density, half_extent, is_lit_by, sample_direction, solid_angle
from luxel.core.sky import gradient_radiance, is_in_sun, sample_sun, sun_solid_angle

LightCDF = wp.types.vector(EXACT_LIGHTS, float)
"""Not normalised."""

MIN_SELECTION_PROBABILITY = wp.constant(2.0**-20)
"""Of a light or tree node; what has less is not sampled, but left to rays that the BSDF samples.

Random numbers are multiples of 2⁻²⁴, and sums of weights are rounded to as much: a light of less would be chosen never,
or always by 0, which is not what `light_probability` would weigh the rays against that meet it.
"""


@wp.struct
class LightSampleContext:
    """A surface to be lit."""

    point: wp.vec3
    normal: wp.vec3  # on the side that can be lit, if it is opaque
    object_id: int
    is_opaque: bool


@wp.struct
class ChosenLight:
    """An object, SUN or MAP, the probability with which it was chosen, and the sum of all lights' weights.

    MISS, and a sum of 0, if none shines there. The sum is what `light_probability` asks for; where there is a tree, it
    has one weight for all of its lights, which is 1 if there is nothing else to choose.
    """

    object_id: int
    probability: float
    weight_sum: float


@wp.struct
class LightSample:
    """A direction towards a light; the density is 0 if none shines there."""

    object_id: int  # or SUN or MAP
    direction: wp.vec3
    density: float  # per steradian, with that of the choice
    radiance: wp.vec3  # that the light has there
    weight_sum: float  # ChosenLight's


@wp.func
def emitted_radiance(scenes: Scenes, object_id: int, direction: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """What an object sends back along a ray that meets it where its outward normal is this."""
    result = wp.vec3(0.0, 0.0, 0.0)
    if wp.dot(direction, normal) < 0.0:
        result = scenes.objects[object_id].emission
    return result


@wp.func
def is_lamp(scenes: Scenes, object_id: int) -> bool:
    """Whether it is SUN or an object that emits; MAP and MISS are none."""
    result = bool(object_id == SUN)
    if object_id >= 0:
        result = scenes.objects[object_id].mean_emission > 0.0
    return result


@wp.func
def unsampled_sky_radiance(scenes: Scenes, scene: int, direction: wp.vec3) -> wp.vec3:
    """Radiance along a ray that meets nothing, without SUN and MAP, which next-event estimation samples."""
    row = scenes.scenes[scene]
    return gradient_radiance(row, direction) + map_radiance(scenes, row, direction).unsampled


@wp.func
def environment_radiance(scenes: Scenes, scene: int, direction: wp.vec3) -> wp.vec3:
    """Radiance along a ray that meets nothing: sky, environment map and sun."""
    row = scenes.scenes[scene]
    radiance = unsampled_sky_radiance(scenes, scene, direction)
    if row.has_infinite_lights != 0:
        radiance += map_radiance(scenes, row, direction).sampled
        if is_in_sun(row, direction):
            radiance += row.sun_radiance
    return radiance


@wp.func
def infinite_lights_with_mis(
    scenes: Scenes,
    scene: int,
    at: LightSampleContext,
    weight_sum: float,
    direction: wp.vec3,
    density: float,
    light_rays: float,
) -> wp.vec3:
    """Radiance of SUN and MAP along a ray that meets nothing, times their MIS weights against next-event estimation.

    `density` is the ray's; `light_rays` are the samples by `sample_light`, which stated `weight_sum`.
    """
    row = scenes.scenes[scene]
    radiance = wp.vec3(0.0, 0.0, 0.0)
    if row.has_infinite_lights != 0:
        nee_density = float(0.0)
        if is_in_sun(row, direction):
            if weight_sum > 0.0:
                nee_density = selection_probability(sun_weight(row, at) / weight_sum) / sun_solid_angle(row)
            radiance += row.sun_radiance * power_heuristic(density, light_rays * nee_density)
        if row.map_flux > 0.0:
            nee_density = 0.0
            if weight_sum > 0.0:
                nee_density = selection_probability(map_weight(row, at) / weight_sum) * map_density(
                    scenes, row, direction
                )
            of_map = map_radiance(scenes, row, direction).sampled
            radiance += of_map * power_heuristic(density, light_rays * nee_density)
    return radiance


@wp.func
def sun_weight(row: SceneRow, at: LightSampleContext) -> float:
    """The irradiance by the sun or more, to choose in proportion to; 0 only where it can't shine."""
    cosine = float(1.0)
    if at.is_opaque:
        reach = wp.sqrt(row.sun_chord_squared)  # at least the sine of the angular radius
        cosine = wp.clamp(wp.dot(at.normal, row.sun_direction) + reach, 0.0, 1.0)
    radiance = row.sun_radiance
    return (radiance[0] + radiance[1] + radiance[2]) / 3.0 * cosine * sun_solid_angle(row)


@wp.func
def map_weight(row: SceneRow, at: LightSampleContext) -> float:
    """About the irradiance by the sampled part of a map, to choose in proportion to; 0 only if there is none.

    Of light from one direction ω, (1 + n · ω) / 2 instead of the cosine; a tenth is left for what is on the other side.
    """
    result = row.map_flux
    if at.is_opaque:
        result = wp.max(0.5 * (row.map_flux + wp.dot(at.normal, row.map_vector)), 0.1 * row.map_flux)
    return result


@wp.func
def light_weight(scenes: Scenes, object_id: int, at: LightSampleContext) -> float:
    """About the irradiance by a light, to choose in proportion to; 0 only where it can't shine.

    Its mean radiance times its solid angle and, at opaque surfaces, the largest cosine that it can have.
    """
    obj = scenes.objects[object_id]
    vector = obj.center - at.point
    square = wp.max(wp.dot(vector, vector), 1.0e-24)
    height = wp.dot(at.normal, vector)
    result = float(0.0)
    if object_id != at.object_id and not (at.is_opaque and height + obj.radius <= 0.0):
        over_distance = 1.0 / wp.sqrt(square)
        if obj.kind == SPHERE:  # most lights; to choose by, the projected area will do
            if square > obj.radius * obj.radius:
                cosine = wp.where(at.is_opaque, wp.min((height + obj.radius) * over_distance, 1.0), 1.0)
                result = obj.mean_emission * cosine * (PI * obj.radius * obj.radius / square)
        else:
            shape = shape_of(obj)
            start = shape.unit_from_world * (at.point - shape.center)
            if is_lit_by(shape.kind, start):
                cosine = float(1.0)
                if at.is_opaque:
                    reach = height + half_extent(shape.kind, shape.world_from_unit, at.normal)
                    cosine = wp.clamp(reach * over_distance, 0.0, 1.0)
                if cosine > 0.0:
                    result = obj.mean_emission * cosine * solid_angle(shape, start, vector * over_distance)
    return result


@wp.struct
class InfiniteLightWeights:
    """Weights of SUN and MAP."""

    sun: float
    map: float
    weight_sum: float


@wp.func
def infinite_light_weights(row: SceneRow, at: LightSampleContext) -> InfiniteLightWeights:
    """The weights of SUN and MAP at a surface point."""
    sun = sun_weight(row, at)
    of_map = map_weight(row, at)
    return InfiniteLightWeights(sun, of_map, sun + of_map)


@wp.func
def choose_infinite_light(infinite: InfiniteLightWeights, u: float) -> int:
    """SUN or MAP, in proportion to their weights; never one that has none, however near 1 rounding takes `u`."""
    return wp.where(u * infinite.weight_sum < infinite.sun or infinite.map == 0.0, SUN, MAP)


@wp.func
def infinite_light_weight(infinite: InfiniteLightWeights, object_id: int) -> float:
    """The weight of SUN or MAP."""
    return wp.where(object_id == SUN, infinite.sun, infinite.map)


@wp.func
def selection_probability(share: float) -> float:
    """The probability, or 0 where it is too small to be sampled; see MIN_SELECTION_PROBABILITY."""
    return wp.where(share < MIN_SELECTION_PROBABILITY, 0.0, share)


@wp.func
def light_cdf(scenes: Scenes, scene: int, at: LightSampleContext) -> LightCDF:
    """Sums of the weights of a scene's lights up to each, where they are few; see `light_weight`."""
    cdf = LightCDF()
    row = scenes.scenes[scene]
    if row.light_leaves == 0:
        weight_sum = float(0.0)
        count = row.end_lights - row.first_light
        first = int(0)
        while first < count:
            number = row.light_group + first // LANES
            weights = sphere_light_weights(scenes.light_groups, number, at.point, at.normal, at.is_opaque)
            others = scenes.light_groups[number].others
            for lane in range(wp.where(count - first < LANES, count - first, LANES)):
                weight = weights[lane]
                object_id = scenes.light_object[row.first_light + first + lane]
                if ((others >> lane) & 1) != 0:
                    weight = light_weight(scenes, object_id, at)
                weight_sum += wp.where(object_id == at.object_id, 0.0, weight)
                cdf[first + lane] = weight_sum
            first += LANES
    return cdf


@wp.func
def choose_light(scenes: Scenes, scene: int, at: LightSampleContext, cdf: LightCDF, u: float) -> ChosenLight:
    """A light for a point: in proportion to the weights of all, or of the two halves at each node of a tree.

    The CDF is the point's `light_cdf`.
    """
    row = scenes.scenes[scene]
    first = row.first_light
    last = row.end_lights
    leaves = row.light_leaves
    chosen = ChosenLight(MISS, 0.0, 0.0)
    if leaves == 0:
        infinite = InfiniteLightWeights(0.0, 0.0, 0.0)
        if row.has_infinite_lights != 0:
            infinite = infinite_light_weights(row, at)
        local_sum = float(0.0)
        if last > first:
            local_sum = cdf[last - first - 1]
        chosen.weight_sum = local_sum + infinite.weight_sum
        x = u * chosen.weight_sum
        if x < local_sum:
            below = float(0.0)
            for i in range(first, last):
                up_to = cdf[i - first]
                if x < up_to:
                    share = selection_probability((up_to - below) / chosen.weight_sum)
                    chosen.object_id = wp.where(share > 0.0, scenes.light_object[i], MISS)
                    chosen.probability = share
                    break
                below = up_to
        elif infinite.weight_sum > 0.0:
            chosen.object_id = choose_infinite_light(infinite, (x - local_sum) / infinite.weight_sum)
            chosen.probability = selection_probability(
                infinite_light_weight(infinite, chosen.object_id) / chosen.weight_sum
            )
        return chosen
    x = u
    probability = float(1.0)
    chosen.weight_sum = 1.0
    if row.has_infinite_lights != 0:
        infinite = infinite_light_weights(row, at)
        chosen.weight_sum = infinite.weight_sum + tree_weight(scenes, row, at)
        if chosen.weight_sum == 0.0:
            return chosen
        share = infinite.weight_sum / chosen.weight_sum
        if x < share:
            chosen.object_id = choose_infinite_light(infinite, x / share)
            chosen.probability = selection_probability(
                infinite_light_weight(infinite, chosen.object_id) / chosen.weight_sum
            )
            return chosen
        probability = selection_probability(1.0 - share)
        if probability == 0.0:
            return chosen
        x = (x - share) / (1.0 - share)
    begin = row.light_tree
    node = int(1)
    while node < leaves:
        left = left_probability(scenes, begin + 2 * node, at)
        if left < 0.0:
            return chosen
        node = 2 * node
        if x < left or left == 1.0:  # which rounding may have taken x to, while there is nothing on the right
            probability *= left
            x = x / left
        else:
            probability *= 1.0 - left
            x = (x - left) / (1.0 - left)
            node += 1
    light = scenes.light_object[first + node - leaves]
    if light_weight(scenes, light, at) > 0.0:  # boxes don't know that a panel's back or a lamp's inside is dark
        chosen.object_id = light
        chosen.probability = probability
    return chosen


@wp.func
def tree_weight(scenes: Scenes, row: SceneRow, at: LightSampleContext) -> float:
    """About the irradiance by all lights of a tree, to weigh them against what is in none."""
    root = scenes.light_nodes[row.light_tree + 1]
    return intensity_above_horizon(root, at) / square_distance(root, at)


@wp.func
def left_probability(scenes: Scenes, left: int, at: LightSampleContext) -> float:
    """Probability of the first of two sibling nodes of a light tree; negative if neither can shine.

    In proportion to the lights' intensity over the squared distance of their bounding box's centre, or of its half
    diagonal where that is larger (Conty Estevez & Kulla, "Importance Sampling of Many Lights", 2018, without their
    cosines, which cost more than they gain); certain, or 0, where one's share is below MIN_SELECTION_PROBABILITY.
    """
    one = scenes.light_nodes[left]
    other = scenes.light_nodes[left + 1]
    of_one = intensity_above_horizon(one, at) * square_distance(other, at)
    of_other = intensity_above_horizon(other, at) * square_distance(one, at)
    result = float(-1.0)
    if of_one + of_other > 0.0:
        result = selection_probability(of_one / (of_one + of_other))
        if result > 1.0 - MIN_SELECTION_PROBABILITY:
            result = 1.0
    return result


@wp.func
def square_distance(node: LightNode, at: LightSampleContext) -> float:
    """Of a point from the centre of a node's box, at least that of its corners."""
    vector = node.center - at.point
    return wp.max(wp.max(wp.dot(vector, vector), wp.dot(node.half_extents, node.half_extents)), 1.0e-18)


@wp.func
def intensity_above_horizon(node: LightNode, at: LightSampleContext) -> float:
    """Of a node's lights; 0 where all of its box is behind an opaque surface."""
    result = node.intensity
    if at.is_opaque:
        n = at.normal
        half = node.half_extents
        reach = wp.abs(n[0]) * half[0] + wp.abs(n[1]) * half[1] + wp.abs(n[2]) * half[2]
        if wp.dot(n, node.center - at.point) + reach <= 0.0:
            result = 0.0
    return result


@wp.func
def light_probability(scenes: Scenes, scene: int, object_id: int, at: LightSampleContext, weight_sum: float) -> float:
    """Probability with which `choose_light`, which stated this weight sum, chooses an object; 0 if it is no light."""
    number = scenes.objects[object_id].light_number
    if number < 0 or weight_sum == 0.0:
        return 0.0
    row = scenes.scenes[scene]
    leaves = row.light_leaves
    if leaves == 0:
        return selection_probability(light_weight(scenes, object_id, at) / weight_sum)
    begin = row.light_tree
    probability = float(1.0)
    if row.has_infinite_lights != 0:
        probability = selection_probability(tree_weight(scenes, row, at) / weight_sum)
    node = leaves + number
    while node > 1:
        left = left_probability(scenes, begin + (node & ~1), at)
        if left < 0.0:
            return 0.0
        probability *= wp.where((node & 1) == 0, left, 1.0 - left)
        node = node >> 1
    return probability


@wp.func
def sample_light(
    scenes: Scenes, scene: int, at: LightSampleContext, cdf: LightCDF, choice: float, u: wp.vec2
) -> LightSample:
    """Next-event estimation: a direction to a light, by a number that chooses the light and two that choose its point.

    The CDF is the point's `light_cdf`, which all of its samples share.
    """
    chosen = choose_light(scenes, scene, at, cdf, choice)
    result = LightSample(chosen.object_id, wp.vec3(0.0, 0.0, 0.0), 0.0, wp.vec3(0.0, 0.0, 0.0), chosen.weight_sum)
    if chosen.object_id >= 0:
        obj = scenes.objects[chosen.object_id]
        found = sample_direction(shape_of(obj), at.point, u)
        result.direction = found.direction
        result.density = chosen.probability * found.density
        result.radiance = obj.emission
    elif chosen.object_id == SUN:
        row = scenes.scenes[scene]
        result.direction = sample_sun(row, u)
        result.density = chosen.probability / sun_solid_angle(row)
        result.radiance = row.sun_radiance
    elif chosen.object_id == MAP:
        row = scenes.scenes[scene]
        result.direction = sample_map(scenes, row, u)
        result.density = chosen.probability * map_density(scenes, row, result.direction)
        result.radiance = map_radiance(scenes, row, result.direction).sampled
    return result


@wp.func
def light_density(
    scenes: Scenes,
    scene: int,
    at: LightSampleContext,
    weight_sum: float,
    object_id: int,
    direction: wp.vec3,
    distance: float,
    normal: wp.vec3,
) -> float:
    """Density per steradian with which `sample_light`, which stated this weight sum, finds a direction to an object."""
    density = float(0.0)
    if weight_sum > 0.0:
        density = light_probability(scenes, scene, object_id, at, weight_sum)
        if density > 0.0:
            density *= direction_density(shape_of(scenes.objects[object_id]), at.point, direction, distance, normal)
    return density
