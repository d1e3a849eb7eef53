"""COCO's layout of instance segmentation (https://cocodataset.org/#format-data): annotations_SPLIT.json beside images.

An annotation for every object that covers more than half of a pixel, ground and lamps included. Numbers begin at 1.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luxel import __version__
from luxel.data.dataset import ShardDataset
from luxel.data.export.loose import documents, file_of, write_lists, write_samples
from luxel.data.export.sample import Document
from luxel.data.label_files import key_of
from luxel.data.split import Split
from luxel.progress import ProgressBar

CATEGORIES = {
    shape: number for number, shape in enumerate(("sphere", "ellipsoid", "box", "cylinder", "panel", "plane"), 1)
}
"""By shape."""
EXTRA = ("whole_box", "box_center", "box_half_extents", "box_rotation", "box_corners")
"""Of an object's labels, those that COCO has no name for."""


def annotations_file(split: Split) -> str:
    """The file name of a split's annotations."""
    return f"annotations_{split}.json"


def write_split(root: Path, dataset: ShardDataset, exposure: float, bar: ProgressBar) -> None:
    """Write what is not there of a split."""
    split, names = dataset.split, [key_of(index) for index in range(len(dataset))]
    write_samples(root, dataset, names, exposure, bar)
    if (path := root / annotations_file(split)).is_file():
        return
    categories = [{"id": number, "name": shape, "supercategory": "shape"} for shape, number in CATEGORIES.items()]
    head = {"info": {"description": f"{split} split, by Luxel {__version__}"}, "licenses": [], "categories": categories}
    images = (image(document) for document in documents(root, split, names))
    write_lists(path, head, {"images": images, "annotations": annotations(documents(root, split, names))})


def image(document: Document) -> dict[str, Any]:
    """The entry of a picture, with its camera."""
    return {
        "id": document["index"] + 1,
        "file_name": file_of(document["split"], document["key"], ".png"),
        "width": document["width"],
        "height": document["height"],
        "scene_id": document["scene_id"],
        "is_orthographic": document["is_orthographic"],
        "intrinsics": document["intrinsics"],
        "camera_from_world": document["camera_from_world"],
    }


def annotations(samples: Iterator[Document]) -> Iterator[dict[str, Any]]:
    """The entries of all visible objects, in order; `bbox` is (x, y, width, height) of `segmentation`'s pixels."""
    number = 0
    for document in samples:
        for object_number, labels in enumerate(document["objects"]):
            if labels["visible_area"] == 0:
                continue
            number += 1
            yield {
                "id": number,
                "image_id": document["index"] + 1,
                "category_id": CATEGORIES[labels["shape"]],
                "segmentation": labels["visible_mask"],
                "bbox": labels["mask_box"],
                "area": labels["visible_area"],
                "iscrowd": 0,
                "object_number": object_number,
                "amodal_segmentation": labels["amodal_mask"],
                **{name: labels[name] for name in EXTRA},  # type: ignore[literal-required]
            }
