"""The orbiting view of a scene: the browser sends where the camera stands, and gets pictures. Needs anywidget."""

import math
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from luxel.image.formats import encoded, to_bytes
from luxel.notebook.orbit import MAX_ELEVATION_DEGREES, Orbit
from luxel.notebook.refinement import Refinement, Request
from luxel.pipeline import Progress, Renderer
from luxel.scene.description import Scene

MIN_DISTANCE, MAX_DISTANCE = 0.01, 100.0
"""Of the distance at the start."""
JPEG = "data:image/jpeg;base64,"


class SceneWidget(anywidget.AnyWidget):
    """A scene that is turned by dragging and approached with the wheel.

    The camera's place is in three synchronised numbers, which Python may set as well; `scene` is what is seen from
    there. A picture for each is made in the background: `refinement.wait()` returns when the last is as good as asked.
    """

    _esm = Path(__file__).parent / "widget.js"

    azimuth_degrees = traitlets.Float().tag(sync=True)
    elevation_degrees = traitlets.Float().tag(sync=True)
    distance = traitlets.Float().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    """A JPEG as a data: URL, the one kind of address that the rules of VS Code's notebooks for contents let through."""
    status = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, scene: Scene, renderer: Renderer, *, width: int, height: int, spp: int, tone: str, exposure: float
    ) -> None:
        self._start, self._orbit = scene, Orbit.of(scene.camera)
        self._spp, self._tone, self._exposure = spp, tone, exposure
        self.refinement = Refinement(renderer, self._show, self._tell)
        self._has_shown = threading.Event()
        super().__init__(**self._orbit._asdict(), width=width, height=height, status=f"{renderer.name}: rendering …")
        self.observe(self._moved, names=list(Orbit._fields))
        self._moved()

    @property
    def scene(self) -> Scene:
        """The scene from where the camera stands now."""
        orbit = Orbit(self.azimuth_degrees, self.elevation_degrees, self.distance)
        if orbit == self._orbit:
            return self._start
        return self._start.model_copy(update={"camera": orbit.camera(self._start.camera)})

    def close(self) -> None:
        """Refine no more."""
        self.refinement.stop()
        self._has_shown.set()
        super().close()

    def __repr__(self) -> str:
        return f"SceneWidget({self.width}×{self.height}, {self.status})"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The view, and the first picture as a still one, for where a saved notebook is read without a kernel."""
        self._has_shown.wait()
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None and self.picture:
            bundle[0]["image/jpeg"] = self.picture.removeprefix(JPEG)
        return bundle

    @traitlets.validate(*Orbit._fields)
    def _in_range(self, proposal: Any) -> float:
        """The number, or the nearest that is allowed; what is not finite changes nothing."""
        name, value = proposal["trait"].name, float(proposal["value"])
        if not math.isfinite(value):
            return float(getattr(self, name))
        low, high = {
            "elevation_degrees": (min(-MAX_ELEVATION_DEGREES, self._orbit.elevation_degrees), MAX_ELEVATION_DEGREES),
            "distance": (MIN_DISTANCE * self._orbit.distance, MAX_DISTANCE * self._orbit.distance),
        }.get(name, (-math.inf, math.inf))
        return min(max(value, low), high)

    def _moved(self, _: object = None) -> None:
        self.refinement.ask(Request(self.scene, self.width, self.height, self._spp))

    def _show(self, scene: Scene, progress: Progress) -> None:
        jpeg = encoded(to_bytes(progress.radiance, self._tone, self._exposure), ".jpg")
        self.picture = JPEG + b64encode(jpeg).decode()
        self.status = f"{self.refinement.renderer.name}" + (f" and {progress.spp} spp" if progress.spp else "")
        self._has_shown.set()

    def _tell(self, message: str) -> None:
        self.status = message
        self._has_shown.set()
