"""Which scenes Mitsuba is known to get wrong without a word, though they are within the scene format's bounds."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Cylinder, Ellipsoid, Object, Panel, Plane, Scene, Sphere, Vector
from luxel.trace.mitsuba import FAR_CLIP, NEAR_CLIP, is_round

# Where Mitsuba's float32 ends, as measured; see `known_wrong`.
SOUND_SCALE = 1e3  # scene units
SOUND_POSITION = 1e4  # scene units from the origin along an axis
RAY_OFFSET = 1500 * 2.0**-24  # Mitsuba's RayEpsilon: rays start this far off a surface, times 1 + max |coordinate|
SOUND_OFFSETS = 10.0  # ray offsets that an object must measure
SOUND_LAMP = 2e-3  # radius of a spherical lamp over its distance from what it lights
SOUND_FLATNESS = 10 * 2.0**-24  # scene units; an ellipsoid's least semi-axis² over its distance from the camera
SOUND_HEIGHT = 1e3  # scene units of the camera above a plane


def known_wrong(scene: Scene, remedy: str = "use --tracer path") -> list[str]:
    """Why Mitsuba's picture of a scene would be wrong without a word: a line for each reason, none if none is known.

    Measured with Mitsuba 3.9.1, `scalar_rgb`:

    - Hit points on what is larger than 1000 are off by more than the offset of rays, so that its shading is wrong:
      a sphere's by 18 % at 2500, a box's by up to 47 % at 1e4. Discs, so planes and elliptic panels, are sound.
    - Beyond 1e4 float32 is coarser than 1e-3, and rays start a unit off the surface.
    - An object of the size of 8 ray offsets loses contact shadows and distorts what is seen through it; of 16 it does
      not. Below 1, what transmits is also too dark, by 27 % at 0.5. What counts is the least extent of what transmits
      and the largest of what does not. A lamp's light is right down to 1e-5.
    - Instances lose the outline of an ellipsoid of least semi-axis a, seen from d: by 1 % at d 2⁻²⁴ / a² = 0.1, all of
      it at 3. Emissive ones are meshes and stay right down to 1e-6.
    - A spherical lamp of radius r in the distance d is sampled in a cone of 1 − cos θ ≈ r²/2d², which float32 knows to
      2⁻²⁴, and so is up to 1.5 % wrong at r/d = 2e-3, 12 % at 7e-4 and dark at 7e-5. Of the other objects the
      farthest counts, by the point of its surface that is nearest to the lamp. Meshes, boxes, cylinders and panels are
      sampled by area and are sound.
    - Nothing is seen before the near plane or behind the far one, nor a plane at a height of more than 1000 up to its
      horizon.
    """
    lines = []
    if max(map(abs, scene.camera.position)) > SOUND_POSITION:
        lines.append(f"camera.position is {scene.camera.position}: {_TOO_FAR_OUT}")
    if scene.sun is not None and math.sin(math.radians(scene.sun.angular_radius_degrees)) < SOUND_LAMP:
        lines.append(
            f"sun.angular_radius_degrees is {scene.sun.angular_radius_degrees}: "
            f"below {math.degrees(SOUND_LAMP):.3f} Mitsuba samples it wrongly"
        )
    for index, item in enumerate(scene.objects):
        reasons = [*_wrong_size(item), *_wrong_view(item, scene.camera.position), *_wrong_light(index, scene.objects)]
        lines += [f"objects[{index}] {reason}" for reason in reasons]
    return [f"{line}; {remedy}" for line in lines]


_TOO_FAR_OUT = f"beyond {SOUND_POSITION:g} Mitsuba's numbers are too coarse"


def _wrong_size(item: Object) -> Iterator[str]:
    """What is wrong about an object by itself; nothing about a plane, whose centre could be any of its points."""
    if isinstance(item, Plane):
        return
    extents = item.scale[:2] if isinstance(item, Panel) else item.scale
    is_disc = isinstance(item, Panel) and item.outline == "ellipse"
    if max(extents) > SOUND_SCALE and not is_disc:
        yield f"extends {max(extents):g} from its center: above {SOUND_SCALE:g} Mitsuba's hit points miss its surface"
    position = max(map(abs, item.center))
    if position > SOUND_POSITION:
        yield f"has its center at {item.center}: {_TOO_FAR_OUT}"
    transmits = item.material.transmission > 0
    size = min(extents) if transmits else max(extents)
    least = SOUND_OFFSETS * RAY_OFFSET * (1 + position)
    if size < least and (transmits or not item.material.is_emissive):
        yield f"extends {size:g} from its center: below {least:.2g}, at this place, Mitsuba's rays skip parts of it"


def _wrong_view(item: Object, camera: Vector) -> Iterator[str]:
    """What is wrong about an object as seen from the camera."""
    distance = surface_distance(item, camera)
    if distance < NEAR_CLIP:
        yield f"is {distance:.2g} from the camera: Mitsuba sees nothing nearer than {NEAR_CLIP:g}"
    if distance > FAR_CLIP:
        yield f"is {distance:.3g} from the camera: Mitsuba sees nothing farther than {FAR_CLIP:g}"
    elif isinstance(item, Plane) and distance > SOUND_HEIGHT:
        yield f"is {distance:.3g} from the camera: above {SOUND_HEIGHT:g} its horizon is too low in Mitsuba"
    if isinstance(item, Ellipsoid) and not is_round(item) and not item.material.is_emissive:
        least = math.sqrt(SOUND_FLATNESS * math.dist(item.center, camera))
        if min(item.semi_axes) < least:
            yield (
                f"has a semi-axis of {min(item.semi_axes):g}: "
                f"below {least:.2g}, so far from the camera, Mitsuba loses its outline"
            )


def _wrong_light(index: int, objects: Sequence[Object]) -> Iterator[str]:
    """What is wrong about one object's light on the others."""
    lamp = objects[index]
    if not isinstance(lamp, Sphere | Ellipsoid) or not is_round(lamp) or len(objects) == 1:
        return
    if lamp.material.transmission > 0 or not lamp.material.is_emissive:
        return
    distance, farthest = max(
        (surface_distance(other, lamp.center), number) for number, other in enumerate(objects) if number != index
    )
    if lamp.bounding_radius < SOUND_LAMP * distance:
        yield (
            f"is a lamp of radius {lamp.bounding_radius:g}, {distance:.3g} from objects[{farthest}]: "
            f"below {SOUND_LAMP:g} of that Mitsuba samples it wrongly"
        )


def surface_distance(item: Object, point: Vector) -> float:
    """How far the object's surface is from `point`, inside or outside, scene units; to first order of ellipses."""
    local = np.abs(np.subtract(point, item.center) @ rotation_matrix(item.rotation))
    x, y, z = local.tolist()
    match item:
        case Sphere() | Ellipsoid():
            return abs(_beyond_ellipsoid(local, np.array(item.semi_axes)))
        case Box():
            return _corner_distance(*(local - item.half_extents).tolist())
        case Cylinder():
            return _corner_distance(math.hypot(x, y) - item.radius, z - item.half_height)
        case Panel(outline="ellipse"):
            return math.hypot(max(0.0, _beyond_ellipsoid(local[:2], np.array(item.half_extents))), z)
        case Panel():
            return _corner_distance(*(local[:2] - item.half_extents).tolist(), z)
        case Plane():
            return z


def _beyond_ellipsoid(point: Float64[np.ndarray, "dim"], semi_axes: Float64[np.ndarray, "dim"]) -> float:
    """(f − 1) / |∇f| · f of f = |point / semi_axes|, negative inside: the signed distance, exact of a sphere."""
    unit = point / semi_axes
    f, slope = np.linalg.norm(unit), np.linalg.norm(unit / semi_axes)
    return float(f * (f - 1) / slope) if slope > 0 else -float(semi_axes.min())


def _corner_distance(*beyond: float) -> float:
    """Distance to the surface of a box, a point lying `beyond` each pair of faces; less than 0 is between them."""
    return math.hypot(*(max(0.0, value) for value in beyond)) or -max(beyond)
