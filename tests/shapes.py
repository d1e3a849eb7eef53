"""Shapes in NumPy's float64, slow and by other formulas than the core's; random images of them; and what to compare.

Legend: rays, points [n, 3]. Unit space is where an object is its unit shape: world = center + R · (scale ∘ unit).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import warp as wp
from chi_square import p_value
from kernels import run, uniform_numbers, unit_vectors

from luxel.core.interactions import Interactions, interact
from luxel.core.intersect import MISS
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable, shape_of
from luxel.core.shapes.shape import direction_density, is_lit_by, sample_direction, solid_angle
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Panel, Plane, Scene, Sphere
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Object

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
EPSILON = 2.0**-24  # relative rounding of float32
SOLIDS = ["sphere", "ellipsoid", "box", "cylinder"]
PANELS = ["rectangle", "disc"]

SETTINGS = {  # scale's ratio, centres' distance from the world's origin, rays' origins from the object
    "plain": (10.0, 3.0, 5.0),
    "from within and beside": (10.0, 3.0, 0.0),
    "thin": (1000.0, 3.0, 5.0),
    "from afar": (10.0, 3.0, 3000.0),
    "far from the origin": (10.0, 1e4, 5.0),
}


@wp.kernel(enable_backward=False)
def directions_sampled(
    scenes: Scenes,
    object_id: wp.array[int],
    point: wp.array[wp.vec3],
    u: wp.array[wp.vec2],
    direction: wp.array[wp.vec3],
    density: wp.array[float],
):
    i = wp.tid()
    found = sample_direction(shape_of(scenes.objects[object_id[i]]), point[i], u[i])
    direction[i] = found.direction
    density[i] = found.density


@wp.kernel(enable_backward=False)
def direction_densities(
    scenes: Scenes,
    object_id: wp.array[int],
    point: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    distance: wp.array[float],
    normal: wp.array[wp.vec3],
    density: wp.array[float],
):
    i = wp.tid()
    density[i] = direction_density(
        shape_of(scenes.objects[object_id[i]]), point[i], direction[i], distance[i], normal[i]
    )


@wp.kernel(enable_backward=False)
def solid_angles(
    scenes: Scenes,
    object_id: wp.array[int],
    point: wp.array[wp.vec3],
    angle: wp.array[float],
    is_lit: wp.array[int],
):
    i = wp.tid()
    shape = shape_of(scenes.objects[object_id[i]])
    start = shape.unit_from_world * (point[i] - shape.center)
    angle[i] = solid_angle(shape, start, wp.normalize(shape.center - point[i]))
    is_lit[i] = wp.where(is_lit_by(shape.kind, start), 1, 0)


def random_objects(kind: str, count: int, seed: int, ratio: float = 10.0, spread: float = 3.0) -> list[Object]:
    """Images of a shape: scales from 1 down to 1 / ratio, any rotation, centres `spread` from the origin or so."""
    random = np.random.default_rng(seed)
    found: list[Object] = []
    for _ in range(count):
        center = tuple(random.normal(size=3) * spread)
        scale = tuple(ratio ** -random.uniform(0, 1, 3))
        rotation = tuple(random.normal(size=4))
        match kind:
            case "sphere":
                found.append(Sphere(center=center, radius=scale[0]))
            case "ellipsoid":
                found.append(Ellipsoid(center=center, semi_axes=scale, rotation=rotation))
            case "box":
                found.append(Box(center=center, half_extents=scale, rotation=rotation))
            case "cylinder":
                found.append(Cylinder(center=center, radius=scale[0], half_height=scale[2], rotation=rotation))
            case "rectangle" | "disc":
                outline = "rectangle" if kind == "rectangle" else "ellipse"
                found.append(Panel(center=center, half_extents=scale[:2], rotation=rotation, outline=outline))
            case "plane":
                found.append(Plane(center=center, normal=rotation[:3]))
    return found


@dataclass(frozen=True)
class Images:
    """One object a scene, all of a kind; what is asked of them in float64 comes from the batch's own float32 values."""

    kind: str
    batch: SceneBatch

    @staticmethod
    def of(kind: str, objects: list[Object], device: str = "cpu") -> "Images":
        scenes = [Scene(objects=(item,), camera=CAMERA) for item in objects]
        return Images(kind, SceneBatch.of(scenes, device))

    def __len__(self) -> int:
        return len(self.batch)

    @cached_property
    def center(self) -> np.ndarray:
        return self.batch.center.cpu().double().numpy()

    @cached_property
    def scale(self) -> np.ndarray:
        return self.batch.scale.cpu().double().numpy()

    @cached_property
    def rotation(self) -> np.ndarray:
        return rotation_matrix(self.batch.rotation.cpu().double().tolist())

    @property
    def radius(self) -> float:
        """Of a sphere about the first object's centre that holds it, whatever its kind."""
        return float(np.linalg.norm(self.scale[0]))

    def to_unit(self, which: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Of a vector; for a point, less the centre."""
        return np.einsum("nji,nj->ni", self.rotation[which], vector) / self.scale[which]

    def to_world(self, which: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return np.einsum("nij,nj->ni", self.rotation[which], vector * self.scale[which])

    def normal_to_world(self, which: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Of unit length."""
        world = np.einsum("nij,nj->ni", self.rotation[which], normal / self.scale[which])
        return world / np.linalg.norm(world, axis=1, keepdims=True)

    def interact(self, which: np.ndarray, origin: np.ndarray, direction: np.ndarray, on: bool = False) -> Interactions:
        """What the core finds; `on` says that the rays start on the objects."""
        device, rows = self.batch.device, torch.from_numpy(which).to(self.batch.device)
        rays = (torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device) for array in (origin, direction))
        found = interact(self.batch, Rays(*rays, rows.int()), rows if on else None)
        return Interactions(*(getattr(found, name).cpu() for name in ("object_id", "distance", "point", "normal")))


def crossings(kind: str, start: np.ndarray, along: np.ndarray) -> np.ndarray:
    """All t at which a line in unit space crosses the unit shape's surface, [n, at most 6], NaN where it does not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind in ("sphere", "ellipsoid"):
            return _roots(start, along)
        if kind == "box":  # the six faces' planes
            t = np.concatenate([(side - start) / along for side in (-1, 1)], axis=1)
            axis = np.tile(np.arange(3), 2)
            point = start[:, None] + t[..., None] * along[:, None]
            others = np.where(np.arange(3) == axis[:, None], 0.0, np.abs(point))
            return np.where(others.max(-1) <= 1, t, np.nan)
        if kind == "cylinder":
            mantle = _roots(start[:, :2], along[:, :2])
            z = start[:, 2:] + mantle * along[:, 2:]
            caps = np.concatenate([(side - start[:, 2:]) / along[:, 2:] for side in (-1, 1)], axis=1)
            radius = np.hypot(start[:, :1] + caps * along[:, :1], start[:, 1:2] + caps * along[:, 1:2])
            return np.concatenate([np.where(np.abs(z) <= 1, mantle, np.nan), np.where(radius <= 1, caps, np.nan)], 1)
        t = -start[:, 2:] / along[:, 2:]
        point = np.abs(start[:, :2] + t * along[:, :2])
        off = {"rectangle": point.max(1), "disc": np.hypot(*point.T), "plane": np.zeros(len(t))}[kind]
        return np.where(off[:, None] <= 1, t, np.nan)


def _roots(start: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Of |start + t · along| = 1, by the textbook formula."""
    a, b, c = (along**2).sum(1), (start * along).sum(1), (start**2).sum(1) - 1
    root = np.sqrt(b * b - a * c)
    return np.stack([(-b - root) / a, (-b + root) / a], axis=1)


def first_crossing(kind: str, start: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The least positive t, infinite if there is none."""
    t = crossings(kind, start, along)
    return np.where(t > 0, t, np.inf).min(1)


def resized(kind: str, start: np.ndarray, along: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same line seen from a shape that is larger by `change` [n, 3], as from the unit shape."""
    factor = 1 + change * np.array([1.0, 1.0, 1.0 if kind in SOLIDS else 0.0])
    return start / factor, along / factor


@dataclass(frozen=True)
class Bounds:
    """What float64 knows of first hits if the shape is where it is but for a rounding."""

    may_hit: np.ndarray
    must_hit: np.ndarray
    low: np.ndarray
    high: np.ndarray


def bounds(kind: str, start: np.ndarray, along: np.ndarray, error: np.ndarray) -> Bounds:
    """From a larger shape and a smaller one, and what is flat moved up and down."""
    height = np.array([0.0, 0.0, 1.0])
    shifts = [0.0] if kind in SOLIDS else [-1.0, 0.0, 1.0]
    starts = [start + shift * error * height for shift in shifts]
    larger, smaller = (
        np.stack([first_crossing(kind, *resized(kind, each, along, change)) for each in starts])
        for change in (error, -error)
    )
    both = np.concatenate([larger, smaller])
    must_hit = np.isfinite(both).all(0)
    may_hit = np.isfinite(larger).any(0)
    slope = np.ones(len(start))
    if kind not in SOLIDS:  # along what is flat not even the sign of a ray's slope is known
        slope = np.maximum(np.abs(along[:, 2]) / np.abs(along).max(1), 1e-30)
        may_hit |= slope < 100 * EPSILON
        must_hit &= slope > 100 * EPSILON
    slack = 8 * EPSILON / slope * np.where(must_hit, both.max(0), 0.0)
    return Bounds(may_hit, must_hit, both.min(0) - slack, both.max(0) + slack)


@dataclass(frozen=True)
class Probes:
    """Rays at the images, `which` of them each ray is aimed at."""

    which: np.ndarray
    origin: np.ndarray
    direction: np.ndarray


def probes(images: Images, count: int, distance: float, seed: int) -> Probes:
    """From about `distance` away (0: from within, or beside), a third each at the object, beside it, and grazing it."""
    random = np.random.default_rng(seed)
    which = np.arange(count) % len(images)
    on, normal, _ = surface_points(images, which, seed + 1)
    size = images.scale[which].max(1, keepdims=True)
    away = unit_vectors(count, seed + 2)
    kind = (np.arange(count) // len(images)) % 3
    target = np.where((kind == 1)[:, None], images.center[which] + size * random.normal(size=(count, 3)), on)
    tangent = np.cross(normal, away)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    back = np.where((kind == 2)[:, None], tangent, away)
    origin = target + back * (distance * random.uniform(0.5, 2, (count, 1)) + 0.2 * size * (distance == 0))
    origin = origin.astype(np.float32).astype(np.float64)
    direction = target - origin
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return Probes(which, origin, direction.astype(np.float32).astype(np.float64))


def surface_points(images: Images, which: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the surface, outward unit normals, and the area that each would stand for, were it the only one.

    Of a plane, what is within 1 of its centre.
    """
    count = len(which)
    random = np.random.default_rng(seed)
    normal = np.zeros((count, 3))
    turn, square = random.uniform(0, 2 * math.pi, count), random.uniform(-1, 1, (count, 3))
    disc = np.sqrt(random.uniform(0, 1, (count, 1))) * np.stack([np.cos(turn), np.sin(turn)], 1)
    match images.kind:
        case "sphere" | "ellipsoid":
            point = random.normal(size=(count, 3))
            point = normal = point / np.linalg.norm(point, axis=1, keepdims=True)
        case "box":
            axis = random.integers(0, 3, count)  # however small the faces are
            normal[np.arange(count), axis] = np.sign(random.normal(size=count))
            point = np.where(normal != 0, normal, square)
        case "cylinder":
            on_cap = random.uniform(size=count) < 0.5
            side = np.stack([np.cos(turn), np.sin(turn), square[:, 2]], 1)
            cap = np.column_stack([disc, np.sign(square[:, 2])])
            point = np.where(on_cap[:, None], cap, side)
            normal = np.where(on_cap[:, None], cap * [0, 0, 1], side * [1, 1, 0])
        case kind:
            flat = disc if kind == "disc" else square[:, :2]
            point, normal = np.column_stack([flat, np.zeros(count)]), np.tile([0.0, 0.0, 1.0], (count, 1))
    world = images.center[which] + images.to_world(which, point)
    return world, images.normal_to_world(which, normal), area_of(images, which, point)


def area_of(images: Images, which: np.ndarray, local: np.ndarray) -> np.ndarray:
    """One over the density, per world area, with which `surface_points` finds a point."""
    scale = images.scale[which]
    a, b, c = scale.T
    match images.kind:
        case "sphere" | "ellipsoid":  # even on the unit sphere
            return 4 * math.pi * a * b * c * np.linalg.norm(local / scale, axis=1)
        case "box":
            axis = np.abs(local).argmax(1)
            return 24 * a * b * c / scale[np.arange(len(scale)), axis]
        case "cylinder":
            on_cap = np.abs(local[:, 2]) > np.hypot(local[:, 0], local[:, 1])
            return np.where(on_cap, 4 * math.pi * a**2, 8 * math.pi * a * c)
        case kind:
            return (math.pi if kind == "disc" else 4) * a * b


def rounding(images: Images, which: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """In unit space, along each axis, of what float32 makes of rays from these origins and of the shape: [n, 3].

    In the world it is some units in the last place of what is farthest: the origin from the centre, the centre from 0.
    """
    center, scale = images.center[which], images.scale[which]
    farthest = np.abs(origin - center).max(1) + np.abs(center).max(1) + scale.max(1)
    return np.minimum(8 * EPSILON * farthest[:, None] / scale, 0.9)


def check_hits(images: Images, rays: Probes) -> None:
    """Hits, distances, points and normals, against float64.

    A hit or a miss is right, and its distance, if it is between those of a shape that is larger and one that is
    smaller by the rounding; so rays that graze the outline are judged by what they can know.
    """
    which, origin, direction = rays.which, rays.origin, rays.direction
    start, along = images.to_unit(which, origin - images.center[which]), images.to_unit(which, direction)
    error = rounding(images, which, origin)
    known = bounds(images.kind, start, along, error)
    found = images.interact(which, origin, direction)
    hit = (found.object_id != MISS).numpy()
    t = found.distance.double().numpy()
    np.testing.assert_array_equal(np.isfinite(t), hit)
    assert (found.object_id.numpy()[hit] == which[hit]).all()
    assert not hit[~known.may_hit].any()
    assert hit[known.must_hit].all()
    assert (known.low <= t)[known.must_hit].all()
    assert (t <= known.high)[known.must_hit].all()
    assert known.must_hit.sum() > len(which) / 8
    assert (~hit).sum() > len(which) / 50
    check_surface(images, which[hit], origin[hit], direction[hit], found, hit, error[hit])


def check_surface(
    images: Images,
    which: np.ndarray,
    origin: np.ndarray,
    direction: np.ndarray,
    found: Interactions,
    hit: np.ndarray,
    error: np.ndarray,
) -> None:
    """Points lie on the surface and on the ray; normals are of unit length and those of the surface there."""
    point, normal = found.point.double().numpy()[hit], found.normal.double().numpy()[hit]
    size, error = images.scale[which].max(1), error.max(1)
    off_ray = np.linalg.norm(np.cross(point - origin, direction), axis=1)
    local = images.to_unit(which, point - images.center[which])
    farthest = np.maximum(np.abs(images.center[which]).max(1), np.abs(point).max(1))
    on_surface = 4 * EPSILON * (farthest / images.scale[which].min(1) + 4)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1, atol=1e-6)
    matches = np.zeros(len(which), bool)
    for height, unit_normal in faces(images.kind, local):
        there = np.abs(height) <= on_surface
        expected = images.normal_to_world(which, unit_normal)
        # Where an ellipsoid's normal turns fast, at its edge, the point's rounding turns it.
        bend = 8 * error * size / images.scale[which].min(1) if images.kind == "ellipsoid" else 8 * error
        matches |= there & (np.linalg.norm(expected - normal, axis=1) <= np.maximum(bend, 1e-6))
    assert matches.all()
    # Putting a point back on the surface moves it off a ray that grazes, by a chord that rounding lets be or not.
    cosine = np.abs((normal * direction).sum(1))
    along = np.abs(np.einsum("nji,nj->ni", images.rotation[which], direction))
    slope = along.min(1) if images.kind == "box" else along[:, 2]
    grazes = slope < 1e-4 if images.kind in ("box", "cylinder") else np.zeros(len(which), bool)
    near = off_ray <= 8 * error * size / np.maximum(cosine, 0.01) + 1e-6
    assert near[~grazes].mean() > 0.99


def faces(kind: str, local: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Height of unit-space points above each face of the unit shape that might be theirs, and its outward normal."""
    up = np.broadcast_to([0.0, 0.0, 1.0], local.shape)
    if kind in ("sphere", "ellipsoid"):
        return [(np.linalg.norm(local, axis=1) - 1, local)]
    if kind == "box":
        outside = np.abs(local).max(1) - 1
        return [
            (np.maximum(np.abs(np.abs(local[:, axis]) - 1), outside), np.sign(local[:, [axis]]) * np.eye(3)[axis])
            for axis in range(3)
        ]
    if kind == "cylinder":
        radius, height = np.hypot(local[:, 0], local[:, 1]) - 1, np.abs(local[:, 2]) - 1
        return [
            (np.maximum(np.abs(radius), height), local * [1, 1, 0]),
            (np.maximum(np.abs(height), radius), np.sign(local) * up),
        ]
    beyond = {
        "rectangle": np.abs(local[:, :2]).max(1) - 1,
        "disc": np.hypot(local[:, 0], local[:, 1]) - 1,
        "plane": np.full(len(local), -1.0),
    }[kind]
    return [(np.maximum(np.abs(local[:, 2]), beyond), up)]


def check_leaving(images: Images, count: int, seed: int) -> None:
    """From the surface outwards nothing is met, inwards the far side, without any offset, at every angle."""
    first = probes(images, count, 5.0, seed)
    found = images.interact(first.which, first.origin, first.direction)
    on = (found.object_id != MISS).numpy()
    which, point, normal = first.which[on], found.point.double().numpy()[on], found.normal.double().numpy()[on]
    direction = unit_vectors(len(which), seed + 9).astype(np.float64)
    second = images.interact(which, point, direction, on=True)
    hit = (second.object_id != MISS).numpy()
    if images.kind not in SOLIDS:
        assert not hit.any()
        return
    start, along = images.to_unit(which, point - images.center[which]), images.to_unit(which, direction)
    error = rounding(images, which, point)
    larger, smaller = (
        crossings(images.kind, *resized(images.kind, start, along, change)) for change in (error, -error)
    )
    crossed = ~np.isnan(larger).all(1) & ~np.isnan(smaller).all(1)
    which, normal, direction, larger, smaller = (v[crossed] for v in (which, normal, direction, larger, smaller))
    hit, distance = hit[crossed], second.distance.double().numpy()[crossed]
    far_normal = second.normal.double().numpy()[crossed]
    # Into the solid, or out of it: the middle of the chord is ahead or behind. A short chord is anybody's guess.
    inwards, again = (np.nanmin(t, 1) + np.nanmax(t, 1) > 0 for t in (larger, smaller))
    cosine = (direction * normal).sum(1)
    sure = (inwards == again) & (np.abs(cosine) > 1e-3)
    assert sure.mean() > 0.8
    np.testing.assert_array_equal(hit[sure], inwards[sure])
    # At an edge the normal is that of one face, and the chord the other's.
    assert ((cosine < 0) == inwards)[sure].mean() > 0.99
    assert (hit & sure).sum() > 50
    assert (~hit & sure).sum() > 50
    sure &= hit
    # The start is where the ray entered but for a rounding, which at a slant is some way along it.
    slack = 8 * EPSILON * distance[sure] + np.abs(np.nanmin(larger, 1)[sure])
    assert (distance[sure] <= np.nanmax(larger, 1)[sure] + slack).all()
    assert (distance[sure] >= np.nanmax(smaller, 1)[sure] - slack).all()
    assert ((direction * far_normal).sum(1)[sure] > -1e-4).mean() > 0.999  # it comes out there


@dataclass(frozen=True)
class Seen:
    """Directions to an object from one point: what is there, and the solid angle that each stands for."""

    direction: np.ndarray
    distance: np.ndarray
    normal: np.ndarray
    solid_angle: np.ndarray


def seen_from(images: Images, point: np.ndarray, count: int, seed: int) -> Seen:
    """Of the images' only object: half of them to points of its surface, half in any direction of the cone about it.

    Near the surface the first find what is seen at a slant and the second what is straight ahead; by the balance
    heuristic (Veach 1997, §9.2.2) each stands for one over the mean of both densities.
    """
    which = np.zeros(count, int)
    on, _, _ = surface_points(images, which[: count // 2], seed)
    vector = images.center[0] - point
    sine = images.radius / np.linalg.norm(vector)
    versine = 2.0 if sine >= 1 else sine**2 / (1 + math.sqrt(1 - sine**2))
    random = np.random.default_rng(seed + 1)
    lift, turn = random.uniform(0, versine, count // 2), random.uniform(0, 2 * math.pi, count // 2)
    across = np.sqrt(lift * (2 - lift))
    cone = np.stack([across * np.cos(turn), across * np.sin(turn), 1 - lift], 1) @ _frame(vector)
    aimed_at = np.linalg.norm(on - point, axis=1)
    direction = np.concatenate([(on - point) / aimed_at[:, None], cone])

    start = np.repeat(images.to_unit(which[:1], (point - images.center[0])[None]), count, axis=0)
    along = images.to_unit(which, direction)
    distance = first_crossing(images.kind, start, along)
    hit = np.isfinite(distance)
    hit[: count // 2] &= distance[: count // 2] > aimed_at * (1 - 1e-6)  # not the far side's points
    direction, distance = direction[hit], distance[hit]
    local = start[hit] + distance[:, None] * along[hit]
    heights, normals = zip(*faces(images.kind, local), strict=True)
    face = np.abs(np.stack(heights)).argmin(0)
    unit_normal = np.stack(normals)[face, np.arange(len(face))]
    normal = images.normal_to_world(which[hit], unit_normal)
    cosine = np.abs((direction * normal).sum(1))
    by_area = distance**2 / np.maximum(cosine, 1e-9) / area_of(images, which[hit], local)
    by_cone = np.where(versine_of(direction, vector) < versine, 1 / (2 * math.pi * versine), 0.0)
    return Seen(direction, distance, normal, 1 / (count * (by_area + by_cone) / 2))


def check_samples(images: Images, points: np.ndarray, within: float, seed: int, count: int = 20_000) -> None:
    """Directions to the one object from each of these points, in unit space: χ², density, hits, and solid angle.

    `within` this factor of the true solid angle is what `solid_angle` says.
    """
    assert len(images) == 1
    scenes, device = launchable(images.batch), images.batch.device.type
    for number, local in enumerate(points):
        world = images.center + images.to_world(np.zeros(1, int), local[None])
        point = world.astype(np.float32)
        which, origin = np.zeros(count, np.int32), np.repeat(point, count, axis=0)
        u = uniform_numbers(count, 2, seed + number)
        direction, density = run(directions_sampled, scenes, which, origin, u, device=device)
        np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-6)

        # Every direction hits, and its density is that of what it hits.
        found = images.interact(which.astype(np.int64), origin, direction)
        hit = (found.object_id != MISS).numpy()
        assert hit.mean() > 0.998  # but for rounding at the outline, where the surface is seen at a slant
        again = densities(scenes, origin, direction, found.distance.numpy(), found.normal.numpy(), device)
        slant = np.abs((direction * found.normal.numpy()).sum(1)) < 0.02
        apart = (np.abs(again - density) > 5e-3 * density)[hit & ~slant]
        assert apart.mean() < 2e-3  # but for edges, where rounding changes the face

        # χ², the density summed up over many directions in each cell.
        seen = seen_from(images, point[0].astype(np.float64), 8 * count, seed + 100 + number)
        many = np.repeat(point, len(seen.direction), axis=0)
        weight = seen.solid_angle * densities(scenes, many, seen.direction, seen.distance, seen.normal, device)
        assert abs(weight.sum() - 1) < 5 * math.sqrt((weight**2).sum()) + 2e-3
        cell = _cone_cells(np.concatenate([seen.direction, direction]), seen.direction)
        expected, noise = (np.bincount(cell[: len(many)], values, minlength=CELLS) for values in (weight, weight**2))
        observed = np.bincount(cell[len(many) :], minlength=CELLS)
        assert p_value(observed, expected * count, noise * count**2) > 1e-4

        angle, is_lit = run(solid_angles, scenes, which[:1], point, device=device)
        assert is_lit[0] == 1
        assert 1 / within < angle[0] / seen.solid_angle.sum() < within


def densities(
    scenes: Scenes, point: np.ndarray, direction: np.ndarray, distance: np.ndarray, normal: np.ndarray, device: str
) -> np.ndarray:
    """Of directions to the only object, per steradian, in float64."""
    arrays = (np.asarray(array, np.float32) for array in (point, direction, distance, normal))
    return run(direction_densities, scenes, np.zeros(len(point), np.int32), *arrays, device=device)[0].astype(
        np.float64
    )


BANDS, SECTORS = 16, 24
CELLS = BANDS * SECTORS


def _cone_cells(directions: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Cells, equal in solid angle, of the cone about the mean of `inside` that holds them all."""
    axis = inside.mean(0)
    band = np.minimum((versine_of(directions, axis) / versine_of(inside, axis).max() * BANDS).astype(int), BANDS - 1)
    local = directions @ _frame(axis).T
    turn = np.arctan2(local[:, 1], local[:, 0]) / (2 * math.pi) % 1
    return band * SECTORS + np.minimum((turn * SECTORS).astype(int), SECTORS - 1)


def _frame(axis: np.ndarray) -> np.ndarray:
    """Orthonormal rows, the last along the axis."""
    axis = axis / np.linalg.norm(axis)
    across = np.cross(axis, [1.0, 0, 0] if abs(axis[0]) < 0.8 else [0, 1.0, 0])
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(axis, across), axis])


def versine_of(directions: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """1 − cos of the angles to the axis, as sin² / (1 + cos) where they are small."""
    local = directions @ _frame(axis).T
    square = local[:, 0] ** 2 + local[:, 1] ** 2
    return np.where(local[:, 2] > 0, square / (1 + np.abs(local[:, 2])), 1 - local[:, 2])


def differences(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray, step: float) -> np.ndarray:
    """Central differences of [n] values by each entry of [n, ...] arguments."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape[1:]):
        change = np.zeros_like(at)
        change[(slice(None), *place)] = step
        found[(slice(None), *place)] = (function(at + change) - function(at - change)) / (2 * step)
    return found
