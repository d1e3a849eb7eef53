"""Openings through which the sky lights a room: windows and doors, between boxes, panels and planes.

Most rays of a room's surfaces meet its walls, and what little sky they see is noise. So it is looked for once, by rays
from what the camera sees, with walls alone in their way: where many that get out, from all over the room, pass close to
one point, there is an opening, as wide as they are spread about it. See `luxel.core.guiding`.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32

from luxel.core.guide_targets import GuideTargets
from luxel.core.shapes.kinds import BOX, DISC, PLANE, RECTANGLE

MIN_WALLS, MAX_WALLS = 4, 64
"""Fewer enclose nothing; of more, a town say, the tests would take longer than they gain."""
LOOKS, ORIGINS, RAYS = 128, 64, 64
"""Directions from the camera; of the points where these meet walls so many; and rays from each of them."""
MAX_SEEN = 0.1
"""Share of rays, from the camera or from walls, that get out of a room: where more do, they need no guide."""
MAX_SEEN_BY_ONE = 0.5
"""The same, of the rays of a point: one from which more do is outside, on the ground before a window."""
MIN_ESCAPES = 8
MAX_OPENINGS, MAX_NORMALS = 4, 32
MAX_ANGLE = 0.3
"""Distance of a ray from an opening's centre, over that of its origin."""
MIN_SHARE, MIN_COVERED = 0.08, 0.7
"""Of the rays that get out, by one opening, and by all: where fewer do, the room has no openings to speak of."""
COVERED_AXES = 2.8
"""Semi-axes of an ellipsoid about an opening, over the standard deviation of the rays through it: a square's corners
are at 2.4."""
THICKNESS = 0.1
"""Of that ellipsoid, over its longest axis, at least."""
MIN_LENGTH = 1e-3
"""Of its semi-axes, over the distance of the rays' origins."""
MIN_COSINE = 0.1
"""Of rays' angle with the normal of a wall that they may cross."""
REFINED = 2.0
"""Times the ellipsoid that few rays have found, in which rays look for an opening."""
MOST_AHEAD = 0.9
"""Share of these rays that are to meet an opening's plane ahead of them."""
MIN_CLEAR = 0.4
"""Share of rays into an opening's ellipsoid, not too much aslant, that are to get out."""
MIN_FACING = 0.3
"""Cosine of such a ray with the opening's normal."""
BEYOND = 0.5
"""Distance beyond an opening, over its shorter semi-axis, at which what a ray hits does not stop it there."""
LIFT = 1e-4
"""Of rays' origins off their walls, over the room's size."""
PARALLEL = 1e-12
"""Least component of a ray's direction, where the wall is a unit shape."""
GOLDEN_RATIO = (5**0.5 - 1) / 2
GOLDEN_ANGLE = 2 * np.pi * (1 - GOLDEN_RATIO)


class Walls(NamedTuple):
    """The opaque flat objects of a scene."""

    kind: Int32[np.ndarray, " walls"]
    center: Float32[np.ndarray, "walls 3"]
    unit_from_world: Float32[np.ndarray, "walls 3 3"]


class Rays(NamedTuple):
    """In world space; directions have unit length."""

    origin: Float32[np.ndarray, "rays 3"]
    direction: Float32[np.ndarray, "rays 3"]

    def of(self, which: Bool[np.ndarray, " rays"]) -> "Rays":
        """Some of them."""
        return Rays(self.origin[which], self.direction[which])


class Opening(NamedTuple):
    """An ellipsoid about one; columns are its semi-axes."""

    center: Float32[np.ndarray, "3"]
    axes: Float32[np.ndarray, "3 3"]


class ParallelPlanes(NamedTuple):
    """Planes n · x = s of one unit normal n, and several offsets s, in scene units."""

    normal: Float32[np.ndarray, "3"]
    offsets: Float32[np.ndarray, " planes"]


class Room(NamedTuple):
    """What the sky lights a scene through."""

    targets: GuideTargets
    seen: float
    """Share of the sky that walls see, by the cosine: 1 of what is no room."""


def rooms(
    of: dict[str, np.ndarray], unit_from_world: Float32[np.ndarray, "objects 3 3"]
) -> tuple[GuideTargets, Float32[np.ndarray, " scenes"]]:
    """The openings of all scenes of a batch's `arrays`, and each Room's `seen`."""
    offsets, found = of["offsets"], []
    rows = np.flatnonzero(np.isin(of["kind"], (BOX, RECTANGLE, DISC, PLANE)) & (of["transmission"] == 0))
    begins = np.searchsorted(rows, offsets)
    counts, seen = np.diff(begins), np.ones(len(offsets) - 1, np.float32)
    sky = of["background"].mean(1) + of["sky"].mean((1, 2)) + (of["map"] >= 0) * of["map_scale"]
    for scene in np.flatnonzero((sky > 0) & (counts >= MIN_WALLS) & (counts <= MAX_WALLS)):
        own = rows[begins[scene] : begins[scene + 1]]
        walls = Walls(of["kind"][own], of["center"][own], unit_from_world[own])
        targets, seen[scene] = room(walls, of["camera_position"][scene], float(sky[scene]))
        found.append(targets._replace(scene=np.full(len(targets.center), scene)))
    return GuideTargets.joined(found), seen


def room(walls: Walls, camera: Float32[np.ndarray, "3"], sky: float) -> Room:
    """The one that a camera is in, if it is in any; the sky has this mean radiance."""
    in_the_open = Room(GuideTargets.none(), 1.0)
    points, normals, escapes = first_hits(walls, Rays(np.broadcast_to(camera, (LOOKS, 3)), sphere_directions(LOOKS)))
    if escapes.mean() > MAX_SEEN:
        return in_the_open
    some = np.flatnonzero(~escapes)[:: max(1, LOOKS // ORIGINS)]
    rays = hemisphere_rays(points[some], normals[some])
    escapes = first_hits(walls, rays)[2]
    is_inside = escapes.reshape(-1, RAYS).mean(1) < MAX_SEEN_BY_ONE
    rays, escapes = rays.of(np.repeat(is_inside, RAYS)), escapes[np.repeat(is_inside, RAYS)]
    if not MIN_ESCAPES <= escapes.sum() <= MAX_SEEN * len(escapes):
        return in_the_open
    openings = openings_between(walls, rays.of(escapes), rays.origin[::RAYS])
    if not openings:
        return in_the_open
    axes = np.stack([opening.axes for opening in openings])
    lengths = np.sort(np.linalg.norm(axes, axis=1), 1)
    intensity = (sky * np.pi * lengths[:, 1] * lengths[:, 2]).astype(np.float32)
    centers = np.stack([opening.center for opening in openings])
    scene = np.zeros(len(openings), np.int64)
    return Room(GuideTargets.seen_from_anywhere(scene, centers, axes, intensity), float(escapes.mean()))


def planes_of(walls: Walls) -> list[ParallelPlanes]:
    """Those of their faces, and midway between two of these."""
    is_box = walls.kind == BOX
    rows = np.concatenate([walls.unit_from_world[is_box].reshape(-1, 3), walls.unit_from_world[~is_box, 2]])
    centers = np.concatenate([np.repeat(walls.center[is_box], 3, 0), walls.center[~is_box]])
    lengths = np.linalg.norm(rows, axis=1)
    normals = rows / lengths[:, None]
    half = np.concatenate([1 / lengths[: 3 * is_box.sum()], np.zeros((~is_box).sum(), np.float32)])
    normals *= np.sign(np.take_along_axis(normals, np.abs(normals).argmax(1)[:, None], 1))
    offsets = (normals * centers).sum(1) + half * np.array([[-1], [0], [1]], np.float32)
    different, of = np.unique(normals.round(3), axis=0, return_inverse=True)
    of = of.reshape(-1)
    firsts = [np.flatnonzero(of == number)[0] for number in range(min(len(different), MAX_NORMALS))]
    return [ParallelPlanes(normals[first], np.unique(offsets[:, of == number])) for number, first in enumerate(firsts)]


def openings_between(walls: Walls, rays: Rays, origins: Float32[np.ndarray, "origins 3"]) -> list[Opening]:
    """Where most of the rays, which get out, go through a few planes of walls; none if they do not.

    Few rays find an opening; many, from these origins to about there, tell where it is.
    """
    found: list[Opening] = []
    planes, left, least = planes_of(walls), rays, max(3, MIN_SHARE * len(rays.origin))
    while len(left.origin) >= least and len(found) < MAX_OPENINGS:
        passes = is_near(left, crossing_of_most(left))
        opening = opening_in_wall(left.of(passes), planes)
        for _ in range(2):
            if opening is not None:
                opening = refined(walls, origins, opening, planes)
        if opening is None or (passes | meets(left, opening)).sum() < least:
            break
        found.append(opening)
        left = left.of(~(passes | meets(left, opening)))
    return found if len(left.origin) <= (1 - MIN_COVERED) * len(rays.origin) else []


def refined(
    walls: Walls, origins: Float32[np.ndarray, "origins 3"], opening: Opening, planes: list[ParallelPlanes]
) -> Opening | None:
    """The opening, by rays to about it; None if most are stopped there."""
    radius = REFINED * np.cbrt(np.arange(RAYS) * GOLDEN_RATIO % 1)
    within = radius[:, None] * sphere_directions(RAYS) @ opening.axes.T
    vector = (opening.center + within - origins[:, None]).reshape(-1, 3)
    direction = vector / np.linalg.norm(vector, axis=1, keepdims=True)
    rays = Rays(np.repeat(origins, RAYS, 0), direction.astype(np.float32))
    points, _, escapes = first_hits(walls, rays)
    lengths = np.linalg.norm(opening.axes, axis=0)
    normal = opening.axes[:, lengths.argmin()] / lengths.min()
    cosine = rays.direction @ normal
    faces = np.abs(cosine) > MIN_FACING
    # What is hit well beyond is the ground before a window, say.
    passes = escapes | ((points - opening.center) @ normal * np.sign(cosine) > BEYOND * np.sort(lengths)[1])
    is_within = np.tile(radius < 1, len(origins)) & faces
    if passes[is_within].sum() < MIN_CLEAR * is_within.sum():
        return None
    return opening_in_wall(rays.of(passes & faces), planes)


def first_hits(
    walls: Walls, rays: Rays
) -> tuple[Float32[np.ndarray, "rays 3"], Float32[np.ndarray, "rays 3"], Bool[np.ndarray, " rays"]]:
    """Where rays meet walls first, with the unit normal there on their side, and which meet none."""
    rows = walls.unit_from_world.swapaxes(0, 1).reshape(-1, 3)  # coordinate by coordinate, as NumPy is fast with
    shape = (3, len(walls.kind), len(rays.origin))
    offset = np.einsum("wij,wj->iw", walls.unit_from_world, walls.center)[..., None]
    origin, direction = (rows @ rays.origin.T).reshape(shape) - offset, (rows @ rays.direction.T).reshape(shape)
    direction[np.abs(direction) < PARALLEL] = PARALLEL
    with np.errstate(over="ignore"):
        slope = 1 / direction
        middle, half = -origin * slope, np.abs(slope)
        near = middle - half
        enters, leaves = np.maximum.reduce(near), np.minimum.reduce(middle + half)
        at_plane = middle[2]
        across, down = origin[:2] + at_plane * direction[:2]
        in_box = np.where((enters < leaves) & (leaves > 0), np.where(enters > 0, enters, leaves), np.inf)
        is_within = (np.abs(across) <= 1) & (np.abs(down) <= 1)
        is_within = np.where(walls.kind[:, None] == DISC, across**2 + down**2 <= 1, is_within)
        is_within |= walls.kind[:, None] == PLANE
        t = np.where(walls.kind[:, None] == BOX, in_box, np.where(is_within & (at_plane > 0), at_plane, np.inf))
    first, every = t.argmin(0), np.arange(len(rays.origin))
    distance = t[first, every].astype(np.float32)
    escapes = np.isinf(distance)
    axis = np.where(walls.kind[first] == BOX, near[:, first, every].argmax(0), 2)
    normal = walls.unit_from_world[first, axis]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal *= -np.sign((normal * rays.direction).sum(1, keepdims=True))
    return rays.origin + np.where(escapes, 0, distance)[:, None] * rays.direction, normal, escapes


def sphere_directions(count: int) -> Float32[np.ndarray, "count 3"]:
    """So many, evenly spread (a Fibonacci lattice)."""
    number = np.arange(count)
    height = 1 - (2 * number + 1) / count
    return directions_at(np.sqrt(1 - height**2), GOLDEN_ANGLE * number, height)


def directions_at(radius: np.ndarray, angle: np.ndarray, height: np.ndarray) -> Float32[np.ndarray, "*any 3"]:
    """Vectors of cylindrical coordinates."""
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], -1).astype(np.float32)


def hemisphere_rays(points: Float32[np.ndarray, "points 3"], normals: Float32[np.ndarray, "points 3"]) -> Rays:
    """RAYS from each point, by the cosine about its normal, which is turned from one to the next."""
    number = np.arange(RAYS)
    radius = np.sqrt((number + 0.5) / RAYS)
    turn = GOLDEN_ANGLE * (number + 0.382 * np.arange(len(points))[:, None])
    local = directions_at(*np.broadcast_arrays(radius, turn, np.sqrt(1 - radius**2)))
    least = np.eye(3, dtype=np.float32)[np.abs(normals).argmin(1)]
    x = np.cross(least, normals)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    axes = np.stack([x, np.cross(normals, x), normals], 1)
    direction = np.einsum("pri,pij->prj", local, axes).reshape(-1, 3)
    lifted = points + LIFT * max(float(np.ptp(points, axis=0).max()), 1e-6) * normals
    return Rays(np.repeat(lifted, RAYS, 0), direction)


def crossing_of_most(rays: Rays) -> Float32[np.ndarray, "3"]:
    """Of the points where two rays are closest to each other, the one that most rays pass close to."""
    count = len(rays.origin)
    one, other = np.arange(count), (np.arange(count) + count // 2 + 1) % count
    between = rays.origin[other] - rays.origin[one]
    cosine = (rays.direction[one] * rays.direction[other]).sum(1)
    ahead, beyond = ((between * rays.direction[of]).sum(1) for of in (one, other))
    along = (ahead - cosine * beyond) / np.maximum(1 - cosine**2, 1e-6)
    found = rays.origin + np.maximum(along, 0)[:, None] * rays.direction
    found = found[:: max(1, count // 64)]
    return found[np.argmax([is_near(rays, center).sum() for center in found])]


def is_near(rays: Rays, center: Float32[np.ndarray, "3"]) -> Bool[np.ndarray, " rays"]:
    """Whether rays pass a point within MAX_ANGLE."""
    vector = center - rays.origin
    along = (vector * rays.direction).sum(1)
    square = (vector**2).sum(1)
    return (along > 0) & (square - along**2 < MAX_ANGLE**2 * square)


def meets(rays: Rays, opening: Opening) -> Bool[np.ndarray, " rays"]:
    """Whether rays go through an opening's ellipsoid."""
    start, along = (np.linalg.solve(opening.axes, v.T) for v in (rays.origin - opening.center, rays.direction))
    closest = start - (start * along).sum(0) / (along**2).sum(0) * along
    return ((start * along).sum(0) < 0) & ((closest**2).sum(0) < 1)


def opening_in_wall(rays: Rays, planes: list[ParallelPlanes]) -> Opening | None:
    """The ellipse that most rays pass through, in the plane where they are closest together, if any are ahead of it.

    A ray is where it meets the plane n · x = s at a + s e, so that the points' variance is quadratic in s.
    """
    found: list[tuple[float, Opening]] = []
    for normal, offsets in planes:
        cosine, height = rays.direction @ normal, rays.origin @ normal
        crosses = np.abs(cosine) > MIN_COSINE
        is_ahead = ((offsets - height[:, None]) * cosine[:, None] > 0) & crosses[:, None]
        offsets = offsets[is_ahead.sum(0) > MOST_AHEAD * crosses.sum()]
        if crosses.sum() < MIN_ESCAPES or not len(offsets):
            continue
        slope = rays.direction[crosses] / cosine[crosses, None]
        start = rays.origin[crosses] - height[crosses, None] * slope
        off, turn = start - start.mean(0), slope - slope.mean(0)
        spread = ((off[:, None] + offsets[:, None] * turn[:, None]) ** 2).sum((0, 2))
        points = start + offsets[spread.argmin()] * slope
        variance, axes = np.linalg.eigh(np.cov(points.T, bias=True))  # the normal first, along which there is none
        center, lengths = points.mean(0), COVERED_AXES * np.sqrt(variance.clip(min=0))
        distance = np.linalg.norm(rays.origin[crosses] - center, axis=1).mean()
        axes = (axes * lengths.clip(min=max(THICKNESS * lengths.max(), MIN_LENGTH * distance))).astype(np.float32)
        found.append((variance.sum() / crosses.mean(), Opening(center, axes)))
    return min(found, key=lambda one: one[0])[1] if found else None
