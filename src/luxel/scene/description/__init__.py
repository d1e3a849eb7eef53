"""What a scene is: immutable, validated models and their JSON form.

World space is right-handed with z up, lengths are in scene units, colours and radiance are linear RGB
(radiance in W·sr⁻¹·m⁻²). A scene that exists is a valid one: every bound is checked when it is built, read, copied,
changed or unpickled, so that nothing checks it again. `object.__setattr__` and `__dict__` lead around that, as they do
around everything in Python; of what is made by them nothing is promised.
"""

from luxel.scene.description.bounds import (
    IDENTITY,
    RGB,
    AngularRadius,
    Axes,
    Between,
    Color,
    Direction,
    FieldOfView,
    Finite,
    NonNegative,
    Number,
    Positive,
    Quaternion,
    Unit,
    Vector,
)
from luxel.scene.description.camera import Camera
from luxel.scene.description.material import MIN_SPECULAR, Material
from luxel.scene.description.reading import (
    FOREIGN,
    MAX_BYTES,
    SCHEMA_VERSION,
    WHAT_A_SCENE_IS,
    parsed_json,
    read_scene_file,
)
from luxel.scene.description.scene import Scene, scene_id, stored_json
from luxel.scene.description.shapes import Box, Cylinder, Ellipsoid, Object, Panel, Plane, Sphere
from luxel.scene.description.sky import GradientSky, MapSky, Sky, Sun
from luxel.scene.errors import SceneError

__all__ = [
    "FOREIGN",
    "IDENTITY",
    "MAX_BYTES",
    "MIN_SPECULAR",
    "RGB",
    "SCHEMA_VERSION",
    "WHAT_A_SCENE_IS",
    "AngularRadius",
    "Axes",
    "Between",
    "Box",
    "Camera",
    "Color",
    "Cylinder",
    "Direction",
    "Ellipsoid",
    "FieldOfView",
    "Finite",
    "GradientSky",
    "MapSky",
    "Material",
    "NonNegative",
    "Number",
    "Object",
    "Panel",
    "Plane",
    "Positive",
    "Quaternion",
    "Scene",
    "SceneError",
    "Sky",
    "Sphere",
    "Sun",
    "Unit",
    "Vector",
    "parsed_json",
    "read_scene_file",
    "scene_id",
    "stored_json",
]
