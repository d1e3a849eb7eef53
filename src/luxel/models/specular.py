"""What smooth surfaces show: mirror images and refractions, by four chains of rays a pixel and lobe."""

from typing import NamedTuple

import torch
import warp as wp
from jaxtyping import Float, Int32, Int64
from torch import Tensor

from luxel.core.intersect import MISS
from luxel.core.launch import launch, struct_array, to_warp
from luxel.core.principled import is_followed
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, material_of_object
from luxel.core.selection import NOT_COUNTED, selected
from luxel.models.chain_coverage import weigh_chains_by_coverage
from luxel.models.chains import BRANCHES, LOBES, empty_chain, follow_chain
from luxel.models.ray_differentials import SEGMENT_WORDS, Segment
from luxel.models.shading_points import WORDS, ShadingPoint, absent_point, as_points
from luxel.models.subpixels import SUBPIXELS, subpixel_offset, subpixel_point

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


@wp.kernel(enable_backward=False)
def mark_smooth_points(scenes: Scenes, points: wp.array[ShadingPoint], is_smooth: wp.array[wp.bool]) -> None:
    """Whether chains show what a point's lobes reflect and transmit."""
    i = wp.tid()
    number = points[i].object_id
    is_smooth[i] = False
    if number != MISS:
        is_smooth[i] = is_followed(material_of_object(scenes.objects[number]))


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
    offset = wp.vec2(0.0, 0.0)
    if subpixels > 1:
        center = p.point
        p = subpixel_point(scenes, p, subpixel_offset(ray), height)
        if wp.length_sq(p.point - center) > 0.0:
            offset = subpixel_offset(ray)
    branches = int(BRANCHES)
    branch = int(0)  # no constant range, which would be unrolled
    while branch < BRANCHES:
        chain = empty_chain(p)
        if branch < branches:
            chain = follow_chain(scenes, p, offset, lobe, branch, height)
            if branch == 0:
                branches = wp.min(BRANCHES, chain.interfaces + 1)
        if chain.starts_inside and wp.length_sq(offset) > 0.0:  # what stands on a mirror hides this one of its points
            p = points[point]
            offset = wp.vec2(0.0, 0.0)
            continue
        place = (row // subpixels * BRANCHES + branch) * subpixels + ray
        ends[place] = chain.end
        throughput[place] = chain.throughput / float(subpixels)
        chain.last.radiance = chain.radiance / float(subpixels)
        segments[place] = chain.last
        if branch == 0:
            segments[begins + row] = chain.first
        branch += 1


@wp.kernel(enable_backward=False)
def merge_ends(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    smooth: wp.array[wp.int64],
    subpixels: int,
    height: int,
    begins: int,
    ends: wp.array[ShadingPoint],
    throughput: wp.array[wp.vec3],
    segments: wp.array[Segment],
    slot: wp.array[wp.int64],
    whole_radiance: wp.array2d[wp.vec3],
    begin: int,
) -> None:
    """Of one lobe of one point: the ends on one object become one, with a slot, and radiances their sum.

    Each counts as much as it covers of the pixel (`luxel.models.chain_coverage`).

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
        total += weigh_chains_by_coverage(scenes, points[point], row, segments, begins, throughput, height)
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
    is_smooth = torch.empty(len(table), dtype=torch.bool, device=batch.device)
    launch(mark_smooth_points, len(table), [launchable(batch), as_points(table)], [is_smooth], batch.device)
    smooth = selected(is_smooth, room and room.smooth)
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
    launch(merge_ends, lobes, [*inputs, height, count, *found], [slot, to_warp(shown, wp.vec3)], device, sliced=True)
    return slot, throughput, ends


def no_chains(table: Int32[Tensor, "points words"]) -> Chains:
    """As if no surface were smooth."""
    dark = unlit(table)
    return Chains(dark, torch.empty(0, dtype=torch.long, device=table.device), dark[:0, 0], table[:0])


def unlit(table: Int32[Tensor, "points words"]) -> Float[Tensor, "points lobes 3"]:
    """Radiance of the lobes of points that show no light."""
    return torch.zeros(len(table), LOBES, 3, device=table.device)
