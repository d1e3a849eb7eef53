"""Exporting a data set: the layout's files, resumable at any moment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from tqdm import tqdm

from luxel import InputError, __version__
from luxel.configuration import Configuration
from luxel.data.dataset import ShardDataset
from luxel.data.export import clevr_scenes, coco, webdataset
from luxel.data.manifest import Manifest, Setting, differences
from luxel.data.split import SPLITS, Split
from luxel.files.atomic import LOCK, PARTIAL, check_folder, only_one, write_atomically
from luxel.files.typed_json import read_json
from luxel.image.formats import Stops

NAME = "export.json"
"""The file that says what is exported, and from what."""

Layout: TypeAlias = Literal["webdataset", "coco", "clevr"]


@dataclass(frozen=True)
class ExportSettings(Configuration):
    """What decides every byte, beside the data set."""

    layout: Layout
    """webdataset: tars. coco: images and annotations_SPLIT.json. clevr: images and scenes in words."""
    split: Literal["train", "test", "all"] = "all"
    exposure: Stops = 0.0
    """Of the .png pictures, in stops: 1 doubles radiance before it is clipped."""
    samples_per_tar: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Of webdataset; what is interrupted within one begins it again."""

    def flat(self, data: Mapping[str, Setting]) -> dict[str, Setting]:
        """Everything that another folder of the same files would share, by name; `data` is the data set's."""
        per_tar = {"samples_per_tar": self.samples_per_tar} if self.layout == "webdataset" else {}
        return {"layout": self.layout, "exposure": self.exposure, **per_tar, "luxel": __version__, **data}


def export(data: str | Path, out: str | Path, settings: ExportSettings, progress: bool = True) -> int:
    """Write the data set in the folder `data` to the folder `out`, or what is missing of it; how many samples it has.

    The call may be ended at any moment; the same call again goes on, and the folder ends up with the same bytes. One
    split may be added to another. Raises DataError for a data set that cannot be used, InputError for a folder of
    something else, and for scenes that the layout has no words for.
    """
    root = Path(out)
    check_folder(root)
    check_folder(Path(data))
    manifest = Manifest.load(Path(data))
    datasets = [ShardDataset(data, split) for split in chosen_splits(manifest, settings.split)]
    identity = settings.flat(manifest.settings)
    check_identity(root, identity)
    if settings.layout == "clevr":
        for dataset in datasets:
            clevr_scenes.check(dataset)
    total = sum(map(len, datasets))
    with only_one(root):
        if not (root / NAME).is_file():
            write_atomically(root / NAME, json.dumps(identity, indent=1).encode() + b"\n")
        with tqdm(desc="exporting", total=total, unit="image", disable=not progress, smoothing=0.1) as bar:
            for dataset in datasets:
                write_split(root, dataset, settings, bar)
    return total


def chosen_splits(manifest: Manifest, split: Literal["train", "test", "all"]) -> list[Split]:
    """The splits to export: of all, those that the finished data set has."""
    if split != "all":
        return [split]
    return [name for name in SPLITS if manifest.of(name) or not manifest.is_complete]


def check_identity(root: Path, identity: Mapping[str, Setting]) -> None:
    """Raise InputError if the folder holds another export, or anything else."""
    if (root / NAME).is_file():
        there = read_json(root / NAME, dict[str, Setting], "delete the folder, and export again")
        if different := differences(there, identity):
            head = f"{root}: holds another export; choose another --out, or delete it"
            raise InputError("\n".join([head, *different]))
    elif root.is_dir() and {path.name for path in root.iterdir()} - {LOCK, NAME + PARTIAL}:
        raise InputError(f"{root}: neither empty nor an export, {NAME} is missing; choose another --out")


def write_split(root: Path, dataset: ShardDataset, settings: ExportSettings, bar: "tqdm[None]") -> None:
    """Write a split in the layout."""
    if settings.layout == "webdataset":
        webdataset.write_split(root, dataset, settings.exposure, settings.samples_per_tar, bar)
    elif settings.layout == "coco":
        coco.write_split(root, dataset, settings.exposure, bar)
    else:
        clevr_scenes.write_split(root, dataset, settings.exposure, bar)
