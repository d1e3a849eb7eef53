"""Where in a pixel a light is seen by way of mirrors and glass, and how large."""

import warp as wp

from luxel.core.frames import PI
from luxel.core.scenes import SceneObject, Scenes
from luxel.core.shapes.kinds import CYLINDER, ELLIPSOID
from luxel.core.shapes.shape import surface_area
from luxel.models.segment_bundles import SegmentBundle


@wp.struct
class LightImage:
    """Where in a pixel a light's middle is seen, and of how many pixels its image is; none if it is 0."""

    x: float
    y: float
    pixels: float
    reach: float  # of its bounding sphere's image, in pixels, at most


@wp.func
def image_of(bundle: SegmentBundle, vector: wp.vec3, is_far: bool, angle: float, radius: float) -> LightImage:
    """Of what is at `vector` from the bundle's origin, or in that direction, under a solid angle.

    At the distance s the bundle's ray through (x, y) has passed a plane across its middle at x P_x + y P_y.
    """
    image = LightImage(0.0, 0.0, 0.0, 0.0)
    s = wp.dot(vector, bundle.direction)
    if s > 0.0:
        off = vector - s * bundle.direction
        p_x = s * bundle.direction_x
        p_y = s * bundle.direction_y
        if not is_far:
            p_x += bundle.origin_x
            p_y += bundle.origin_y
        p_x -= wp.dot(p_x, bundle.direction) * bundle.direction
        p_y -= wp.dot(p_y, bundle.direction) * bundle.direction
        det = wp.dot(wp.cross(p_x, p_y), bundle.direction)
        size = wp.abs(det)
        if size > 1.0e-20:
            image.x = bundle.middle[0] + wp.dot(wp.cross(off, p_y), bundle.direction) / det
            image.y = bundle.middle[1] + wp.dot(wp.cross(p_x, off), bundle.direction) / det
            image.pixels = angle * s * s / size
            image.reach = radius * (wp.length(p_x) + wp.length(p_y)) / size
    return image


@wp.struct
class RayCone:
    """What a pixel's rays are about one of them: how far apart, and at which angle they part (Amanatides 1984)."""

    width: float
    spread: float  # radians


@wp.func
def cone_beyond(cone: RayCone, obj: SceneObject, cos_i: float, index_ratio: float, transmits: bool) -> RayCone:
    """After an interface, by the laws of thin lenses and mirrors; negative where the rays converge, or have crossed."""
    curvature = float(0.0)
    if obj.kind <= ELLIPSOID or obj.kind == CYLINDER:
        curvature = wp.sign(cos_i) / wp.min(obj.scale[0], obj.scale[1])
    result = RayCone(cone.width, cone.spread + 2.0 * curvature * cone.width)
    if transmits:
        result.spread = cone.spread / index_ratio - (1.0 - 1.0 / index_ratio) * curvature * cone.width
    return result


@wp.func
def shown_share(scenes: Scenes, scene: int, light: int, cone: RayCone) -> float:
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
def is_near(image: LightImage) -> bool:
    """Whether a light may show in the pixel, or a small one in the tent over it."""
    return wp.max(wp.abs(image.x), wp.abs(image.y)) < 1.0 + image.reach


@wp.func
def area_in_pixel(image: LightImage) -> float:
    """Of a small light's image, times a tent over 2 × 2 pixels, through which it goes steadily."""
    tent = wp.max(1.0 - wp.abs(image.x), 0.0) * wp.max(1.0 - wp.abs(image.y), 0.0)
    return image.pixels * tent
