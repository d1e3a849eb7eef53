"""What stands for light from outside in Mitsuba: an `envmap` for the sky, and a far `sphere` for the sun.

Mitsuba knows one environment and its `directional` emitter has no disc. So whatever sky there is, is one picture of
all directions, and the sun is a ball so far away that it shows the same disc from everywhere but for a thousandth of
the scene's size over its distance.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from luxel.scene.camera import rotation_matrix
from luxel.scene.description import GradientSky, MapSky, Plane, Scene, Vector
from luxel.scene.placing import affine

ROWS = 1025
"""Of the picture, the first and last of which are the poles themselves: an `envmap` has them there."""
LATITUDES_PER_ROW = 16
"""At which a gradient is looked up between two rows."""
SUN_DISTANCE_FACTOR = 1e3
"""Distance of the ball that is the sun, over that of the farthest object."""
MAX_SUN_DISTANCE = 5e5  # scene units: within the far plane
TO_WORLD = ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
"""World from an `envmap`'s space, whose y is up: its middle column then lies towards +y, as that of our maps does."""

Plugin = dict[str, Any]
"""What `mitsuba.load_dict` makes an object of."""


def far_plugins(scene: Scene) -> Plugin:
    """Mitsuba's emitters for what is infinitely far; every key starts with `far`."""
    import mitsuba

    found: Plugin = {}
    if scene.sky is not None:
        found["far sky"] = {
            "type": "envmap",
            "bitmap": mitsuba.Bitmap(sky_picture(scene, ROWS)),
            "to_world": mitsuba.ScalarTransform4f(affine(np.array(TO_WORLD), (0.0, 0.0, 0.0)).tolist()),
        }
    elif any(scene.background):
        found["far background"] = {"type": "constant", "radiance": rgb(scene.background)}
    if scene.sun is not None and any(scene.sun.radiance):
        behind = sky_radiance(scene, np.array([scene.sun.direction]))[0]
        distance = sun_distance(scene)
        found["far sun"] = {
            "type": "sphere",
            "center": [a + distance * b for a, b in zip(scene.camera.position, scene.sun.direction, strict=True)],
            "radius": distance * math.sin(math.radians(scene.sun.angular_radius_degrees)),
            "emitter": {"type": "area", "radiance": rgb((behind + scene.sun.radiance).tolist())},
            "bsdf": {"type": "diffuse", "reflectance": rgb((0.0, 0.0, 0.0))},
        }
    return found


def sun_distance(scene: Scene) -> float:
    """Of the ball that is the sun, from the camera, scene units."""
    solids = [item for item in scene.objects if not isinstance(item, Plane)]
    reach = max((math.dist(item.center, scene.camera.position) + item.bounding_radius for item in solids), default=1.0)
    return min(SUN_DISTANCE_FACTOR * reach, MAX_SUN_DISTANCE)


def sky_picture(scene: Scene, rows: int) -> Float32[np.ndarray, "rows columns 3"]:
    """The sky without the sun, as an `envmap` shows it."""
    columns = 2 * (rows - 1)
    latitude = np.pi * np.arange(rows)[:, None] / (rows - 1)
    if isinstance(scene.sky, GradientSky):
        return np.repeat(column_picture(scene, latitude)[:, None], columns, 1)
    azimuth = 2 * np.pi * ((np.arange(columns) + 0.5) / columns - 0.5)
    across = np.sin(latitude)
    parts = np.broadcast_arrays(across * np.sin(azimuth), across * np.cos(azimuth), np.cos(latitude))
    return sky_radiance(scene, np.stack(parts, 2).reshape(-1, 3)).reshape(rows, columns, 3).astype(np.float32)


def column_picture(scene: Scene, latitude: Float64[np.ndarray, "rows 1"]) -> Float32[np.ndarray, "rows 3"]:
    """One of a gradient's columns, which are all alike.

    A row has the mean of the radiance up to the next ones by the weights that it is interpolated with: a gradient has a
    cusp at the horizon, of which interpolation between exact values shows too little, 0.3 % in pixels of 4°.
    """
    place = (np.arange(2 * LATITUDES_PER_ROW) + 0.5) / LATITUDES_PER_ROW - 1
    weights = 1 - np.abs(place)
    between = latitude + np.pi / (len(latitude) - 1) * place
    directions = np.stack([np.sin(between), np.zeros_like(between), np.cos(between)], 2)
    radiance = sky_radiance(scene, directions.reshape(-1, 3)).reshape(*between.shape, 3)
    return np.average(radiance, axis=1, weights=weights).astype(np.float32)


def sky_radiance(scene: Scene, directions: Float64[np.ndarray, "directions 3"]) -> Float64[np.ndarray, "directions 3"]:
    """Of background and sky, in NumPy: what `luxel.core` computes, by other code."""
    radiance = np.tile(np.array(scene.background), (len(directions), 1))
    if isinstance(scene.sky, GradientSky):
        height = directions[:, 2:]
        pole = np.where(height > 0, scene.sky.zenith, scene.sky.ground)
        radiance += scene.sky.horizon + (pole - np.array(scene.sky.horizon)) * np.sqrt(np.abs(height))
    elif isinstance(scene.sky, MapSky):
        radiance += scene.sky.scale * _of_map(scene.sky, directions)
    return radiance


def _of_map(sky: MapSky, directions: Float64[np.ndarray, "directions 3"]) -> Float64[np.ndarray, "directions 3"]:
    """Interpolated between the middles of the map's texels."""
    half = math.radians(sky.rotation_degrees) / 2
    turned = directions @ rotation_matrix((math.cos(half), 0.0, 0.0, math.sin(half)))  # backwards
    texels = sky.map.texels
    height, width, _ = texels.shape
    x = (np.arctan2(turned[:, 0], turned[:, 1]) / (2 * np.pi) + 0.5) % 1 * width - 0.5
    y = np.arccos(turned[:, 2].clip(-1, 1)) / np.pi * height - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    radiance = np.zeros_like(directions)
    for right, below in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = np.abs(1 - right - (x - left)) * np.abs(1 - below - (y - top))
        radiance += share[:, None] * texels[(top + below).clip(0, height - 1), (left + right) % width]
    return radiance


def rgb(color: Vector | list[float]) -> Plugin:
    """Linear RGB, of a radiance or a reflectance."""
    return {"type": "rgb", "value": list(color)}
