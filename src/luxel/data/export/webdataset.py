"""WebDataset's layout: tars of samples, whose files share a stem (https://github.com/webdataset/webdataset).

SPLIT-000000.tar holds KEY.png, KEY.exr, KEY.npz and KEY.json of so many samples; the bytes depend on these alone.
"""

from collections.abc import Iterable
from pathlib import Path

from luxel.data.dataset import ShardDataset
from luxel.data.export.sample import Sample
from luxel.data.split import Split
from luxel.data.tars import add, new_tar
from luxel.progress import ProgressBar


def tar_file(split: Split, number: int) -> str:
    """The file name of a split's tar."""
    return f"{split}-{number:06d}.tar"


def write_split(root: Path, dataset: ShardDataset, exposure: float, samples_per_tar: int, bar: ProgressBar) -> None:
    """Write the tars of a split that are not there."""
    for number, start in enumerate(range(0, len(dataset), samples_per_tar)):
        indices = range(start, min(start + samples_per_tar, len(dataset)))
        path = root / tar_file(dataset.split, number)
        if path.is_file():
            bar.update(len(indices))
        else:
            write_tar(path, (Sample.of(dataset, index) for index in indices), exposure, bar)


def write_tar(path: Path, samples: Iterable[Sample], exposure: float, bar: ProgressBar) -> None:
    """Write samples, one after another, into a tar that is whole or not there."""
    with new_tar(path) as tar:
        for sample in samples:
            for suffix, content in sample.files(exposure):
                add(tar, sample.key + suffix, content)
            bar.update()
