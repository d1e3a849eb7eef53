"""The panel of files: open a scene, save it, save its picture; all beside the scene that was opened first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import viser

from luxel import InputError
from luxel.scene.description import Scene
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Fields, Tell

SavePicture = Callable[[viser.ClientHandle | None, str], object]


class FilePanel:
    """Inputs for files; `save_picture` saves what a tab shows with an ending, .png or .exr."""

    def __init__(self, gui: viser.GuiApi, document: Document, tell: Tell, save_picture: SavePicture) -> None:
        self._document, self._tell = document, tell
        self._fields = Fields(document, tell)
        self._name: Any = gui.add_text("File", document.path.name, hint=f"In {document.path.parent.resolve()}")
        self._fields.button(gui.add_button("Save scene", icon=viser.Icon.DEVICE_FLOPPY), self.save)
        upload = gui.add_upload_button("Open scene …", icon=viser.Icon.FOLDER_OPEN, mime_type="application/json")
        self._fields.button(
            gui.add_button("Save PNG", icon=viser.Icon.PHOTO), lambda client: save_picture(client, ".png")
        )
        self._fields.button(
            gui.add_button("Save EXR", icon=viser.Icon.PHOTO), lambda client: save_picture(client, ".exr")
        )

        @upload.on_upload
        async def uploaded(event: Any) -> None:
            try:
                self.open(event.target.value.name, event.target.value.content)
            except InputError as error:
                self._tell(event.client, str(error))

    def refresh(self, _: State) -> None:
        """Show the document's file."""
        if self._name.value != self._document.path.name and self._shown != self._document.path.name:
            self._name.value = self._document.path.name
        self._shown = self._document.path.name

    _shown = ""

    def save(self, client: viser.ClientHandle | None) -> None:
        """Save the scene under the name that stands there."""
        path = self._document.path.parent / checked_name(self._name.value, self._document.path.suffix)
        if path != self._document.path and path.exists():
            raise InputError(f"{path.name} is there already, and is another scene; choose another name")
        self._document.save(path)
        self._tell(client, f"Saved {path.resolve()}")

    def open(self, name: str, content: bytes) -> None:
        """Show a scene that a browser sent, under a name that no other scene has. Raises SceneError for none."""
        scene = Scene.from_json(content, name, self._document.path.parent)
        path = self._document.path.parent / checked_name(Path(name).name)
        self._document.replace(scene, path if holds(path, scene) else free(path))


def checked_name(name: str, suffix: str = ".json") -> str:
    """The name of a scene's file. Raises InputError for a path, and for an ending but .json and this one."""
    if Path(name).name != name or Path(name).suffix not in (".json", suffix):
        raise InputError(f"the file is {name!r}, must be a name that ends in .json, without a folder")
    return name


def holds(path: Path, scene: Scene) -> bool:
    """Whether the file is this scene's."""
    try:
        return Scene.load(path) == scene
    except InputError:
        return False


def free(path: Path) -> Path:
    """The path, or with a number, at which there is no file yet."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
