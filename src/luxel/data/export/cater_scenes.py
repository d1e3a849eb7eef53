"""CATER's JSON of a video: CLEVR's of its first frame, where everything is in every frame, and what it does.

Fields are those of its published files (https://github.com/rohitgirdhar/CATER/issues/3): `movements` has, of every
instance, [action, the instance that it covers or null, first frame, last frame].
"""

from typing import Any

import numpy as np

from luxel.data.export.clevr_scenes import directions, place_entry, relationships
from luxel.data.split import Split
from luxel.scene.cater.plan import Movement
from luxel.scene.cater.video import CaterVideo


def scene_entry(video: CaterVideo, index: int, split: Split, file_name: str, width: int, height: int) -> dict[str, Any]:
    """The JSON of video number `index`, whose pictures are of this size."""
    first = video.scene(0)
    count = len(video.words)
    places = [[list(item.center) for item in video.scene(frame).objects[:count]] for frame in range(video.frames)]
    along = directions(first.camera)
    return {
        "split": split,
        "image_index": index,
        "image_filename": file_name,
        "objects": [
            {
                **vars(words),
                **place_entry(item, first.camera, width, height),
                "locations": {str(frame): at[number] for frame, at in enumerate(places)},
            }
            for number, (words, item) in enumerate(zip(video.words, first.objects, strict=False))
        ],
        "relationships": relationships(np.array(places[0]), along),
        "directions": {name: direction.tolist() for name, direction in along.items()},
        "movements": {
            words.instance: [movement_entry(movement) for movement in movements]
            for words, movements in zip(video.words, video.movements, strict=True)
        },
    }


def movement_entry(movement: Movement) -> list[Any]:
    """An action as CATER has it."""
    return [movement.action, movement.target, movement.start, movement.end]
