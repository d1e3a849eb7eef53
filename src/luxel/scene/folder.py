"""A folder of scenes, as a distribution: to trace, to be tested on, to learn from."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from luxel import InputError
from luxel.scene import binary
from luxel.scene.description import Scene, scene_id
from luxel.scene.registry import Distribution

AUTOSAVED = ".autosave"
"""At the end of a file's name, before its ending: what `luxel view` keeps of changes that are not saved."""
ENDINGS = (".json", binary.SUFFIX)
NO_SCENES = f"has no scenes, which are files that end in {' or '.join(ENDINGS)}"
PREFIX = "scenes:"
"""What `--data scenes:DIR` begins with."""


@dataclass(frozen=True)
class SceneFolder(Distribution):
    """The scenes of a folder, in JSON or binary, in the order of their file names; the same scene twice counts once.

    Raises InputError for a folder without any, and SceneError for a file that is no scene.
    """

    folder: str = field(compare=False)
    content: str = field(init=False)
    """SHA-256 over the scenes' ids."""

    name: ClassVar[str] = "scenes"

    def __post_init__(self) -> None:
        if not Path(self.folder).is_dir():
            raise InputError(f"{self.folder}: is no folder; {PREFIX}DIR is one of scenes")
        if not self.files:
            raise InputError(f"{self.folder}: {NO_SCENES}")
        ids = "".join(identity for identity, _ in self.files)
        object.__setattr__(self, "content", hashlib.sha256(ids.encode()).hexdigest())
        super().__post_init__()

    @cached_property
    def files(self) -> tuple[tuple[str, Path], ...]:
        """Each scene's id and file."""
        found: dict[str, Path] = {}
        for path in sorted(scene_files(Path(self.folder))):
            found.setdefault(scene_id(Scene.load(path)), path)
        return tuple(found.items())

    def __len__(self) -> int:
        return len(self.files)

    def __call__(self, seed: int, index: int) -> Scene:
        """Scene number `index`, whatever the seed.

        Raises InputError for a number that there is not, or if the file has changed.
        """
        if not 0 <= index < len(self):
            raise InputError(f"{self.folder}: has {len(self)} scenes; asked for is number {index}")
        expected, path = self.files[index]
        scene = Scene.load(path)
        if scene_id(scene) != expected:
            raise InputError(f"{path}: has changed since the folder was read; repeat the command")
        return scene


def scene_files(folder: Path) -> list[Path]:
    """The files in a folder that are scenes by their names; neither hidden ones nor what a viewer keeps unsaved."""
    return [
        path
        for path in folder.iterdir()
        if path.suffix in ENDINGS and not path.name.startswith(".") and not path.stem.endswith(AUTOSAVED)
    ]
