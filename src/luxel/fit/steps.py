"""How far each number is moved to take a difference of pictures.

Pictures are smooth but for edges, which a pixel shows by samples, and for rays that now and then meet something else.
A step is large enough for these to average, and small beside what a picture resolves: geometry moves by about half a
pixel where it is seen, which widens the derivative of an edge to about a pixel, and materials by up to a tenth or two.
"""

import math
from collections.abc import Sequence

import numpy as np

from luxel.fit.parameters import Leaf, Parameters, Vector, Views
from luxel.scene.camera import pixel_size
from luxel.scene.description import Camera, GradientSky, Object

MATERIAL_STEPS = {"base_color": 0.08, "metallic": 0.2, "specular": 0.1, "roughness": 0.04, "transmission": 0.1}
"""Over less, colours have up to 11 % too low a slope: what picks of rays and lights change comes in jumps."""
RADIANCE_STEP = 0.05
"""Of a radiance, which pictures are linear in."""
TURN_STEPS = {"direction": 0.02, "rotation_degrees": 1.0}
"""By how much what is infinitely far turns: a length of unit vectors, and an angle."""
BLACK_STEP = 0.01
"""Step of a radiance that is black, as a share of the scene's brightest."""
EXTENT_STEP = 0.1
"""A step is at most this share of an object's extent; of a lamp's, whose shadows are soft, at least."""
MIN_DISTANCE_SHARE = 0.25
"""Of the distance that the camera looks at: what is nearer is taken to be there, as one may stand on a plane."""


def steps(parameters: Parameters, views: Views, height: int, pixels: float) -> Vector:
    """A step for each free number of `views`, in its own unit; `pixels` is how far geometry moves, seen by a camera."""
    of_leaves = [_step(leaf, views, height, pixels) for leaf in parameters.leaves]
    return np.repeat(of_leaves, [leaf.size for leaf in parameters.leaves])


def _step(leaf: Leaf, views: Views, height: int, pixels: float) -> float:
    names = [part for part in leaf.path if isinstance(part, str)]
    field, values = names[-1], leaf.read(views)
    largest = max(map(abs, values))
    if field in MATERIAL_STEPS:
        return MATERIAL_STEPS[field]
    if field in ("emission", "background", "zenith", "horizon", "ground", "radiance"):
        return max(RADIANCE_STEP * largest, BLACK_STEP * _brightest(views))
    if names[0] in ("sky", "sun"):
        return TURN_STEPS[field] if field in TURN_STEPS else max(RADIANCE_STEP * largest, BLACK_STEP)
    if names[0] == "objects":
        step = _of_object(views.scene.objects[int(leaf.path[1])], field, largest, views.cameras, height, pixels)
    else:
        camera = views.cameras[int(leaf.path[1]) if names[0] == "cameras" else 0]
        step = _of_camera(camera, field, height, pixels)
    return max(step, 1e-6 * largest)  # float32


def _of_object(
    item: Object, field: str, largest: float, cameras: Sequence[Camera], height: int, pixels: float
) -> float:
    """Of a centre, an extent, or a rotation, which moves what is farthest from the centre."""
    radius = item.bounding_radius
    step = pixels * min(pixel_size(camera, _distance(camera, item), height) for camera in cameras)
    if not math.isfinite(radius):
        return step / min(_distance(camera, item) for camera in cameras) if field == "normal" else step
    extent = largest if field not in ("center", "rotation") else radius
    step = min(step, EXTENT_STEP * extent)
    if item.material.is_emissive:
        step = max(step, EXTENT_STEP * extent)
    return step / (2 * radius) if field == "rotation" else step  # a quaternion is of half the angle


def _of_camera(camera: Camera, field: str, height: int, pixels: float) -> float:
    """A position or a target as seen from each other; the field of view and `up` by what moves at the picture's rim."""
    if field == "vertical_extent":
        return pixels * 2 * pixel_size(camera, 1.0, height)
    if field == "vertical_fov_degrees":
        half = math.radians(camera.vertical_fov_degrees) / 2
        return pixels * math.degrees(math.sin(2 * half)) * 2 / height  # d tan(a/2) = da / (2 cos²(a/2))
    if field == "up":
        return pixels * 2 / height * math.hypot(*camera.up)
    return pixels * pixel_size(camera, math.dist(camera.position, camera.look_at), height)


def _distance(camera: Camera, item: Object) -> float:
    """About that of what a camera sees of an object."""
    looks = math.dist(camera.position, camera.look_at)
    to_center = math.dist(camera.position, item.center)
    nearest = min(looks, to_center) if math.isinf(item.bounding_radius) else to_center - item.bounding_radius
    return max(nearest, MIN_DISTANCE_SHARE * looks)


def _brightest(views: Views) -> float:
    """The highest radiance of any light but the sun, beside which all is dark; or 1 in the dark."""
    scene = views.scene
    lights = [channel for item in scene.objects for channel in item.material.emission]
    if isinstance(scene.sky, GradientSky):
        lights += [*scene.sky.zenith, *scene.sky.horizon, *scene.sky.ground]
    return max(*scene.background, *lights) or 1.0
