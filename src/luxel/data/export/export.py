"""Exporting a data set: the layout's files, resumable at any moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from luxel import __version__
from luxel.configuration import Configuration
from luxel.data.dataset import ShardDataset
from luxel.data.export import clevr_scenes, coco, webdataset
from luxel.data.folder_identity import FolderIdentity
from luxel.data.manifest import Manifest, Setting
from luxel.data.split import SPLITS, Split
from luxel.files.atomic import check_folder, only_one
from luxel.image.formats import Stops
from luxel.progress import ProgressBar

NAME = "export.json"
"""The file that says what is exported, and from what."""

Layout: TypeAlias = Literal["webdataset", "coco", "clevr"]


@dataclass(frozen=True)
class ExportSettings(Configuration):
    """What decides every byte, beside the data set."""

    layout: Layout
    """webdataset: tars. coco: images and annotations_SPLIT.json. clevr: images and scenes in words."""
    split: Literal["train", "val", "test", "all"] = "all"
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
    identity = FolderIdentity(NAME, "an export", settings.flat(manifest.settings))
    identity.check(root)
    if settings.layout == "clevr":
        for dataset in datasets:
            clevr_scenes.check(dataset)
    total = sum(map(len, datasets))
    with only_one(root):
        identity.save(root)
        with ProgressBar(desc="exporting", total=total, unit="image", disable=not progress, smoothing=0.1) as bar:
            for dataset in datasets:
                write_split(root, dataset, settings, bar)
    return total


def chosen_splits(manifest: Manifest, split: Literal["train", "val", "test", "all"]) -> list[Split]:
    """The splits to export: of all, those that the finished data set has."""
    if split != "all":
        return [split]
    return [name for name in SPLITS if manifest.of(name) or not manifest.is_complete]


def write_split(root: Path, dataset: ShardDataset, settings: ExportSettings, bar: ProgressBar) -> None:
    """Write a split in the layout."""
    if settings.layout == "webdataset":
        webdataset.write_split(root, dataset, settings.exposure, settings.samples_per_tar, bar)
    elif settings.layout == "coco":
        coco.write_split(root, dataset, settings.exposure, bar)
    else:
        clevr_scenes.write_split(root, dataset, settings.exposure, bar)
