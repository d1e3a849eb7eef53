"""The panel of files: open a scene, save it, save its picture."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import viser

from luxel import InputError
from luxel.scene.description import Scene
from luxel.viewer.document import Document, State, same_file
from luxel.viewer.files import Files, free
from luxel.viewer.notices import Notices
from luxel.viewer.panels.fields import Fields

ENDINGS = (".json", ".safetensors")

PICTURES = (
    ("Save what is seen, PNG", ".png", "This tab's picture as it is shown: compared, split and tone-mapped"),
    ("Save radiance, EXR", ".exr", "This tab's picture, blended, in linear radiance, whatever it is compared with"),
)


class SavePicture(Protocol):
    """Saves a tab's picture with an ending, .png or .exr."""

    def __call__(self, client: viser.ClientHandle | None, ending: str) -> object: ...


class FilePanel:
    """Inputs for files; `opened` is called once another scene is."""

    def __init__(
        self,
        gui: viser.GuiApi,
        document: Document,
        notices: Notices,
        files: Files,
        save_picture: SavePicture,
        opened: Callable[[], object],
    ) -> None:
        self._document, self._inform, self._files, self._opened = document, notices.inform, files, opened
        self._shown = files.shown(document.path)
        self._fields = Fields(document, notices.complain)
        hint = f"From {files.home.resolve()} on: the scene's, and that of its pictures"
        self._name: Any = gui.add_text("File", self._shown, hint=hint)
        self._fields.button(gui.add_button("Save scene", icon=viser.Icon.DEVICE_FLOPPY), self.save)
        self._fields.button(gui.add_button("Open this file", icon=viser.Icon.FOLDER_OPEN), self.open)
        upload = gui.add_upload_button("Upload a scene …", icon=viser.Icon.UPLOAD, mime_type="application/json")
        self._fields.upload(upload, self.take)
        for label, ending, hint in PICTURES:
            button = gui.add_button(label, icon=viser.Icon.PHOTO, hint=hint)
            self._fields.button(button, partial(save_picture, ending=ending))

    def refresh(self, _: State) -> None:
        """Show the document's file, if it is another one; else what was typed in stays."""
        shown = self._files.shown(self._document.path)
        if shown != self._shown:
            self._shown = self._name.value = shown

    def save(self, client: viser.ClientHandle | None) -> None:
        """Save the scene under the name that stands there. Raises InputError rather than replace another scene."""
        path = self._named()
        if not same_file(path, self._document.path) and path.exists():
            raise InputError(f"{self._name.value} is there already, and is another scene; choose another name")
        self._document.save(path)
        self._inform(client, f"Saved {path.resolve()}")

    def open(self, client: viser.ClientHandle | None) -> None:
        """Show the scene of the file that is named there. Raises InputError for none."""
        path = self._named()
        self._replace(client, Scene.load(path), path)

    def take(self, client: viser.ClientHandle | None, name: str, content: bytes) -> None:
        """Show a scene that a browser sent, saved under a name that no other one has. Raises InputError for none.

        A map's file is looked for from the folder of the first scene on, as browsers keep secret what folder it was.
        """
        path = self._files.uploaded(name, ENDINGS[:1])
        scene = Scene.from_json(content, name, self._files.home)
        if not holds(path, scene):
            path = free(path)
            scene.save(path)
        self._replace(client, scene, path)

    def _replace(self, client: viser.ClientHandle | None, scene: Scene, path: Path) -> None:
        before, was_saved = self._document.path, self._document.is_saved
        self._document.replace(scene, path)
        self._opened()
        if not was_saved and not same_file(path, before):
            name = self._files.shown(before)
            self._inform(client, f"{name}: what was not saved is kept, and comes back when it is opened")

    def _named(self) -> Path:
        return self._files.named(self._name.value, ENDINGS)


def holds(path: Path, scene: Scene) -> bool:
    """Whether the file is this scene's."""
    try:
        return Scene.load(path) == scene
    except InputError:
        return False
