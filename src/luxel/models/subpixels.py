"""Other rays of the pixel that a point is seen in: what a pixel shows is more than what its middle does."""

import warp as wp

from luxel.core.frames import frame, unit_length
from luxel.core.intersect import MISS, intersect_object
from luxel.core.rays import camera_direction, camera_origin, image_plane_point_of
from luxel.core.scenes import Scenes, shape_of
from luxel.core.shapes.local import INFINITY
from luxel.core.shapes.shape import facing_normal, surface_interaction
from luxel.models.shading_points import ShadingPoint, pixel_width

SUBPIXELS = 4  # rays of a pixel that are followed through mirrors and glass, so that their images have soft edges
PIXEL_VARIANCE = wp.constant(0.15)  # of a pixel's filter, in its widths squared: a Gaussian's (Tokuyoshi & Kaplanyan)
MAX_WIDENING = wp.constant(0.18)  # theirs, too
MIN_COSINE = wp.constant(0.1)  # of a surface along which pixels stretch


@wp.func
def subpixel_offset(number: int) -> wp.vec2:
    """Of a pixel's four rays from its middle, pixels: a rotated grid, whose columns and rows are all different."""
    sign = 0.125 * float(1 - 2 * (number & 1))
    return wp.vec2(sign * wp.where(number < 2, 1.0, 3.0), sign * wp.where(number < 2, 3.0, -1.0))


@wp.func
def subpixel_point(scenes: Scenes, p: ShadingPoint, offset: wp.vec2, height: int) -> ShadingPoint:
    """The point of the same object that another ray of the same pixel meets; the point itself, if it does not.

    The ray is so many pixels off the point's own; `height` is the picture's in pixels.
    """
    result = p
    row = scenes.scenes[p.scene]
    local = wp.transpose(row.camera_rotation) * p.direction
    if local[2] < 0.0:
        pixel = 2.0 * row.tan_half_fov / float(height)
        xy = image_plane_point_of(scenes, p.scene, p.point, p.direction) + pixel * offset
        origin = camera_origin(scenes, p.scene, xy)
        direction = camera_direction(scenes, p.scene, xy)
        t = intersect_object(scenes, p.object_id, origin, direction, MISS, INFINITY)
        if t < INFINITY:
            shape = shape_of(scenes.objects[p.object_id])
            si = surface_interaction(shape, origin, direction, t)
            result.point = si.point
            result.direction = direction
            result.normal = facing_normal(shape.kind, si.normal, direction)
    return result


@wp.func
def point_in_pixel(scenes: Scenes, p: ShadingPoint, u: wp.vec2, height: int, beside: int) -> wp.vec3:
    """The point of the surface's tangent plane that projects to `u` in the pixel about a shading point.

    The point itself if the place is hidden by the object `beside` it, or the point is of that object. What glass
    focuses may be narrower than a pixel: a single point is in it or not.
    """
    axes = frame(p.direction)
    x = u[0] - 0.5
    y = u[1] - 0.5
    off = x * wp.vec3(axes[0, 0], axes[0, 1], axes[0, 2]) + y * wp.vec3(axes[1, 0], axes[1, 1], axes[1, 2])
    off -= p.direction * (wp.dot(off, p.normal) / wp.min(wp.dot(p.direction, p.normal), -MIN_COSINE))
    off -= p.normal * wp.dot(off, p.normal)  # none, but below MIN_COSINE
    place = p.point + pixel_width(scenes, p, height) * off
    if beside == p.object_id or intersect_object(scenes, beside, place, -p.direction, MISS, INFINITY) < INFINITY:
        place = p.point
    return place


@wp.func
def direction_to_light(scenes: Scenes, place: wp.vec3, p: ShadingPoint, direction: wp.vec3, light: int) -> wp.vec3:
    """From a place to where a direction from a point hits a light; what is at infinity has the same from everywhere."""
    result = direction
    if light >= 0:
        t = intersect_object(scenes, light, p.point, direction, p.object_id, INFINITY)
        if t < INFINITY:
            result = unit_length(p.point - place + t * direction)
    return result


@wp.func
def widened_alpha(scenes: Scenes, p: ShadingPoint, alpha: float, height: int) -> float:
    """GGX's α with which a point has the highlights of all of its pixel, over which the normal turns.

    α² + min(2 σ² (|∂n/∂x|² + |∂n/∂y|²), κ) (Tokuyoshi & Kaplanyan, "Improved Geometric Specular Antialiasing", I3D
    2019), by differences to two of the pixel's rays, (1, 3) and (3, −1) eighths of a pixel away. Times cos², lest
    silhouettes, over which normals turn fast, mirror the bright horizon less.
    """
    one = subpixel_point(scenes, p, subpixel_offset(0), height)
    two = subpixel_point(scenes, p, subpixel_offset(2), height)
    cosine = wp.dot(p.normal, p.direction)
    turn = (wp.length_sq(one.normal - p.normal) + wp.length_sq(two.normal - p.normal)) * 6.4 * cosine * cosine
    return wp.sqrt(alpha * alpha + wp.min(2.0 * PIXEL_VARIANCE * turn, MAX_WIDENING))
