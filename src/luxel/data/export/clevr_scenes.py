"""CLEVR's layout (Johnson et al., CVPR 2017): scenes/CLEVR_SPLIT_scenes.json beside images.

Of every scene its objects in words, where they are, and which is left, right, in front and behind of which.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from luxel import __version__
from luxel.data.annotations import camera_from_world, project
from luxel.data.dataset import ShardDataset
from luxel.data.export.loose import documents, write_lists, write_samples
from luxel.data.export.sample import Document
from luxel.data.label_files import key_of
from luxel.data.split import Split
from luxel.files.atomic import writing
from luxel.progress import ProgressBar
from luxel.scene.camera import frame
from luxel.scene.clevr import Thing, Words, things_in_words
from luxel.scene.description import Camera, Object, Scene

RELATIONS = ("left", "right", "front", "behind")
LEVEL = 0.2
"""An object that is no farther than this along a direction, scene units, is not said to be there."""


def write_split(root: Path, dataset: ShardDataset, exposure: float, bar: ProgressBar) -> None:
    """Write what is not there of a split."""
    split = dataset.split
    names = [f"CLEVR_{split}_{key_of(index)}" for index in range(len(dataset))]
    write_samples(root, dataset, names, exposure, bar)
    if (path := root / scenes_file(split)).is_file():
        return
    with writing(path):
        path.parent.mkdir(exist_ok=True)
    samples = zip(documents(root, split, names), names, strict=True)
    scenes = (scene_entry(document, f"{name}.png") for document, name in samples)
    write_lists(path, {"info": {"split": split, "version": __version__}}, {"scenes": scenes})


def check(dataset: ShardDataset) -> None:
    """Raise InputError for a scene that there are no words for."""
    for index in range(len(dataset)):
        things_in_words(dataset.scene(index), f"{dataset.root}: {dataset.split} scene {index}")


def scenes_file(split: Split) -> str:
    """Where a split's scenes are."""
    return f"scenes/CLEVR_{split}_scenes.json"


def scene_entry(document: Document, picture: str) -> dict[str, Any]:
    """The entry of one scene."""
    scene = Scene.model_validate(document["scene"])
    things = things_in_words(scene, picture)
    along = directions(scene.camera)
    return {
        "split": document["split"],
        "image_index": document["index"],
        "image_filename": picture,
        "objects": [object_entry(thing, words, scene.camera, document) for thing, words in things],
        "relationships": relationships(np.array([thing.center for thing, _ in things]), along),
        "directions": {name: direction.tolist() for name, direction in along.items()},
    }


def object_entry(thing: Thing, words: Words, camera: Camera, document: Document) -> dict[str, Any]:
    """An object's words, and where it is."""
    return {**words._asdict(), **place_entry(thing, camera, document["width"], document["height"])}


def place_entry(item: Object, camera: Camera, width: int, height: int) -> dict[str, Any]:
    """An object's centre, in scene units and in pixels with z-depth; its angle about z, in degrees."""
    center = np.array(item.center)
    matrix = camera_from_world(camera)
    x, y = project(camera, center, width, height).tolist()
    w, _, _, z = item.rotation
    return {
        "3d_coords": list(item.center),
        "rotation": round(math.degrees(2 * math.atan2(z, w)) % 360, 6),
        "pixel_coords": [x, y, float(matrix[2, :3] @ center + matrix[2, 3])],
    }


def directions(camera: Camera) -> dict[str, Float64[np.ndarray, "3"]]:
    """What the words for directions mean, in world space: those of the camera, laid on the ground."""
    _, rotation = frame(camera)
    right, front = (_on_the_ground(rotation[:, axis]) for axis in (0, 2))
    above = np.array([0.0, 0.0, 1.0])
    return {"left": -right, "right": right, "front": front, "behind": -front, "above": above, "below": -above}


def relationships(
    centers: Float64[np.ndarray, "things 3"], along: Mapping[str, Float64[np.ndarray, "3"]]
) -> dict[str, list[list[int]]]:
    """For every word and object, the objects that are on that side of it."""
    away = centers[None] - centers[:, None]
    return {name: [np.flatnonzero(row).tolist() for row in away @ along[name] > LEVEL] for name in RELATIONS}


def _on_the_ground(direction: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    return np.array([*direction[:2], 0.0]) / np.hypot(*direction[:2])
