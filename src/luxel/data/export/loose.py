"""Samples as loose files, which the layouts of COCO and of CLEVR share.

    images/SPLIT/NAME.png   radiance/SPLIT/NAME.exr   arrays/SPLIT/NAME.npz   labels/SPLIT/NAME.json

The last is written last: where it is, the sample is whole. From it the layouts' own files are put together.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from tqdm import tqdm

from luxel.data.dataset import ShardDataset
from luxel.data.export.sample import Document, Sample, to_json
from luxel.data.split import Split
from luxel.files.atomic import replacing, write_atomically, writing
from luxel.files.typed_json import parse_json, reading

PICTURES, RADIANCE, ARRAYS, LABELS = "images", "radiance", "arrays", "labels"
REMEDY = "delete it, and export again"


def write_samples(root: Path, dataset: ShardDataset, names: Sequence[str], exposure: float, bar: "tqdm[None]") -> None:
    """Write the samples of a split that are not there; their names are those of the files."""
    with writing(root):
        for folder in (PICTURES, RADIANCE, ARRAYS, LABELS):
            (root / folder / dataset.split).mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        if not labels_file(root, dataset.split, name).is_file():
            write_sample(root, Sample.of(dataset, index), name, exposure)
        bar.update()


def write_sample(root: Path, sample: Sample, name: str, exposure: float) -> None:
    """Write the four files of a sample."""
    write_atomically(root / PICTURES / sample.split / f"{name}.png", sample.png(exposure))
    write_atomically(root / RADIANCE / sample.split / f"{name}.exr", sample.exr())
    write_atomically(root / ARRAYS / sample.split / f"{name}.npz", sample.npz())
    write_atomically(labels_file(root, sample.split, name), to_json(sample.document()))


def labels_file(root: Path, split: Split, name: str) -> Path:
    """Where a sample's document is."""
    return root / LABELS / split / f"{name}.json"


def documents(root: Path, split: Split, names: Iterable[str]) -> Iterator[Document]:
    """The samples' documents, read one at a time. Raises InputError for one that is damaged."""
    for name in names:
        path = labels_file(root, split, name)
        with reading(path, REMEDY):
            content = path.read_bytes()
        yield cast(Document, parse_json(content, dict[str, Any], str(path), REMEDY))


def write_lists(path: Path, head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> None:
    """Write a JSON object of `head` and of lists too long for the memory: their items are written as they come."""
    with replacing(path) as partial, partial.open("x", encoding="utf-8") as file:
        file.write(json.dumps(head, allow_nan=False)[:-1])
        for name, items in lists.items():
            file.write(f",\n{json.dumps(name)}: [")
            for number, item in enumerate(items):
                file.write(("\n" if number == 0 else ",\n") + json.dumps(item, allow_nan=False))
            file.write("]")
        file.write("}\n")
