"""What a scene is: its description, its distributions and its camera."""

from luxel.scene.animation import Animation
from luxel.scene.clevr import Clevr
from luxel.scene.composed import Composed
from luxel.scene.description import (
    Box,
    Camera,
    Cylinder,
    Ellipsoid,
    GradientSky,
    MapSky,
    Material,
    Object,
    Panel,
    Plane,
    Scene,
    Sphere,
    Sun,
    scene_id,
)
from luxel.scene.distributions import Assorted, Ellipsoids, Mixed, Spheres, Varied
from luxel.scene.errors import SceneError
from luxel.scene.figures.figure import Figure, from_ase, from_points, load_scene
from luxel.scene.folder import SceneFolder
from luxel.scene.outdoor import Outdoor
from luxel.scene.registry import DISTRIBUTIONS, Distribution, register

__all__ = [
    "DISTRIBUTIONS",
    "Animation",
    "Assorted",
    "Box",
    "Camera",
    "Clevr",
    "Composed",
    "Cylinder",
    "Distribution",
    "Ellipsoid",
    "Ellipsoids",
    "Figure",
    "GradientSky",
    "MapSky",
    "Material",
    "Mixed",
    "Object",
    "Outdoor",
    "Panel",
    "Plane",
    "Scene",
    "SceneError",
    "SceneFolder",
    "Sphere",
    "Spheres",
    "Sun",
    "Varied",
    "from_ase",
    "from_points",
    "load_scene",
    "register",
    "scene_id",
]
