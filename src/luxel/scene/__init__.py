"""What a scene is: its description, its distributions and its camera."""

from luxel.scene.composed import Composed
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
from luxel.scene.distributions import DISTRIBUTIONS, Distribution, Ellipsoids, Mixed, Spheres, Varied
from luxel.scene.errors import SceneError

__all__ = [
    "DISTRIBUTIONS",
    "Box",
    "Camera",
    "Composed",
    "Cylinder",
    "Distribution",
    "Ellipsoid",
    "Ellipsoids",
    "Material",
    "Mixed",
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
