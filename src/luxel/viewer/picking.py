"""Which object a click is on: the first along its ray, as the tracer intersects it."""

from collections.abc import Iterable

import torch

from luxel.core.interactions import interact
from luxel.core.intersect import MISS
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.scene.description import Scene


def picked_object(scene: Scene, origin: Iterable[float], direction: Iterable[float]) -> int | None:
    """The number of the first object along a ray in world space; None for the sky."""
    batch = SceneBatch.of([scene])
    rays = Rays(
        torch.tensor([[*map(float, origin)]]), torch.tensor([[*map(float, direction)]]), torch.zeros(1, dtype=torch.int)
    )
    found = int(interact(batch, rays).object_id)
    return None if found == MISS else found
