"""What a notebook shows of a scene, or of a picture."""

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from luxel import InputError
from luxel.configuration import PathCount, Pixels, checker, shortened
from luxel.image.formats import as_radiance, check_exposure, encoded, to_bytes
from luxel.image.tonemap import tone_map
from luxel.near_words import naming_near_words
from luxel.pipeline import Renderer
from luxel.scene.arguments import check_scene
from luxel.scene.description import Scene

MODEL = "ray-small"
SIDE = 256
"""Of a scene's thumbnail, in pixels."""
MAX_SHOWN_OBJECTS = 10_000
"""Of a scene that is shown without being asked for: ray-small takes seconds for so many."""
check_side, check_spp = checker(Pixels), checker(PathCount)


@dataclass(frozen=True)
class Picture:
    """A tone-mapped picture that a notebook shows; `luxel.save_image` writes radiance to a file."""

    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return f"Picture(PNG of {len(self.png)} bytes)"


@cache
def renderer_of(model: str) -> Renderer:
    """The renderer of a model, loaded once."""
    return Renderer.from_pretrained(model)


@lru_cache(maxsize=64)
def thumbnail(scene: Scene) -> bytes | None:
    """The scene as a PNG, SIDE pixels wide and high, by ray-small; None for more than MAX_SHOWN_OBJECTS objects.

    Raises InputError for what is no scene.
    """
    check_scene("scene", scene)
    if len(scene.objects) > MAX_SHOWN_OBJECTS:
        return None
    return encoded(to_bytes(renderer_of(MODEL)(scene, SIDE)), ".png")


@naming_near_words
def show(
    shown: Any,
    *,
    model: str | Renderer = MODEL,
    width: int = 320,
    height: int = 240,
    spp: int = 64,
    tone: str = "clamp",
    exposure: float = 0.0,
) -> Any:
    """What a notebook shows as the value of a cell: a scene to be turned with the mouse, or radiance as a picture.

    A scene is an orbiting view, a widget: dragging turns it, the wheel comes nearer. It shows the network's picture at
    once, and while it is still blends it with up to `spp` paths a pixel. Without anywidget (`luxel[notebook]`) it is a
    still picture, blended with `spp` paths. `width`, `height`, `spp` and `model`, a name, folder or Renderer, are of a
    scene alone: an array of radiance, [height, width, 3], is shown as it is. `tone` and `exposure`, in stops, are of
    both. Raises InputError for what is neither, or out of range.
    """
    tone_map(tone)
    check_exposure("exposure", exposure)
    if not isinstance(shown, Scene):
        return Picture(encoded(to_bytes(radiance_of(shown), tone, exposure), ".png"))
    width, height, spp = check_side("width", width), check_side("height", height), check_spp("spp", spp)
    renderer = model if isinstance(model, Renderer) else renderer_of(str(model))
    if find_spec("anywidget") is None:
        return Picture(encoded(to_bytes(renderer(shown, width, height, spp), tone, exposure), ".png"))
    from luxel.notebook.widget import SceneWidget

    return SceneWidget(shown, renderer, width=width, height=height, spp=spp, tone=tone, exposure=exposure)


def radiance_of(shown: Any) -> np.ndarray:
    """The radiance that is to be shown. Raises InputError for what is neither a scene nor radiance."""
    if isinstance(shown, str | list | tuple | dict) or shown is None:
        raise InputError(
            f"show: {shortened(shown)} is neither a Scene nor an array of radiance (Scene.load reads files)"
        )
    return as_radiance(shown, "show")
