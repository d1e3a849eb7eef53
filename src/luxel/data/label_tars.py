"""Reading the labels of pictures: of a data set's shards, beside them, and of videos, frame by frame."""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, cast, overload

import numpy as np

from luxel.data.annotations import Annotations
from luxel.data.label_files import LabelChoice, PictureDocument, arrays_of, document_of, json_of, npz_of
from luxel.data.manifest import REMEDY, DataError
from luxel.data.tars import add, places_in
from luxel.files.typed_json import parse_json
from luxel.scene.description import Scene

FOLDER = "labels"
"""Of a data set."""
OPTIONS = ", ".join(f"--{field.name}" for field in fields(LabelChoice))
DELETE = f"delete the file, and {REMEDY}"


@dataclass(frozen=True)
class Labels:
    """The labels of one picture, those that were chosen."""

    arrays: dict[str, np.ndarray]
    """Of these, as `Annotations` describes them:

    | visible, amodal | uint8   | [objects, height, width], 255 for a whole pixel |
    | depth           | float32 | [height, width]                                 |
    | normal, albedo  | float32 | [height, width, 3]                              |
    | object_number   | int32   | [height, width]                                 |
    | flow            | float32 | [height, width, 2], but of a last frame         |
    """
    document: PictureDocument


def label_file(shard: Path) -> Path:
    """Where a shard's labels are."""
    return shard.parent / FOLDER / f"{shard.stem}.tar"


def add_labels(
    tar: tarfile.TarFile, key: str, scene: Scene, labels: Annotations, choice: LabelChoice, **more: Any
) -> None:
    """Append what is chosen of a picture's labels, as KEY.npz and KEY.json, which begins with `key` and `more`."""
    if arrays := arrays_of(labels, choice):
        add(tar, f"{key}.npz", npz_of(arrays))
    add(tar, f"{key}.json", json_of({"key": key, **more, **document_of(scene, labels, choice)}))


class LabelTar(Sequence[Labels]):
    """The pictures' labels of one tar, in order: of a shard, or of a video, frame by frame. Read when asked for."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        if not self.path.is_file():
            raise DataError(f"{self.path}: the labels are missing; {REMEDY} and some of {OPTIONS}")
        return places_in(self.path)

    @cached_property
    def _keys(self) -> list[str]:
        return [name.removesuffix(".json") for name in self._places if name.endswith(".json")]

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Labels: ...
    @overload
    def __getitem__(self, index: slice) -> list[Labels]: ...
    def __getitem__(self, index: int | slice) -> Labels | list[Labels]:
        """Those of a picture. Raises DataError for what is damaged."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        key = self._keys[index]
        document = parse_json(self._content(f"{key}.json"), dict[str, Any], f"{self.path}: {key}.json", DELETE)
        return Labels(self._arrays(f"{key}.npz"), cast(PictureDocument, document))

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        if name not in self._places:
            return {}
        try:
            with np.load(io.BytesIO(self._content(name)), allow_pickle=False) as file:
                return dict(file)
        except Exception as error:  # zipfile, zlib and NumPy have their own
            raise DataError(f"{self.path}: {name} is damaged: {error}; {DELETE}") from None

    def _content(self, name: str) -> bytes:
        start, size = self._places[name]
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(size)
