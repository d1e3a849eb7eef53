"""Whether a folder holds the files that a command is to write, by a JSON file of all that decides them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from luxel import InputError
from luxel.data.manifest import Setting, differences
from luxel.files.atomic import LOCK, write_atomically
from luxel.files.partial import PARTIAL
from luxel.files.typed_json import read_json


@dataclass(frozen=True)
class FolderIdentity:
    """What decides every byte in a folder."""

    name: str
    """The file that says so."""
    what: str
    """What messages call the folder's content: "an export"."""
    settings: Mapping[str, Setting]

    def check(self, root: Path) -> None:
        """Raise InputError if the folder holds another of its kind, or anything else."""
        kind = self.what.partition(" ")[2]
        if (root / self.name).is_file():
            there = read_json(root / self.name, dict[str, Setting], "delete the folder, and repeat the command")
            if different := differences(there, self.settings):
                head = f"{root}: holds another {kind}; choose another --out, or delete it"
                raise InputError("\n".join([head, *different]))
        elif root.is_dir() and {path.name for path in root.iterdir()} - {LOCK, self.name + PARTIAL}:
            raise InputError(f"{root}: neither empty nor {self.what}, {self.name} is missing; choose another --out")

    def save(self, root: Path) -> None:
        """Write the file if it is not there."""
        if not (root / self.name).is_file():
            write_atomically(root / self.name, json.dumps(self.settings, indent=1).encode() + b"\n")
