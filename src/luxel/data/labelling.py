"""Labels beside a data set's pictures: labels/SPLIT-00000.tar holds those of SPLIT-00000.safetensors, scene by scene.

They follow from the scenes alone. So they are no part of the shards: training reads none of their bytes, checksums and
the test set's hash stay as they are, and a data set that is there already gets them without a path being traced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from luxel import InputError, __version__
from luxel.cluster import Cluster, Task
from luxel.data.annotations import annotate
from luxel.data.folder_identity import FolderIdentity
from luxel.data.label_files import LabelChoice, key_of
from luxel.data.label_tars import FOLDER, add_labels, label_file
from luxel.data.manifest import Manifest
from luxel.data.shards import ShardReader
from luxel.data.split import SPLITS
from luxel.data.tars import new_tar
from luxel.files.atomic import only_one, writing
from luxel.progress import ProgressBar

NAME = "labels.json"
"""The file in labels/ that says which are there."""


@dataclass(frozen=True)
class _Plan:
    """One tar to be."""

    shard: Path
    scenes: int
    first: int
    """The number of its first scene in the split."""
    width: int
    height: int


def identity_of(choice: LabelChoice) -> FolderIdentity:
    """What decides every byte of labels/, beside the data set that it is in."""
    return FolderIdentity(NAME, "a set of labels", {"labels": " ".join(choice.chosen), "luxel": __version__})


def check_labels(data: str | Path, choice: LabelChoice) -> None:
    """Raise InputError if the data set has other labels already. For before long work."""
    if choice.chosen:
        identity_of(choice).check(Path(data) / FOLDER)


def write_labels(data: str | Path, choice: LabelChoice, progress: bool = True, cluster: Cluster | None = None) -> None:
    """Label the data set in the folder `data`, shard by shard, or complete what is there.

    The call may be ended at any moment; the same call again goes on, and the bytes are the same. Raises InputError if
    nothing is chosen, or the folder has other labels; DataError for a data set that cannot be used.
    """
    root = Path(data)
    if not choice.chosen:
        raise InputError(f"no labels are chosen; choose some of {', '.join(LabelChoice.__dataclass_fields__)}")
    if not _due(root, choice):  # which takes no lock, so that several may find it out, of a folder to read from, too
        return
    with only_one(root):
        due = _due(root, choice)  # again: until now others may have written
        if not due:
            return
        with writing(root):
            (root / FOLDER).mkdir(exist_ok=True)
        identity_of(choice).save(root / FOLDER)
        total = Manifest.load(root).scenes
        there = total - sum(plan.scenes for plan in due)
        with ProgressBar(
            desc="labelling", total=total, initial=there, unit="image", disable=not progress, smoothing=0.1
        ) as bar:
            if cluster is None:
                for plan in due:
                    _write(plan, choice, bar)
            else:
                _write_on(cluster, due, choice, bar)


def _due(root: Path, choice: LabelChoice) -> list[_Plan]:
    """The tars that are not there yet. Raises InputError if the folder has other labels."""
    manifest = Manifest.load(root)
    identity_of(choice).check(root / FOLDER)
    return [plan for plan in _plans(root, manifest) if not label_file(plan.shard).is_file()]


def _plans(root: Path, manifest: Manifest) -> Iterator[_Plan]:
    size = int(manifest.settings["width"]), int(manifest.settings["height"])
    for split in SPLITS:
        shards = manifest.of(split)
        for shard, end in zip(shards, accumulate(shard.scenes for shard in shards), strict=True):
            yield _Plan(root / shard.file, shard.scenes, end - shard.scenes, *size)


def _write(plan: _Plan, choice: LabelChoice, bar: ProgressBar) -> None:
    """Write a shard's labels, whole or not at all."""
    reader = ShardReader(plan.shard)
    reader.check(plan.scenes, plan.height, plan.width)
    with new_tar(label_file(plan.shard)) as tar:
        for row in range(plan.scenes):
            scene = reader.scene(row)
            labels = annotate(scene, plan.width, plan.height)
            add_labels(tar, key_of(plan.first + row), scene, labels, choice)
            bar.update()


def _write_on(cluster: Cluster, plans: Sequence[_Plan], choice: LabelChoice, bar: ProgressBar) -> None:
    """Write them by a cluster's tasks."""
    tasks: list[Task] = [cluster.submit(_write_one, plan, choice) for plan in plans]
    try:
        while tasks:
            for task in cluster.ended(tasks):
                tasks.remove(task)
                bar.update(cluster.result(task))
    finally:
        cluster.stop(tasks)


def _write_one(plan: _Plan, choice: LabelChoice) -> int:
    """A task: a shard's labels; of how many scenes."""
    with ProgressBar(disable=True) as bar:
        _write(plan, choice, bar)
    return plan.scenes
