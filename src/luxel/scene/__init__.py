"""What a scene is: its description, its distributions and its camera."""

from luxel.scene.description import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    Material,
    Object,
    Panel,
    Plane,
    Scene,
    Sphere,
    scene_id,
)
from luxel.scene.distributions import DISTRIBUTIONS, Distribution, Ellipsoids, Spheres, Varied
from luxel.scene.errors import SceneError

__all__ = [
    "DISTRIBUTIONS",
    "Box",
    "Camera",
    "Cylinder",
    "Distribution",
    "Ellipsoid",
    "Ellipsoids",
    "Material",
    "Object",
    "Panel",
    "Plane",
    "Scene",
    "SceneError",
    "Sphere",
    "Spheres",
    "Varied",
    "scene_id",
]
