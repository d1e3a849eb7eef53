"""The page: a document, its pictures and its panels in every tab that is open."""

import io
import math
import threading
import time
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import viser

from luxel import InputError
from luxel.image.formats import save_image
from luxel.scene.camera import frame as camera_frame
from luxel.scene.description import Camera, SceneError
from luxel.viewer.cameras import Window, camera_of
from luxel.viewer.compose import Errors, composed, errors_of
from luxel.viewer.document import Autosave, Document, State
from luxel.viewer.gizmo import Gizmo
from luxel.viewer.panels.file_panel import FilePanel
from luxel.viewer.panels.object_panel import ObjectPanel
from luxel.viewer.panels.picture_panel import PicturePanel, Settings
from luxel.viewer.panels.scene_panel import ScenePanel
from luxel.viewer.picking import picked_object
from luxel.viewer.render_loop import Frame, RenderLoop, View
from luxel.viewer.status import Status
from luxel.viewer.weights import Weights

POLL_S = 2.0
"""Between looks at a run for newer weights."""
QUALITY = {False: 80, True: 95}
"""Of JPEG, while something moves and at rest."""
TOLD_S = 8.0


@dataclass
class Tab:
    """A tab of a browser, and what it shows."""

    client: viser.ClientHandle
    status: Status
    frame: Frame | None = None
    errors: Errors | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Page:
    """Serves a document until it is closed. Raises InputError if the port can't be had."""

    def __init__(self, document: Document, weights: Weights, host: str, port: int, settings: Settings) -> None:
        self.document, self.weights, self.settings = document, weights, settings
        self._tabs: dict[int, Tab] = {}
        self._left_at: Camera | None = None
        self._closed = threading.Event()
        with redirect_stdout(io.StringIO()):  # where viser draws a box with the address
            self.server = viser.ViserServer(host=host, port=port, label="Luxel", verbose=False)
        self.server.gui.main_panel.dock_right()
        self.server.gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
        self.server.scene.world_axes.visible = False
        self.loop = RenderLoop(weights, self._show, self._complain)
        self._build()
        document.listen(self._changed)
        self.autosave = Autosave(document, lambda message: self.tell(None, message))
        self._watch = threading.Thread(target=self._watch_weights, name="weights", daemon=True)
        self._watch.start()
        self.server.on_client_connect(self._opened)
        self.server.on_client_disconnect(self._left)

    @property
    def url(self) -> str:
        """Where it is, for a browser."""
        return f"http://{self.server.get_host()}:{self.server.get_port()}"

    def close(self) -> None:
        """Keep what was not saved, and end."""
        self._closed.set()
        self.loop.close()
        self.autosave.stop()
        self._watch.join()
        with redirect_stdout(io.StringIO()):
            self.server.stop()

    def tell(self, client: viser.ClientHandle | None, message: str) -> None:
        """Show a message for some seconds, in a tab or in all."""
        clients = [client] if client is not None else [tab.client for tab in list(self._tabs.values())]
        for one in clients:
            one.add_notification("Luxel", message, auto_close_seconds=TOLD_S)

    def _build(self) -> None:
        gui, document = self.server.gui, self.document
        self._undo = gui.add_button_group("Change", ("Undo", "Redo"))

        @self._undo.on_click
        async def pressed(event: Any) -> None:
            (document.undo if event.target.value == "Undo" else document.redo)()

        tabs = gui.add_tab_group()
        self._objects = ObjectPanel(gui, tabs.add_tab("Objects"), document, self.tell, self.camera)
        with tabs.add_tab("Scene"):
            self._scene = ScenePanel(gui, document, self.tell, self.camera, self._look_through)
        with tabs.add_tab("Picture"):
            self._picture = PicturePanel(gui, self.settings, self._set)
        with tabs.add_tab("File"):
            self._file = FilePanel(gui, document, self.tell, self._save_picture)
        self._gizmo = Gizmo(self.server.scene, document, self.tell)
        self._gizmo.refresh(document.state)
        self._commands()

        @self.server.scene.on_click()
        async def clicked(event: Any) -> None:
            document.select(picked_object(document.scene, event.ray_origin, event.ray_direction))

    def _commands(self) -> None:
        """Keys, which the command palette lists."""
        keys: list[tuple[str, Any, Any, Any]] = [
            ("Undo", "Z", "cmd/ctrl", self.document.undo),
            ("Redo", "Y", "cmd/ctrl", self.document.redo),
            ("Duplicate", "D", None, self._objects.duplicate),
            ("Delete", "DELETE", None, self._objects.delete),
            ("Save scene", "S", "cmd/ctrl", lambda: self._file.save(None)),
        ]
        for label, key, modifier, action in keys:
            command = self.server.gui.add_command(label, hotkey=key, modifier=modifier)

            @command.on_trigger
            async def triggered(event: Any, action: Any = action) -> None:
                try:
                    action()
                except InputError as error:
                    self.tell(event.client, str(error))

    def _opened(self, client: viser.ClientHandle) -> None:
        tab = Tab(client, Status(client.gui, self.weights, self.document))
        self._tabs[client.client_id] = tab
        camera, self._left_at = self._left_at or self.document.scene.camera, None
        self._stand(client, camera)
        client.camera.on_update(lambda _: self._request(tab))
        self._request(tab)

    def _left(self, client: viser.ClientHandle) -> None:
        tab = self._tabs.pop(client.client_id, None)
        self.loop.forget(client.client_id)
        with suppress(SceneError):  # a tab that is loaded again looks from where it was
            self._left_at = self.camera(client) if tab is not None and not self._tabs else None

    def _window(self, client: viser.ClientHandle) -> tuple[Window, int, int]:
        """How the picture lies in a tab, and its width and height."""
        canvas, side = client.camera.aspect, self.weights.fixed_side
        if side is not None:
            return Window(canvas, 1.0), side, side
        height = self.settings.height
        width = self.settings.width or max(1, round(height * canvas))
        return Window(canvas, canvas if self.settings.width is None else width / height), width, height

    def camera(self, client: viser.ClientHandle | None) -> Camera:
        """Where a tab looks from; without one, the scene's camera."""
        if client is None:
            return self.document.scene.camera
        there = client.camera
        return camera_of(there.position, there.look_at, there.up_direction, there.fov, self._window(client)[0])

    def _look_through(self, client: viser.ClientHandle | None) -> None:
        if client is not None:
            self._stand(client, self.document.scene.camera)

    def _stand(self, client: viser.ClientHandle, camera: Camera) -> None:
        """Let a tab look from where a camera is."""
        up = camera_frame(camera).rotation[:, 1] if abs_parallel(camera) else camera.up
        with client.atomic():
            client.camera.up_direction = up
            client.camera.position = camera.position
            client.camera.look_at = camera.look_at
            client.camera.fov = self._window(client)[0].canvas_fov(math.radians(camera.vertical_fov_degrees))

    def _request(self, tab: Tab) -> None:
        _, width, height = self._window(tab.client)
        with suppress(SceneError):  # a camera that can't be, as it is on its way to one that can
            scene = self.document.scene.model_copy(update={"camera": self.camera(tab.client)})
            self.loop.request(tab.client.client_id, View(scene, width, height, self.settings.most_paths))

    def _changed(self, state: State) -> None:
        """The document is another."""
        for tab in list(self._tabs.values()):
            self._request(tab)
            tab.status.refresh()
        for part in (self._objects, self._scene, self._file, self._gizmo):
            part.refresh(state)

    def _set(self, settings: Settings) -> None:
        self.settings = settings
        for tab in list(self._tabs.values()):
            self._request(tab)
            if tab.frame is not None:
                self._show(tab.client.client_id, tab.frame)

    def _show(self, key: Any, frame: Frame) -> None:
        """Send a frame to its tab, unless a later one was."""
        tab = self._tabs.get(key)
        if tab is None:
            return
        started, look = time.perf_counter(), self.settings.look
        errors = errors_of(frame, look) if look.compares else None
        pixels = self._window(tab.client)[0].framed(composed(frame, look, errors))
        with tab.lock:
            if tab.frame is not None and (frame.version, frame.spp) < (tab.frame.version, tab.frame.spp):
                return
            tab.frame, tab.errors = frame, errors
            tab.client.scene.set_background_image(pixels, format="jpeg", jpeg_quality=QUALITY[frame.is_whole])
            tab.client.flush()
        tab.status.show(frame, errors, time.perf_counter() - started)

    def _complain(self, key: Any, message: str) -> None:
        tab = self._tabs.get(key)
        if tab is not None:
            tab.status.fail(message)

    def _save_picture(self, client: viser.ClientHandle | None, ending: str) -> None:
        """Save what a tab shows, beside the scene."""
        tab = None if client is None else self._tabs.get(client.client_id)
        if tab is None or tab.frame is None or not tab.frame.is_whole:
            raise InputError("the picture has not its size yet; wait a moment, and save it then")
        path, look = self.document.path.with_suffix(ending), self.settings.look
        if ending == ".exr":
            save_image(path, tab.frame.best)
        else:
            save_image(path, tab.frame.best, look.tone, look.exposure)
        self.tell(client, f"Saved {Path(path).resolve()}, {tab.frame.spp} paths a pixel")

    def _watch_weights(self) -> None:
        told = ""
        while not self._closed.wait(POLL_S):
            try:
                if self.weights.poll():
                    for tab in list(self._tabs.values()):
                        self._request(tab)
                    self.loop.request_again()
            except InputError as error:
                if str(error) != told:
                    told = str(error)
                    self.tell(None, told)


def abs_parallel(camera: Camera) -> bool:
    """Whether the camera looks along its `up` nearly, where viser's orbit would turn it about."""
    forward = [b - a for a, b in zip(camera.position, camera.look_at, strict=True)]
    cosine = sum(a * b for a, b in zip(forward, camera.up, strict=True)) / (
        math.hypot(*forward) * math.hypot(*camera.up)
    )
    return abs(cosine) > 0.999
