"""What emits: objects, of which one is chosen to be looked at, and the sky. A sun or an environment map would be more.

An object emits outwards only, a panel on its front; so it lights neither itself nor what is within it.
"""

import warp as wp

from luxel.core.frames import PI
from luxel.core.scenes import LightNode, Scenes, shape_of
from luxel.core.shapes.kinds import SPHERE
from luxel.core.shapes.shape import direction_density, half_extent, is_lit_by, sample_direction, solid_angle


@wp.struct
class LightSampleContext:
    """A surface to be lit."""

    point: wp.vec3
    normal: wp.vec3  # on the side that can be lit, if it is opaque
    object_id: int
    is_opaque: bool


@wp.struct
class ChosenLight:
    """An object, the probability with which it was chosen, and the sum of all lights' weights; 0 if none shines there.

    The sum is what `light_probability` asks for; where there is a tree it is 1 wherever the walk down it ended.
    """

    object_id: int
    probability: float
    total: float


@wp.struct
class LightSample:
    """A direction towards a light; the density is 0 if none shines there."""

    object_id: int
    direction: wp.vec3
    density: float  # per steradian, with that of the choice
    total: float  # ChosenLight's


@wp.func
def emitted_radiance(scenes: Scenes, object_id: int, direction: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """What an object sends back along a ray that meets it where its outward normal is this."""
    result = wp.vec3(0.0, 0.0, 0.0)
    if wp.dot(direction, normal) < 0.0:
        result = scenes.objects[object_id].emission
    return result


@wp.func
def sky_radiance(scenes: Scenes, scene: int, direction: wp.vec3) -> wp.vec3:
    """What arrives along a ray that meets nothing: the same from everywhere."""
    return scenes.scenes[scene].background


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


@wp.func
def choose_light(scenes: Scenes, scene: int, at: LightSampleContext, u: float) -> ChosenLight:
    """A light for a point: in proportion to the weights of all, or of the two halves at each node of a tree."""
    row = scenes.scenes[scene]
    first = row.first_light
    last = row.end_lights
    leaves = row.light_leaves
    chosen = ChosenLight(-1, 0.0, 0.0)
    if leaves == 0:
        x = u
        weight = float(0.0)
        for i in range(first, last):  # a reservoir of one, whose number is used again after each draw
            w = light_weight(scenes, scenes.light_object[i], at)
            if w > 0.0:
                chosen.total += w
                share = w / chosen.total
                if x < share:
                    chosen.object_id = scenes.light_object[i]
                    weight = w
                    x = x / share
                else:
                    x = (x - share) / (1.0 - share)
        if chosen.object_id >= 0:
            chosen.probability = weight / chosen.total
        return chosen
    chosen.total = 1.0
    begin = row.light_tree
    node = int(1)
    probability = float(1.0)
    x = u
    while node < leaves:
        left = left_share(scenes, begin + 2 * node, at)
        if left < 0.0:
            return chosen
        node = 2 * node
        if x < left:
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
def left_share(scenes: Scenes, left: int, at: LightSampleContext) -> float:
    """Probability of the first of two sibling nodes of a light tree; negative if neither can shine.

    In proportion to the lights' intensity over the squared distance of their bounding box's centre, or of its half
    diagonal where that is larger (Conty Estevez & Kulla, "Importance Sampling of Many Lights", 2018, without their
    cosines, which cost more than they gain).
    """
    one = scenes.light_nodes[left]
    other = scenes.light_nodes[left + 1]
    of_one = intensity_above_horizon(one, at) * square_distance(other, at)
    of_other = intensity_above_horizon(other, at) * square_distance(one, at)
    result = float(-1.0)
    if of_one + of_other > 0.0:
        result = of_one / (of_one + of_other)
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
def light_probability(scenes: Scenes, scene: int, object_id: int, at: LightSampleContext, total: float) -> float:
    """With which `choose_light`, which gave this total, chooses an object; 0 if it is no light."""
    number = scenes.objects[object_id].light_number
    if number < 0 or total == 0.0:
        return 0.0
    row = scenes.scenes[scene]
    leaves = row.light_leaves
    if leaves == 0:
        return light_weight(scenes, object_id, at) / total
    begin = row.light_tree
    probability = float(1.0)
    node = leaves + number
    while node > 1:
        left = left_share(scenes, begin + (node & ~1), at)
        if left < 0.0:
            return 0.0
        probability *= wp.where((node & 1) == 0, left, 1.0 - left)
        node = node >> 1
    return probability


@wp.func
def sample_light(scenes: Scenes, scene: int, at: LightSampleContext, choice: float, u: wp.vec2) -> LightSample:
    """A direction to look for a light in, by a number that chooses the light and two that choose a point of it."""
    chosen = choose_light(scenes, scene, at, choice)
    result = LightSample(chosen.object_id, wp.vec3(0.0, 0.0, 0.0), 0.0, chosen.total)
    if chosen.object_id >= 0:
        found = sample_direction(shape_of(scenes.objects[chosen.object_id]), at.point, u)
        result.direction = found.direction
        result.density = chosen.probability * found.density
    return result


@wp.func
def light_density(
    scenes: Scenes,
    scene: int,
    at: LightSampleContext,
    total: float,
    object_id: int,
    direction: wp.vec3,
    distance: float,
    normal: wp.vec3,
) -> float:
    """With which `sample_light`, whose total this is, finds a direction that meets an object there."""
    density = float(0.0)
    if total > 0.0:
        density = light_probability(scenes, scene, object_id, at, total)
        if density > 0.0:
            density *= direction_density(shape_of(scenes.objects[object_id]), at.point, direction, distance, normal)
    return density
