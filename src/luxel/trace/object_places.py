"""Where in a picture each object is seen: where its name goes."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from scipy.ndimage import distance_transform_edt

from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.scene.description import Scene
from luxel.trace.first_hits import first_hit_features

DEEP_SHARE = 0.8
"""Share of the greatest distance from a region's edge at which a place counts as well inside it."""


class ObjectPlace(NamedTuple):
    """A visible object and the middle of what is seen of it."""

    object_number: int
    column: float
    """In pixels from the left, of the middle of the pixel."""
    row: float
    area: int
    """Pixels of which it covers most."""


def object_places(scene: Scene, width: int, height: int) -> list[ObjectPlace]:
    """The objects that a picture of the scene shows, the largest in it first."""
    return places_of(first_hit_features(SceneBatch.of([scene]), width, height).object_number[0].numpy())


def places_of(object_number: Int64[np.ndarray, "height width"]) -> list[ObjectPlace]:
    """The places of the objects whose numbers the pixels hold, MISS for none, the largest first.

    The centroid itself may lie outside: that of a ground on what stands upon it. So of the pixels well inside the
    object's region the one nearest to its centroid is taken.
    """
    depth = distance_from_edge(object_number)
    seen = object_number != MISS
    rows, columns = np.nonzero(seen)
    numbers, which, areas = np.unique(object_number[seen], return_inverse=True, return_counts=True)
    deepest = np.zeros(len(numbers))
    np.maximum.at(deepest, which, depth[seen])
    middle = [np.bincount(which, weights=axis, minlength=len(numbers)) / areas for axis in (rows, columns)]
    away = (rows - middle[0][which]) ** 2 + (columns - middle[1][which]) ** 2
    away[depth[seen] < DEEP_SHARE * deepest[which]] = np.inf
    order = np.lexsort((away, which))
    first = order[np.searchsorted(which[order], np.arange(len(numbers)))]
    places = [
        ObjectPlace(int(number), float(columns[pixel]) + 0.5, float(rows[pixel]) + 0.5, int(area))
        for number, pixel, area in zip(numbers, first, areas, strict=True)
    ]
    return sorted(places, key=lambda place: (-place.area, place.object_number))


def distance_from_edge(object_number: Int64[np.ndarray, "height width"]) -> np.ndarray:
    """Pixels from each pixel to the nearest one at the edge of its region, itself 0; outside the picture is an edge."""
    padded = np.pad(object_number, 1, constant_values=MISS - 1)
    inside = np.ones(object_number.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            inside &= np.roll(padded, step, axis)[1:-1, 1:-1] == object_number
    return distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
