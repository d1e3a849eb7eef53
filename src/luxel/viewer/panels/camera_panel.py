"""The panel of the scene's camera, from which it is rendered elsewhere."""

from collections.abc import Callable
from typing import Any

import viser

from luxel.scene.description import Camera
from luxel.scene.limits import MAX_LENGTH, MIN_LENGTH
from luxel.viewer.cameras import extent_of, with_projection
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Tell
from luxel.viewer.panels.object_panel import CameraOf
from luxel.viewer.panels.part_fields import PartFields


class CameraPanel:
    """Inputs for the scene's camera, whose projection every tab has, too."""

    def __init__(
        self,
        gui: viser.GuiApi,
        document: Document,
        tell: Tell,
        camera_of: CameraOf,
        look_through: Callable[[viser.ClientHandle | None], object],
    ) -> None:
        self._gui, self._document = gui, document
        self._fields = PartFields(document, tell, "camera", Camera)
        with gui.add_folder("Camera of the scene"):
            button = gui.add_button("Look through it", icon=viser.Icon.EYE, hint="Show what the scene's camera sees")
            self._fields.button(button, look_through)
            button = gui.add_button(
                "Take this view", icon=viser.Icon.CAMERA, hint="Make this tab's view the scene's camera"
            )
            self._fields.button(button, lambda client: self._take(camera_of(client)))
            for label, name in (("Position", "position"), ("Look at", "look_at"), ("Up", "up")):
                self._fields.numbers(gui, label, name)
            self._lens_inputs(document.scene.camera)

    def refresh(self, state: State) -> None:
        """Show the state."""
        self._fields.refresh(state)
        self._enable(state.scene.camera)

    def _lens_inputs(self, camera: Camera) -> None:
        gui = self._gui
        self._fields.bind_to_part(
            gui.add_dropdown("Projection", ("perspective", "orthographic"), initial_value=camera.projection),
            lambda camera: camera.projection,
            lambda projection: dict(with_projection(self._document.scene.camera, projection)),
        )
        self._fov: Any = gui.add_slider(
            "Field of view °", 1.0, 170.0, 0.5, camera.vertical_fov_degrees, hint="Vertical, in perspective"
        )
        self._fields.slider(self._fov, "vertical_fov_degrees")
        self._extent: Any = self._fields.numbers_of_part(
            gui,
            "Extent",
            shown_extent,
            lambda extent: {"vertical_extent": extent},
            hint="Height of what is seen, when orthographic",
        )
        self._enable(camera)

    def _enable(self, camera: Camera) -> None:
        """Only what this projection has can be changed."""
        self._fov.disabled, self._extent.disabled = camera.is_orthographic, not camera.is_orthographic

    def _take(self, camera: Camera) -> None:
        self._document.edit(self._document.scene.model_copy(update={"camera": camera}))


def shown_extent(camera: Camera) -> float:
    """Height of what the camera shows where it looks at."""
    return min(max(float(f"{extent_of(camera):.6g}"), MIN_LENGTH), MAX_LENGTH)
