"""The viewer: a document, its pictures and its panels in every tab that is open."""

import io
import threading
import warnings
from contextlib import redirect_stdout, suppress
from typing import Any

import viser

from luxel import InputError
from luxel.scene.description import Camera
from luxel.scene.errors import SceneError
from luxel.viewer import keys
from luxel.viewer.address import is_own
from luxel.viewer.autosave import Autosave
from luxel.viewer.blindness import blindness
from luxel.viewer.cameras import Window
from luxel.viewer.document import Document, State
from luxel.viewer.files import Files
from luxel.viewer.gizmo import Gizmo
from luxel.viewer.notices import Notices
from luxel.viewer.panels.camera_panel import CameraPanel
from luxel.viewer.panels.file_panel import FilePanel
from luxel.viewer.panels.object_panel import ObjectPanel
from luxel.viewer.panels.picture_panel import PicturePanel, Settings
from luxel.viewer.panels.sky_panel import SkyPanel
from luxel.viewer.panels.sun_panel import SunPanel
from luxel.viewer.picking import picked_object
from luxel.viewer.picture_file import saved
from luxel.viewer.render_loop import Frame, RenderLoop
from luxel.viewer.size_handles import SizeHandles
from luxel.viewer.status import Status
from luxel.viewer.tab import Tab
from luxel.viewer.weights import Weights

POLL_S = 2.0
"""Between looks at a run for newer weights."""


class Viewer:
    """Serves a document, from when it is made until it is closed, at a port that must be free.

    Every tab shows the same scene, from a camera of its own. Raises InputError if another viewer has the file.
    """

    def __init__(self, document: Document, weights: Weights, host: str, port: int, settings: Settings) -> None:
        document.claim()
        self.document, self.weights, self.settings = document, weights, settings
        self._tabs: dict[int, Tab] = {}
        self.notices = Notices(lambda: [tab.client for tab in list(self._tabs.values())])
        self._left_at: Camera | None = None
        self._closed = threading.Event()
        # A tab may be closed while its picture is on its way, which is no mistake.
        warnings.filterwarnings("ignore", message="Queued a .* on a closed connection")
        with redirect_stdout(io.StringIO()):  # where viser draws a box with the address
            self.server = viser.ViserServer(host=host, port=port, label="Luxel", verbose=False)
        self.loop = RenderLoop(weights, self._show, self._complain)
        self._files = Files(document.path.parent, anywhere=is_own(host))
        self._build()
        document.listen(self._changed)
        self.autosave = Autosave(document, lambda message: self.notices.complain(None, message))
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
        self.autosave.stop()
        self.document.release()
        self.loop.close()
        self._watch.join()
        with redirect_stdout(io.StringIO()):
            self.server.stop()

    def camera(self, client: viser.ClientHandle | None) -> Camera:
        """Where a tab looks from; without one, the scene's camera. Raises SceneError for what no camera can be."""
        tab = self._tab_of(client)
        if tab is None:
            return self.document.scene.camera
        return tab.camera(self._window(tab))

    def _window(self, tab: Tab) -> Window:
        """How the picture lies in a tab."""
        return tab.window(self.settings, self.weights.fixed_side)[0]

    def _tab_of(self, client: viser.ClientHandle | None) -> Tab | None:
        return None if client is None else self._tabs.get(client.client_id)

    def _build(self) -> None:
        """Everything of the page that all tabs share."""
        gui, document, scene = self.server.gui, self.document, self.server.scene
        complain = self.notices.complain
        gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
        gui.main_panel.dock_right()
        gui.add_html(keys.PAGE)
        scene.world_axes.visible = False
        change = gui.add_button_group("Change", ("Undo", "Redo"))

        @change.on_click
        async def pressed(event: Any) -> None:
            self._step(event.client, change.value)

        tabs = gui.add_tab_group()
        self._objects = ObjectPanel(gui, tabs.add_tab("Objects"), document, complain, self.camera)
        with tabs.add_tab("Scene"):
            self._camera = CameraPanel(gui, document, complain, self.camera, self._look_through)
            self._sky = SkyPanel(gui, document, complain, self._files)
            self._sun = SunPanel(gui, document, complain)
        with tabs.add_tab("Picture"):
            PicturePanel(gui, self.settings, self._set, complain)
        with tabs.add_tab("File"):
            self._file = FilePanel(gui, document, self.notices, self._files, self._save_picture, self._look_all)
        self._gizmo, self._sizes = Gizmo(scene, document, complain), SizeHandles(scene, document, complain)
        self._commands()

        @scene.on_click()
        def clicked(event: Any) -> None:
            tab = self._tab_of(event.client)
            if tab is not None:
                ray = tab.ray(self._window(tab), event.ray_origin, event.ray_direction)
                document.select(picked_object(document.scene, *ray))

    def _commands(self) -> None:
        """Keys, which the command palette lists; not those that viser's camera is moved by: W, A, S, D, Q and E."""
        commands: list[tuple[str, Any, Any, Any]] = [
            ("Undo", "Z", "cmd/ctrl", lambda client: self._step(client, "Undo")),
            ("Redo", "Y", "cmd/ctrl", lambda client: self._step(client, "Redo")),
            ("Duplicate", "C", None, lambda _: self._objects.duplicate()),
            ("Delete", "DELETE", None, lambda _: self._objects.delete()),
            ("Save scene", None, None, self._file.save),
        ]
        for label, key, modifier, action in commands:
            command = self.server.gui.add_command(label, hotkey=key, modifier=modifier)

            @command.on_trigger
            async def triggered(event: Any, action: Any = action) -> None:
                try:
                    action(event.client)
                except InputError as error:
                    self.notices.complain(event.client, str(error))

    def _step(self, client: viser.ClientHandle | None, step: str) -> None:
        """Undo or redo, and say if there is nothing to."""
        if not (self.document.undo if step == "Undo" else self.document.redo)():
            self.notices.complain(client, f"there is nothing to {step.lower()}")

    def _opened(self, client: viser.ClientHandle) -> None:
        """A tab: it looks from the scene's camera or, if it was loaded again, from where it was."""
        camera, self._left_at = self._left_at or self.document.scene.camera, None
        tab = Tab(client, Status(client.gui, self.weights, self.document), camera)
        tab.stand(camera, self._window(tab))
        tab.take_projection(self.document.scene.camera, self._window(tab))
        self._tabs[client.client_id] = tab

        @client.camera.on_update
        def moved(_: Any) -> None:
            tab.moved()
            self._request(tab)

        self._request(tab)

    def _left(self, client: viser.ClientHandle) -> None:
        with suppress(SceneError):
            self._left_at = self.camera(client) if len(self._tabs) == 1 else None
        self._tabs.pop(client.client_id, None)
        self.loop.forget(client.client_id)

    def _look_through(self, client: viser.ClientHandle | None) -> None:
        tab = self._tab_of(client)
        if tab is not None:
            tab.stand(self.document.scene.camera, self._window(tab))

    def _look_all(self) -> None:
        """All tabs look through the scene's camera."""
        for tab in list(self._tabs.values()):
            tab.stand(self.document.scene.camera, self._window(tab))

    def _request(self, tab: Tab) -> None:
        """Draw a tab anew, if it would show something else."""
        if tab.client.client_id not in self._tabs:
            return
        with tab.request_turn, suppress(SceneError):  # a camera that can't be, on its way to one that can
            camera = tab.camera(self._window(tab))
            tab.status.warn(blindness(self.document.scene, camera))
            try:
                view = tab.view(self.document.scene, camera, self.settings, self.weights.fixed_side)
            except SceneError as error:  # of a map whose file is gone
                tab.status.fail(str(error))
                self.loop.forget(tab.client.client_id)  # so that the last view is drawn, and tells, if it comes again
            else:
                self.loop.request(tab.client.client_id, view)

    def _changed(self, state: State) -> None:
        """The document is another."""
        for tab in list(self._tabs.values()):
            with suppress(SceneError):  # as in `_request`
                tab.take_projection(state.scene.camera, self._window(tab))
            self._request(tab)
            tab.status.refresh()
        for part in (self._objects, self._camera, self._sky, self._sun, self._file, self._gizmo, self._sizes):
            part.refresh(state)

    def _set(self, settings: Settings) -> None:
        """Pictures are to be made, or shown, otherwise."""
        self.settings = settings
        for tab in list(self._tabs.values()):
            self._request(tab)
            if tab.frame is not None:
                self._show(tab.client.client_id, tab.frame)

    def _show(self, key: Any, frame: Frame) -> None:
        tab = self._tabs.get(key)
        if tab is not None:
            tab.show(frame, self.settings, self.weights.fixed_side)

    def _complain(self, key: Any, message: str) -> None:
        tab = self._tabs.get(key)
        if tab is not None:
            tab.status.fail(message)

    def _save_picture(self, client: viser.ClientHandle | None, ending: str) -> None:
        """Save what a tab shows, beside the scene. Raises InputError while it is not shown in its size."""
        tab = self._tab_of(client)
        if tab is None or tab.frame is None or not tab.frame.is_whole:
            raise InputError("the picture has not its size yet; wait a moment, and save it then")
        path, found = self.document.path.with_suffix(ending), tab.frame
        what = saved(path, found, self.settings.look)
        self.notices.inform(client, f"Saved {path.resolve()}: {what}, {found.spp} paths a pixel")

    def _watch_weights(self) -> None:
        """Take a run's newer weights as they come; tell, once, what is wrong with them."""
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
                    self.notices.complain(None, told)
