"""What a data set is made of: the settings that made it and its shards, in `manifest.json`."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NotRequired, cast

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from luxel import InputError
from luxel.configuration import cut, printable
from luxel.data.split import Split
from luxel.files.atomic import checksum, write_atomically
from luxel.files.typed_json import read_json, validated

NAME = "manifest.json"
VIDEOS = "videos.json"
"""What a folder of videos has in its place (`luxel.videos`)."""
SCHEMA_VERSION = 1
REMEDY = "generate again with the same settings"
REPLACE = f"delete the shard, and {REMEDY}"
ANEW = "delete the data set, and generate it again"

Setting = str | int | float

FORMER = ("token_layout",)
"""Settings of folders from when shards held the image model's tokens: they say nothing of scenes and images."""


class DataError(InputError):
    """A data set that can't be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class ShardEntry:
    """One shard: `objects` is the most that one of its scenes has, `sha256` that of the whole file."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*\.safetensors$")]
    """In the manifest's folder, never elsewhere."""
    split: Split
    scenes: Annotated[int, Field(ge=1)]
    objects: Annotated[int, Field(ge=0)]
    sha256: str


@with_config(ConfigDict(extra="allow"))
class Settings(TypedDict):
    """What every manifest says of its data set; its distribution has settings of its own."""

    distribution: str
    count: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    spp: Annotated[int, Field(ge=1)]
    test_share: Annotated[float, Field(ge=0, le=1)]
    val_share: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    """0 unless it is there."""


class ManifestFile(TypedDict):
    """The file's layout."""

    schema_version: Literal[1]
    settings: Settings
    shards: tuple[ShardEntry, ...]
    finished: NotRequired[tuple[Split, ...]]


@dataclass(frozen=True)
class Manifest:
    """Settings and the shards written so far, sorted by file name."""

    settings: Mapping[str, Setting]
    shards: tuple[ShardEntry, ...] = ()
    finished: tuple[Split, ...] = ()
    """Splits that are whole while the other may not be."""

    @property
    def scenes(self) -> int:
        """How many scenes there are, so far, in all splits."""
        return sum(shard.scenes for shard in self.shards)

    @property
    def is_complete(self) -> bool:
        """Whether all scenes that the settings ask for are there."""
        return self.scenes == self.settings["count"]

    def has_all_of(self, split: Split) -> bool:
        """Whether all scenes of the split are there."""
        return self.is_complete or split in self.finished

    def of(self, split: Split) -> tuple[ShardEntry, ...]:
        """The shards of one split."""
        return tuple(shard for shard in self.shards if shard.split == split)

    def content_hash(self, split: Split) -> str:
        """SHA-256 over the checksums of a split's shards: what a reported figure was measured on."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.of(split)).encode()).hexdigest()

    def including(self, shard: ShardEntry) -> "Manifest":
        """The manifest with one more shard."""
        return replace(self, shards=tuple(sorted((*self.shards, shard), key=lambda entry: entry.file)))

    def save(self, root: Path) -> None:
        """Write `manifest.json` into the folder, atomically."""
        data = {"schema_version": SCHEMA_VERSION} | asdict(self)
        if self.is_complete or not self.finished:
            del data["finished"]
        write_atomically(root / NAME, json.dumps(data, indent=1).encode() + b"\n")

    @staticmethod
    def load(root: Path) -> "Manifest":
        """Read a folder's manifest; raises DataError if there is none or it can't be understood."""
        path = root / NAME
        if (root / VIDEOS).exists():
            raise DataError(
                f"{root}: holds videos, whose labels lie beside them in labels/; this is for single pictures"
            )
        if not path.exists():
            raise DataError(f"{root}: not a data set, {NAME} is missing; name a folder that `luxel generate` has made")
        try:
            written = read_json(path)
            data: ManifestFile = validated(written, ManifestFile, str(path))
            validated(written["settings"], dict[str, Setting], f"{path}: settings")
        except InputError as error:
            raise DataError(f"{error}; {ANEW}") from None
        files = Counter(shard.file for shard in data["shards"])
        if twice := [file for file, count in files.items() if count > 1]:
            raise DataError(f"{path}: lists {twice[0]} twice; {ANEW}")
        settings = cast(Mapping[str, Setting], data["settings"])
        known = {name: settings[name] for name in written["settings"] if name not in FORMER}
        return Manifest(known, data["shards"], data.get("finished", ()))

    def verify(self, root: Path, split: Split) -> None:
        """Read a split's shards whole; raises DataError that names the first which is missing or changed."""
        for shard in self.of(split):
            path = root / shard.file
            if not path.is_file():
                raise DataError(f"{path}: the shard is missing; {REMEDY}")
            if checksum(path) != shard.sha256:
                raise DataError(
                    f"{path}: the shard is damaged, its SHA-256 is not the manifest's; {REMEDY} to replace it"
                )


def differences(there: Mapping[str, Setting], asked: Mapping[str, Setting]) -> list[str]:
    """One line for every setting that differs, with both values."""
    names = [*there, *(name for name in asked if name not in there)]
    return [
        f"{name}: the folder has {on_one_line(there.get(name, 'no such setting'))}, asked for is "
        f"{on_one_line(asked.get(name, 'none'))}"
        for name in names
        if there.get(name) != asked.get(name)
    ]


def on_one_line(setting: Setting) -> str:
    """A setting as a message shows it, whatever somebody else's manifest says."""
    return cut(printable(str(setting)))
