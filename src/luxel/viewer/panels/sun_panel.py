"""The panel of the sun."""

import math
from typing import Any

import viser

from luxel.scene.description import Scene, Sun, Vector
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Fields, Tell
from luxel.viewer.panels.part_fields import PartFields

NEW = Sun(direction=(-0.55, -0.45, 0.75), radiance=(44000, 41000, 36000))
"""That of docs/scene.md."""
HOW_BRIGHT = "Of its disc: with 46 700 and a radius of 0.265°, white paper that faces it has a radiance of 1"


class SunPanel:
    """Inputs for a sun, if there is one."""

    def __init__(self, gui: viser.GuiApi, document: Document, tell: Tell) -> None:
        self._gui, self._document, self._tell = gui, document, tell
        self._switch, self._inputs = Fields(document, tell), Fields(document, tell)
        self._is_shown = False
        with gui.add_folder("Sun") as self._folder:
            shines = gui.add_checkbox("There is a sun", document.scene.sun is not None)
            self._switch.bind(shines, lambda state: state.scene.sun is not None, self._set)
        self.refresh(document.state)

    def refresh(self, state: State) -> None:
        """Show the state."""
        self._switch.refresh(state)
        if self._is_shown == (state.scene.sun is not None):
            return self._inputs.refresh(state)
        self._is_shown = not self._is_shown
        self._inputs.clear()
        if state.scene.sun is not None:
            with self._folder:
                self._add_inputs(state.scene.sun)

    def _set(self, shines: bool) -> None:
        self._document.edit(with_sun(self._document.scene, NEW if shines else None))

    def _add_inputs(self, sun: Sun) -> None:
        gui, inputs = self._gui, PartFields(self._document, self._tell, "sun", Sun)
        azimuth, elevation = angles_of(sun.direction)
        turn = gui.add_slider("Azimuth °", -180.0, 180.0, 0.1, azimuth, hint="From +x on, anticlockwise from above")
        height = gui.add_slider("Elevation °", -90.0, 90.0, 0.1, elevation)

        def azimuth_shown(sun: Sun) -> float:  # of a sun in the zenith, that which it had
            azimuth, elevation = angles_of(sun.direction)
            return turn.value if abs(elevation) == 90 else azimuth

        def turned(_: Any) -> dict[str, Any]:
            return {"direction": direction_of(turn.value, height.value)}

        inputs.bind_to_part(turn, azimuth_shown, turned)
        inputs.bind_to_part(height, lambda sun: angles_of(sun.direction)[1], turned)
        inputs.numbers(gui, "Angular radius °", "angular_radius_degrees")
        inputs.radiance(gui, "radiance", HOW_BRIGHT)
        self._inputs = inputs


def with_sun(scene: Scene, sun: Sun | None) -> Scene:
    """The scene under another sun, or none."""
    return scene.model_copy(update={"sun": sun})


def angles_of(direction: Vector) -> tuple[float, float]:
    """Azimuth from +x on, anticlockwise from above, and elevation, in degrees, rounded to 1/1000."""
    x, y, z = direction
    azimuth, elevation = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))
    return round(azimuth, 3) + 0.0, round(elevation, 3) + 0.0


def direction_of(azimuth: float, elevation: float) -> Vector:
    """The inverse of `angles_of`: a unit vector."""
    turn, height = math.radians(azimuth), math.radians(elevation)
    across = math.cos(height)
    return across * math.cos(turn), across * math.sin(turn), math.sin(height)
