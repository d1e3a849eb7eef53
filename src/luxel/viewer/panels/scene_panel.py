"""The panel of camera and sky."""

from collections.abc import Callable
from typing import Any

import viser

from luxel import InputError
from luxel.scene.description import Camera
from luxel.viewer import colours
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Fields, Tell
from luxel.viewer.panels.object_panel import MOST, CameraOf, floats


class ScenePanel:
    """Inputs for the scene's camera, from which it is rendered elsewhere, and for its background."""

    def __init__(
        self,
        gui: viser.GuiApi,
        document: Document,
        tell: Tell,
        camera_of: CameraOf,
        look_through: Callable[[viser.ClientHandle | None], object],
    ) -> None:
        self._gui, self._document = gui, document
        self._fields = Fields(document, tell)
        with gui.add_folder("Background"):
            self._sky_inputs()
        with gui.add_folder("Camera of the scene"):
            button = gui.add_button("Look through it", icon=viser.Icon.EYE, hint="Show what the scene's camera sees")
            self._fields.button(button, look_through)
            button = gui.add_button(
                "Take this view", icon=viser.Icon.CAMERA, hint="Make this tab's view the scene's camera"
            )
            self._fields.button(button, lambda client: self._take(camera_of(client)))
            for label, name in (("Position", "position"), ("Look at", "look_at"), ("Up", "up")):
                self._camera_input(gui.add_vector3(label, getattr(document.scene.camera, name), step=0.01), name)
            degrees = document.scene.camera.vertical_fov_degrees
            fov = gui.add_slider("Field of view °", 1.0, 170.0, 0.5, degrees, hint="Vertical")
            self._camera_input(fov, "vertical_fov_degrees")

    def refresh(self, state: State) -> None:
        """Show the state."""
        self._fields.refresh(state)

    def _take(self, camera: Camera) -> None:
        self._check_perspective("Take this view")
        self._document.edit(self._document.scene.model_copy(update={"camera": camera}))

    def _check_perspective(self, what: str) -> None:
        """Raise InputError if the scene's camera is none of those that a tab has."""
        if self._document.scene.camera.is_orthographic:
            raise InputError(f"{what}: the scene's camera is orthographic, a tab's is not; change it in the file")

    def _sky_inputs(self) -> None:
        gui, background = self._gui, self._document.scene.background
        hue = gui.add_rgb("Color", colours.hue_of(background))
        strength = gui.add_number("Radiance", colours.strength_of(background), min=0.0, max=MOST, step=0.05)

        def write(_: Any) -> None:
            radiance = colours.radiance_of(hue.value, strength.value)
            self._document.edit(self._document.scene.model_copy(update={"background": radiance}), gesture="sky")

        def hue_shown(state: State) -> Any:  # of what is black, the hue that it had
            return colours.hue_of(state.scene.background) if any(state.scene.background) else hue.value

        self._fields.bind(hue, hue_shown, write)
        self._fields.bind(strength, lambda state: colours.strength_of(state.scene.background), write)

    def _camera_input(self, handle: Any, name: str) -> None:
        def write(value: Any) -> None:
            if name == "vertical_fov_degrees":
                self._check_perspective("Field of view")
            self._document.edit(self._document.scene.with_camera(**{name: floats(value)}), gesture=name)

        self._fields.bind(handle, lambda state: getattr(state.scene.camera, name), write)
