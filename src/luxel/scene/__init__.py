"""What a scene is: its description, its distributions, its camera and its tokens."""

from luxel.scene.description import (
    Camera,
    Ellipsoid,
    Material,
    Object,
    Scene,
    Sphere,
    scene_id,
)
from luxel.scene.distributions import DISTRIBUTIONS, Distribution, Ellipsoids, Spheres, Varied
from luxel.scene.errors import SceneError
from luxel.scene.tokens import FIELDS, OBJECT_FEATURES, Tokens, encode

__all__ = [
    "DISTRIBUTIONS",
    "FIELDS",
    "OBJECT_FEATURES",
    "Camera",
    "Distribution",
    "Ellipsoid",
    "Ellipsoids",
    "Material",
    "Object",
    "Scene",
    "SceneError",
    "Sphere",
    "Spheres",
    "Tokens",
    "Varied",
    "encode",
    "scene_id",
]
