"""Samples as loose files, which the layouts of COCO and of CLEVR share.

    images/SPLIT/NAME.png   radiance/SPLIT/NAME.exr   arrays/SPLIT/NAME.npz   labels/SPLIT/NAME.json

From the last the layouts' own files are put together.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from luxel.data.dataset import ShardDataset
from luxel.data.export.sample import Document, Sample
from luxel.data.split import Split
from luxel.files.atomic import replacing, write_atomically, writing
from luxel.files.typed_json import parse_json, reading
from luxel.progress import ProgressBar

FOLDERS = {".png": "images", ".exr": "radiance", ".npz": "arrays", ".json": "labels"}
REMEDY = "delete it, and export again"


def write_samples(root: Path, dataset: ShardDataset, names: Sequence[str], exposure: float, bar: ProgressBar) -> None:
    """Write the samples of a split that are not there; their names are those of the files."""
    with writing(root):
        for folder in FOLDERS.values():
            (root / folder / dataset.split).mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        if not all((root / file_of(dataset.split, name, suffix)).is_file() for suffix in FOLDERS):
            sample = Sample.of(dataset, index)
            for suffix, content in sample.files(exposure):
                write_atomically(root / file_of(dataset.split, name, suffix), content)
        bar.update()


def file_of(split: Split, name: str, suffix: str) -> str:
    """Where a sample's file of this suffix is, in the export's folder."""
    return f"{FOLDERS[suffix]}/{split}/{name}{suffix}"


def documents(root: Path, split: Split, names: Iterable[str]) -> Iterator[Document]:
    """The samples' documents, read one at a time. Raises InputError for one that is damaged."""
    for name in names:
        path = root / file_of(split, name, ".json")
        with reading(path, REMEDY):
            content = path.read_bytes()
        yield cast(Document, parse_json(content, dict[str, Any], str(path), REMEDY))


def write_lists(path: Path, head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> None:
    """Write a JSON object of `head` and of lists too long for the memory: their items are written as they come."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, allow_nan=False)[:-1])
        for name, items in lists.items():
            file.write(f",\n{json.dumps(name)}: [")
            for number, item in enumerate(items):
                file.write(("\n" if number == 0 else ",\n") + json.dumps(item, allow_nan=False))
            file.write("]")
        file.write("}\n")
