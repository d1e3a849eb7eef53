"""What smooth surfaces show: mirror images and refractions, followed down to the first surface that scatters."""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.emitters import emitted_radiance, far_radiance, is_lamp
from luxel.core.frames import unit_length
from luxel.core.fresnel import fresnel_dielectric, reflect, refract
from luxel.core.intersect import MISS, SUN, Hit, intersect, intersect_object
from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.principled import SMOOTH_ALPHA, Material, albedos, mean, refraction_weight
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, material_of_object, shape_of
from luxel.core.selection import NOT_COUNTED, selected
from luxel.core.shapes.kinds import BOX
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.core.sky import is_in_sun
from luxel.core.visibility import TOUCHING
from luxel.models.light_images import RayCone, cone_beyond, shown_share
from luxel.models.reflected_lights import missed_light, shares_of_hits
from luxel.models.segment_bundles import SEGMENT_WORDS, Segment, alike_most, are_alike
from luxel.models.shading_points import OBJECT, WORDS, ShadingPoint, absent_point, as_points, pixel_width
from luxel.models.subpixels import SUBPIXELS, subpixel_point

REFLECTED, TRANSMITTED = 0, 1
LOBES = 2
BRANCHES = 3  # of each: the strongest, and those that differ from it at the second and third interface
MOST_INTERFACES = wp.constant(5)  # with the segment from the last one to a light, paths of depth 6
FARTHEST = wp.constant(1.0e6)  # distance up to which rays of a pixel part
LEAST_SHADED = wp.constant(0.01)  # throughput of an end whose surface is shaded; lights and the sky are always shown
POINTS_AT_ONCE = {"cpu": 1 << 16, "cuda": 1 << 19}  # 4 kB each


class Chains(NamedTuple):
    """Of every point its mirror ray and its transmitted ray (lobes): what they show, and where they end."""

    radiance: Float[Tensor, "points lobes 3"]  # by lights and the sky, at the point
    slot: Int64[Tensor, " ends"]  # (point · LOBES + lobe) · SUBPIXELS + which of the lobe's
    throughput: Float[Tensor, "ends 3"]  # from the end to the point
    ends: Int32[Tensor, "ends words"]  # ShadingPoints
    needed: Int64[Tensor, " two"] = NOT_COUNTED
    """ChainRoom that would have done, if any was given; behind the last end are some with slot and object MISS."""

    @property
    def lobe_of_point(self) -> Int64[Tensor, " ends"]:
        """point · LOBES + lobe of each end."""
        slot = self.slot if self.needed is NOT_COUNTED else self.slot.clamp(min=0)
        return slot // SUBPIXELS


class ChainRoom(NamedTuple):
    """For how many points that chains begin at, and for how many ends."""

    smooth: int
    ends: int


@wp.struct
class Chain:
    """Where a ray through smooth interfaces ends, the throughput from there, and the radiance of what shines."""

    end: ShadingPoint
    throughput: wp.vec3
    radiance: wp.vec3
    interfaces: int
    first: Segment
    last: Segment


@wp.func
def no_chain(p: ShadingPoint) -> Chain:
    """It shows nothing."""
    none = wp.vec3(0.0, 0.0, 0.0)
    segment = Segment(p.point, p.direction, none, MISS, MISS, 0, 1.0, none, 0.0)
    chain = Chain(p, none, none, 0, segment, segment)
    chain.end.object_id = MISS
    return chain


@wp.struct
class Step:
    """What a ray hits next, and the object that touches it there from outside, or MISS."""

    hit: Hit
    touching: int


@wp.func
def next_step(scenes: Scenes, p: ShadingPoint, object_id: int, reach: float) -> Step:
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
    return Step(hit, touching)


@wp.struct
class Departure:
    """A ray that leaves an interface, and the throughput of its chain up to there."""

    ray: ShadingPoint
    throughput: wp.vec3
    transmits: bool
    index_ratio: float


@wp.func
def depart(
    p: ShadingPoint, material: Material, throughput: wp.vec3, lobe: int, interfaces: int, branch: int
) -> Departure:
    """The one way that a chain goes on from an interface, where it has arrived at `p`; see `follow_chain`."""
    result = Departure(p, throughput, lobe == TRANSMITTED, 1.0)
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
def scatters(material: Material, cosine: float) -> bool:
    """Whether a chain ends at a surface: most of what leaves it comes from many directions."""
    a = albedos(material, cosine)
    return material.alpha >= SMOOTH_ALPHA or mean(a.diffuse) > mean(a.reflectance) + mean(a.transmittance)


@wp.func
def follow_chain(scenes: Scenes, p: ShadingPoint, lobe: int, branch: int, height: int) -> Chain:
    """One ray of one lobe of a point.

    Beyond the point itself it takes the stronger of reflection and transmission at each interface, but at number
    `branch` the weaker. From interface BRANCHES on, and after the weaker one, what the other would show is taken to be
    as bright. What touches the glass from outside is behind a gap of air.
    """
    chain = no_chain(p)
    end = p
    throughput = wp.vec3(0.0, 0.0, 0.0)
    touching = int(MISS)
    interfaces = int(0)
    path = int(0)
    cone = RayCone(0.0, 0.0)
    if height > 0:
        cone.width = pixel_width(scenes, p, height)
    while interfaces < MOST_INTERFACES:
        object_id = end.object_id
        end.object_id = MISS
        material = material_of_object(scenes.objects[object_id])
        if wp.dot(end.direction, end.normal) >= 0.0 and refraction_weight(material) == 0.0:
            break
        departure = depart(end, material, throughput, lobe, interfaces, branch)
        throughput = departure.throughput
        cos_i = -wp.dot(end.direction, end.normal)
        cone = cone_beyond(cone, scenes.objects[object_id], cos_i, departure.index_ratio, departure.transmits)
        if wp.max(throughput) == 0.0:
            break
        end = departure.ray
        reach = TOUCHING * wp.length(end.point)
        step = Step(Hit(touching, 0.0), MISS)
        crosses_gap = departure.transmits and touching != MISS
        if not crosses_gap:
            if touching != MISS:
                end.point -= reach * end.normal
            step = next_step(scenes, end, object_id, reach)
        touching = step.touching
        hit = step.hit
        cone.width += wp.min(hit.t, FARTHEST) * cone.spread
        hit_share = float(1.0)
        light = hit.object_id
        if light == MISS and is_in_sun(scenes.scenes[p.scene], end.direction):
            light = SUN
        if interfaces > 0 and is_lamp(scenes, light):
            hit_share = shown_share(scenes, p.scene, light, cone)
        path = 31 * path + 2 * object_id + wp.where(departure.transmits, 2, 1)
        shown = wp.vec3(0.0, 0.0, 0.0)  # not again what branch 0 shows
        if interfaces >= branch:
            shown = throughput
            chain.last = Segment(
                end.point, end.direction, throughput, object_id, light, path, hit_share, chain.radiance, 1.0
            )
            if interfaces == 0:
                chain.first = chain.last
        end.object_id = hit.object_id
        if hit.object_id == MISS:
            far = far_radiance(scenes, p.scene, end.direction)
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
        if scatters(material_of_object(scenes.objects[hit.object_id]), -wp.dot(end.direction, end.normal)):
            break
        interfaces += 1
    chain.interfaces = interfaces
    if interfaces >= branch and interfaces < MOST_INTERFACES and mean(throughput) >= LEAST_SHADED:
        chain.end = end
        chain.throughput = throughput
    return chain


@wp.kernel(enable_backward=False)
def follow_chains(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    smooth: wp.array[wp.int64],
    subpixels: int,
    height: int,
    ends: wp.array[ShadingPoint],
    throughput: wp.array[wp.vec3],
    segments: wp.array[Segment],
    begins: int,
    begin: int,
) -> None:
    """All branches of one ray of one lobe of one smooth point."""
    row = wp.tid() + begin
    ray = row % subpixels
    point = int(smooth[row // (LOBES * subpixels)])
    if point == MISS:
        return
    p = points[point]
    lobe = (row // subpixels) % LOBES
    is_apart = bool(False)
    if subpixels > 1:
        center = p.point
        p = subpixel_point(scenes, p, ray, height)
        is_apart = wp.length_sq(p.point - center) > 0.0
    branches = int(BRANCHES)
    for branch in range(BRANCHES):
        chain = no_chain(p)
        if branch < branches:
            chain = follow_chain(scenes, p, lobe, branch, height)
            if branch == 0:
                branches = wp.min(BRANCHES, chain.interfaces + 1)
        place = (row // subpixels * BRANCHES + branch) * subpixels + ray
        ends[place] = chain.end
        throughput[place] = chain.throughput / float(subpixels)
        chain.last.radiance = chain.radiance / float(subpixels)
        chain.last.is_apart = wp.where(is_apart, 1.0, 0.0)
        segments[place] = chain.last
        if branch == 0:
            chain.first.is_apart = chain.last.is_apart
            segments[begins + row] = chain.first


@wp.func
def weigh_by_bundle(
    scenes: Scenes,
    scene: int,
    row: int,
    segments: wp.array[Segment],
    begins: int,
    throughput: wp.array[wp.vec3],
) -> wp.vec3:
    """Give the chains of one lobe of one point the shares that their ends have of the pixel; what lights add to them.

    By their last segments, or the first ones where the four rays go different ways from there on; then lights by the
    last ones of the three of them that go the same way, if there are three.
    """
    total = wp.vec3(0.0, 0.0, 0.0)
    branch = int(0)  # no constant ranges, which would be unrolled
    while branch < BRANCHES:
        i = (row * BRANCHES + branch) * SUBPIXELS
        weights = wp.vec4(1.0, 1.0, 1.0, 1.0)
        first_path = int(0)
        step = int(0)
        while step < 2:
            a = segments[i]
            b = segments[i + 1]
            c = segments[i + 2]
            d = segments[i + 3]
            differ = not are_alike(a, b, c, d)
            if step == 0 and branch == 0 and differ:
                a = segments[begins + row * SUBPIXELS]
                b = segments[begins + row * SUBPIXELS + 1]
                c = segments[begins + row * SUBPIXELS + 2]
                d = segments[begins + row * SUBPIXELS + 3]
                first_path = a.path
            is_whole = step == 0 and are_alike(a, b, c, d)
            if step == 1 and differ:
                weights = wp.cw_mul(weights, alike_most(a, b, c, d, first_path))
            if is_whole or (step == 1 and differ and wp.max(weights) > 0.0):
                total += missed_light(scenes, scene, weights, a, b, c, d)
            if is_whole:
                shares = shares_of_hits(scenes, a, b, c, d)
                hits = wp.vec4i(a.hit, b.hit, c.hit, d.hit)
                for k in range(SUBPIXELS):
                    if not is_lamp(scenes, hits[k]):  # which `missed_light` is for
                        weights[k] = shares[k]
                        throughput[i + k] = throughput[i + k] * shares[k]
                        segments[i + k].radiance = segments[i + k].radiance * shares[k]
            step += 1
        branch += 1
    return total


@wp.kernel(enable_backward=False)
def merge_ends(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    smooth: wp.array[wp.int64],
    subpixels: int,
    begins: int,
    ends: wp.array[ShadingPoint],
    throughput: wp.array[wp.vec3],
    segments: wp.array[Segment],
    slot: wp.array[wp.int64],
    whole_radiance: wp.array2d[wp.vec3],
    begin: int,
) -> None:
    """Of one lobe of one point: the ends on one object become one, with a slot, and radiances their sum.

    Each counts as much as a bundle of rays about the pixel's four finds (`luxel.models.reflected_lights`).

    Ends on more than SUBPIXELS objects are left out, which are the weaker branches'. They have the slot MISS.
    """
    row = wp.tid() + begin
    point = int(smooth[row // LOBES])
    lobe = row % LOBES
    chains = subpixels * BRANCHES
    first = row * chains
    count = int(0)
    total = wp.vec3(0.0, 0.0, 0.0)
    for i in range(first, first + chains):
        slot[i] = wp.int64(MISS)
    if point == MISS:
        return
    if subpixels == SUBPIXELS:
        total += weigh_by_bundle(scenes, points[point].scene, row, segments, begins, throughput)
    for i in range(first, first + chains):
        end = ends[i]
        total += segments[i].radiance
        if end.object_id != MISS:
            j = first
            while j < first + count and ends[j].object_id != end.object_id:
                j += 1
            if j < first + count:
                throughput[j] = throughput[j] + throughput[i]
            elif count < SUBPIXELS:
                ends[j] = end
                throughput[j] = throughput[i]
                slot[j] = wp.int64((point * LOBES + lobe) * SUBPIXELS + count)
                count += 1
    whole_radiance[point, lobe] = wp.max(total, wp.vec3(0.0, 0.0, 0.0))


@torch.no_grad()
def specular_chains(
    batch: SceneBatch, table: Int32[Tensor, "points words"], height: int | None, room: ChainRoom | None = None
) -> Chains:
    """The chains of the smooth ones among ShadingPoints: of pictures' pixels, or of single rays (no height).

    With room for so many of them, a GPU's host need not wait to hear how many there are.
    """
    subpixels = 1 if height is None else SUBPIXELS
    roughness = torch.cat([batch.roughness, batch.roughness.new_ones(1)])[table[:, OBJECT]]  # of MISS the last one
    smooth = selected(roughness.square() < SMOOTH_ALPHA, room and room.smooth)
    shown = unlit(table)
    parts = []
    for some in smooth.rows.split(POINTS_AT_ONCE[batch.device.type]):
        slot, throughput, ends = chains_of(batch, table, some, subpixels, height or 0, shown)
        kept = selected(slot != MISS, room and room.ends)
        if room is None:
            parts.append((slot[kept.rows], throughput[kept.rows], ends[kept.rows]))
        else:
            is_end, rows = kept.rows != MISS, kept.rows.clamp(min=0)
            ends = torch.where(is_end[:, None], ends[rows], absent_point(batch.device))
            throughput = torch.where(is_end[:, None], throughput[rows], 0.0)
            parts.append((torch.where(is_end, slot[rows], MISS), throughput, ends))
    needed = NOT_COUNTED if room is None else torch.cat([smooth.needed, kept.needed])
    fields = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
    return Chains(shown, *fields, needed)


def chains_of(
    batch: SceneBatch,
    table: Int32[Tensor, "points words"],
    smooth: Int64[Tensor, " some"],
    subpixels: int,
    height: int,
    shown: Float[Tensor, "points lobes 3"],
) -> tuple[Int64[Tensor, " chains"], Float[Tensor, "chains 3"], Int32[Tensor, "chains words"]]:
    """Slots, throughputs and ends of all chains of some points, those without a slot being none; adds to `shown`."""
    device, lobes = batch.device, len(smooth) * LOBES
    count = lobes * subpixels * BRANCHES
    ends = torch.empty(count, WORDS, dtype=torch.int32, device=device)
    throughput = torch.empty(count, 3, device=device)
    slot = torch.empty(count, dtype=torch.long, device=device)
    # The last ones of all chains, and then the first ones of the strongest.
    segments = torch.empty(count + lobes * subpixels, SEGMENT_WORDS, dtype=torch.int32, device=device)
    found = [as_points(ends), to_warp(throughput, wp.vec3), struct_array(segments, Segment)]
    inputs = [launchable(batch), as_points(table), smooth, subpixels]
    launch(follow_chains, lobes * subpixels, [*inputs, height], [*found, count], device, sliced=True)
    launch(merge_ends, lobes, [*inputs, count, *found], [slot, to_warp(shown, wp.vec3)], device, sliced=True)
    return slot, throughput, ends


def no_chains(table: Int32[Tensor, "points words"]) -> Chains:
    """As if no surface were smooth."""
    dark = unlit(table)
    return Chains(dark, torch.empty(0, dtype=torch.long, device=table.device), dark[:0, 0], table[:0])


def unlit(table: Int32[Tensor, "points words"]) -> Float[Tensor, "points lobes 3"]:
    """Radiance of the lobes of points that show no light."""
    return torch.zeros(len(table), LOBES, 3, device=table.device)
