"""`luxel view`: a scene in the browser, to be looked at and changed."""

import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import tyro
from pydantic import Field

from luxel import InputWarning
from luxel.cli.options import parsed
from luxel.configuration import Configuration

Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]

NEW = Path("scene.json")
"""The scene of a viewer that is given none."""


def view(arguments: list[str]) -> int:
    """Show a scene in the browser, and change it there: luxel view SCENE.json."""
    from luxel.viewer.address import free_port
    from luxel.viewer.app import Viewer
    from luxel.viewer.document import Document
    from luxel.viewer.panels.picture_panel import Settings, Side
    from luxel.viewer.start import new_scene
    from luxel.viewer.weights import Weights

    @dataclass(frozen=True)
    class Options(Configuration):
        scene: tyro.conf.Positional[Path] = NEW
        """A scene in JSON; without one, that of the current folder, or a new one. What is not saved is kept in
        SCENE.autosave.json."""
        model: str = "ray-small"
        """A model that Luxel comes with, a folder of one, or a run folder; of a run that trains, the newest weights."""
        host: str = "127.0.0.1"
        """Address to be reached at; with any but this machine's own, others may see and change the scene."""
        port: Port = 8080
        """The next free one is taken if it is in use."""
        height: Side = 360
        """Of the picture at rest; it is as wide as the window has it, until the page says otherwise."""
        device: str = "cpu"

    options = parsed(Options, "luxel view", arguments)
    document = new_scene(NEW) if options.scene == NEW else Document.open(options.scene)
    weights = Weights(options.model, options.device)
    port = free_port(options.host, options.port)
    warn_of_others(options.host)
    viewer = Viewer(document, weights, options.host, port, Settings(height=options.height))
    if document.can_undo:
        print(f"{document.autosave_path}: changes that were not saved are restored; Undo takes them back")
    print(f"open {viewer.url} in a browser; Ctrl-C ends it", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\nclosing", file=sys.stderr)
    finally:
        viewer.close()
    if not document.is_saved:
        print(f"not saved, but kept: {document.autosave_path}")
    return 0


def warn_of_others(host: str) -> None:
    """Warn, with InputWarning, of an address that other machines may reach."""
    from luxel.viewer.address import is_own

    if not is_own(host):
        warnings.warn(
            f"host is {host}: whoever reaches it can see and change the scene, and write files in its folder",
            InputWarning,
            stacklevel=2,
        )
