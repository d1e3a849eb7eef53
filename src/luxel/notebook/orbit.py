"""A camera on a sphere about what it looks at, in the two angles and the distance by which a hand moves it."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from luxel.scene.description import Camera
from luxel.scene.placing import direction, vector

MAX_ELEVATION_DEGREES = 89.5
"""Degrees of elevation at most: straight from above the picture would have no vertical."""


class Orbit(NamedTuple):
    """Where a camera stands as seen from its `look_at`."""

    azimuth_degrees: float
    """About `up`, counter-clockwise; for an upright camera from +x, as in a plane's polar coordinates."""
    elevation_degrees: float
    """Above the plane across `up`."""
    distance: float
    """Scene units."""

    @classmethod
    def of(cls, camera: Camera) -> "Orbit":
        """The camera's own place."""
        offset = np.array(camera.position) - np.array(camera.look_at)
        along, across, up = axes(camera) @ offset
        azimuth, elevation = math.atan2(across, along), math.atan2(up, math.hypot(along, across))
        return cls(math.degrees(azimuth), math.degrees(elevation), float(np.linalg.norm(offset)))

    def camera(self, camera: Camera) -> Camera:
        """The camera at this place, at MAX_ELEVATION_DEGREES at most. Raises SceneError for what is no distance."""
        steepness = min(max(self.elevation_degrees, -MAX_ELEVATION_DEGREES), MAX_ELEVATION_DEGREES)
        azimuth, elevation = math.radians(self.azimuth_degrees), math.radians(steepness)
        outward = np.array(direction(azimuth, elevation)) @ axes(camera)
        position = vector(np.array(camera.look_at) + self.distance * outward)
        moved = {**dict(camera), "position": position}
        if camera.vertical_extent is not None:  # which alone makes what parallel rays show larger
            moved["vertical_extent"] = camera.vertical_extent * self.distance / Orbit.of(camera).distance
        return Camera(**moved)


def axes(camera: Camera) -> Float64[np.ndarray, "3 3"]:
    """Rows: where azimuth 0 and 90° lie, and `up`, all of length 1. For an upright camera the world's x, y, z."""
    up = np.array(camera.up) / np.linalg.norm(camera.up)
    start = np.eye(3)[0 if abs(up[0]) < 0.9 else 1]
    along = start - (start @ up) * up
    along /= np.linalg.norm(along)
    return np.stack([along, np.cross(up, along), up])
