"""Luxel: a feed-forward neural renderer. A scene of simple solids in, an HDR image out.

    from luxel import Renderer, Scene, save_image

    image = Renderer.from_pretrained("ray-small")(Scene.load("scene.json"), 256)

Importing the package is light: torch, Warp and Mitsuba load where they are first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luxel.image.formats import save_image
    from luxel.notebook.display import show, thumbnail
    from luxel.pipeline import Renderer
    from luxel.scene import (
        Animation,
        Box,
        Camera,
        Cylinder,
        Ellipsoid,
        Material,
        Panel,
        Plane,
        Scene,
        SceneError,
        Sphere,
        register,
    )
    from luxel.trace.path import PathTracer

# Threads of torch's OpenMP that wait by spinning hold the cores which the others need: beside two busy processes on two
# cores a frame of 0.016 s took 0.2 to 0.4 s. Those that sleep at once wake too late: a frame of 0.088 s takes 0.098 s.
# So GNU's spin for some tens of microseconds. OpenMP reads this when torch is loaded: import luxel before torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1500")

__version__ = "0.1.0"

__all__ = [
    "Animation",
    "Box",
    "Camera",
    "Cylinder",
    "Ellipsoid",
    "GradientSky",
    "InputError",
    "InputWarning",
    "MapSky",
    "Material",
    "Panel",
    "PathTracer",
    "Plane",
    "Renderer",
    "Scene",
    "SceneError",
    "Sphere",
    "Sun",
    "register",
    "save_image",
    "show",
    "thumbnail",
]
_ELSEWHERE = {
    "Renderer": "luxel.pipeline",
    "PathTracer": "luxel.trace.path",
    "save_image": "luxel.image.formats",
    "show": "luxel.notebook.display",
    "thumbnail": "luxel.notebook.display",
}
"""Modules of what is not `luxel.scene`'s; all are loaded when first asked for."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'luxel' has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE.get(name, "luxel.scene")), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class InputError(ValueError):
    """A file, folder or option that is not as it must be; the message says which, and the remedy.

    The command line prints it without a traceback.
    """


class InputWarning(UserWarning):
    """What can be done as it was asked for, but can hardly be meant; the message says why, and the remedy.

    The command line prints it on one line, once.
    """
