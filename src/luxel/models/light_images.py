"""Where in a pixel a light is seen by way of mirrors and glass, and how large."""

import warp as wp

from luxel.core.frames import PI
from luxel.core.scenes import SceneObject, Scenes
from luxel.core.shapes.kinds import CYLINDER, ELLIPSOID
from luxel.core.shapes.shape import surface_area
from luxel.models.ray_differentials import RayDifferential


@wp.struct
class LightImage:
    """Where in a pixel a light's center is seen, and the area of its image in pixels; 0 if there is none."""

    x: float
    y: float
    pixels: float
    reach: float  # of its bounding sphere's image, in pixels, at most


@wp.func
def image_of(differential: RayDifferential, vector: wp.vec3, is_far: bool, angle: float, radius: float) -> LightImage:
    """Of what is at `vector` from the differential's origin, or in that direction, under a solid angle.

    At the distance s the differential's ray through (x, y) passes a plane across its center at x P_x + y P_y.
    """
    image = LightImage(0.0, 0.0, 0.0, 0.0)
    s = wp.dot(vector, differential.direction)
    if s > 0.0:
        off = vector - s * differential.direction
        p_x = s * differential.direction_x
        p_y = s * differential.direction_y
        if not is_far:
            p_x += differential.origin_x
            p_y += differential.origin_y
        p_x -= wp.dot(p_x, differential.direction) * differential.direction
        p_y -= wp.dot(p_y, differential.direction) * differential.direction
        det = wp.dot(wp.cross(p_x, p_y), differential.direction)
        size = wp.abs(det)
        if size > 1.0e-20:
            image.x = differential.center[0] + wp.dot(wp.cross(off, p_y), differential.direction) / det
            image.y = differential.center[1] + wp.dot(wp.cross(p_x, off), differential.direction) / det
            image.pixels = angle * s * s / size
            image.reach = radius * (wp.length(p_x) + wp.length(p_y)) / size
    return image


@wp.struct
class RayCone:
    """A cone about one of a pixel's rays: its width, and the angle by which that grows (Amanatides 1984)."""

    width: float
    spread: float  # radians


@wp.func
def cone_after_interface(cone: RayCone, obj: SceneObject, cos_i: float, index_ratio: float, transmits: bool) -> RayCone:
    """After an interface, by the laws of thin lenses and mirrors; negative where the rays converge, or have crossed."""
    curvature = float(0.0)
    if obj.kind <= ELLIPSOID or obj.kind == CYLINDER:
        curvature = wp.sign(cos_i) / wp.min(obj.scale[0], obj.scale[1])
    result = RayCone(cone.width, cone.spread + 2.0 * curvature * cone.width)
    if transmits:
        result.spread = cone.spread / index_ratio - (1.0 - 1.0 / index_ratio) * curvature * cone.width
    return result


@wp.func
def image_share(scenes: Scenes, scene: int, light: int, cone: RayCone) -> float:
    """Of a light that one of a pixel's four rays hits: 1, or less if its image is smaller than what that stands for.

    Of many such images few are hit, and what jumps is more disturbing than what is missing.
    """
    size = PI * scenes.scenes[scene].sun_chord_squared
    across = cone.spread
    if light >= 0:
        obj = scenes.objects[light]
        size = 0.25 * surface_area(obj.kind, obj.scale)
        across = cone.width
    return wp.min(4.0 * size / wp.max(across * across, 1.0e-20), 1.0)


@wp.func
def may_touch_pixel(image: LightImage) -> bool:
    """Whether a light may show in the pixel, or a small one in the tent over it."""
    return wp.max(wp.abs(image.x), wp.abs(image.y)) < 1.0 + image.reach


@wp.func
def area_in_pixel(image: LightImage) -> float:
    """Of a small light's image, times a tent over 2 × 2 pixels, through which it goes steadily."""
    tent = wp.max(1.0 - wp.abs(image.x), 0.0) * wp.max(1.0 - wp.abs(image.y), 0.0)
    return image.pixels * tent
