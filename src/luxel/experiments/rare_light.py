"""Scenes whose light paths find by chance: lamps in glass, small lamps seen in mirrors, caustics.

Of such light a few paths a pixel say little, or nothing at all, and what they say may be wrong over whole
neighbourhoods; the Blender learns from them when paths are not to be believed (`luxel.experiments.train_blender`).
"""

import math
from itertools import count
from typing import Literal, TypeAlias

from luxel.scene.composed import Composed
from luxel.scene.description import Object, Plane, Scene, Sphere
from luxel.scene.draws import Draws
from luxel.scene.finishes import clear_glass, metal, mirror

Lamps: TypeAlias = Literal["as they are", "small", "enclosed"]
LAMPS: dict[Lamps, float] = {"as they are": 0.2, "small": 0.4, "enclosed": 0.4}
POLISHED_SHARE = 0.6
"""Share of the scenes with objects that become mirrors and glass."""
SHELL_RADII = (1.1, 2.0)
"""Radius of a ball of glass, over that of the lamp in it."""
SHRINKAGE = (0.1, 0.7)
SKY_FACTORS = {0.0: 0.25, 0.1: 0.35, 1.0: 0.4}
"""What the sky is multiplied by."""
MIRROR_SHARE, GLASS_SHARE = 0.3, 0.25
"""Shares of a scene's objects."""
COMPOSED_SCENES = 1 << 10
"""Composed scenes to choose from, of each."""


def rare_light(seed: int, index: int) -> Scene:
    """Scene number `index`: a composed one with lamps, changed so that their light is hard to find."""
    draws = Draws(seed, index)
    composed = Composed(max_objects=32)
    scene = next(found for attempt in count() if has_lamps(found := composed(seed, index * COMPOSED_SCENES + attempt)))
    objects = list(scene.objects)
    if draws.chance(POLISHED_SHARE):
        objects = [polished(draws, item) for item in objects]
    lamps = draws.choose(LAMPS)
    if lamps == "small":
        factor = draws.log_uniform(*SHRINKAGE)
        objects = [shrunk(item, factor) for item in objects]
    elif lamps == "enclosed":
        objects += [shell(draws, item) for item in objects if is_lamp(item)]
    sky = draws.choose(SKY_FACTORS)
    red, green, blue = (round(sky * channel, 6) for channel in scene.background)
    return scene.model_copy(update={"objects": tuple(objects), "background": (red, green, blue)})


def is_lamp(item: Object) -> bool:
    """Whether it emits, and could be smaller."""
    return item.material.is_emissive and not isinstance(item, Plane)


def has_lamps(scene: Scene) -> bool:
    """Whether there is one."""
    return any(map(is_lamp, scene.objects))


def polished(draws: Draws, item: Object) -> Object:
    """The object, or one of metal or glass; what is flat cannot be of glass."""
    if item.material.is_emissive:
        return item
    finish = draws.choose(
        {
            mirror: MIRROR_SHARE / 2,
            metal: MIRROR_SHARE / 2,
            clear_glass: GLASS_SHARE,
            None: 1 - MIRROR_SHARE - GLASS_SHARE,
        }
    )
    if finish is None or (finish is clear_glass and item.shape in ("panel", "plane")):
        return item
    return item.model_copy(update={"material": finish(draws)})


def shrunk(item: Object, factor: float) -> Object:
    """A lamp smaller by a factor, and as much brighter as its surface is smaller; other objects as they are."""
    if not is_lamp(item):
        return item
    emission = tuple(min(channel / factor**2, 1e5) for channel in item.material.emission)
    material = item.material.model_copy(update={"emission": emission})
    lengths = {"radius", "half_height", "semi_axes", "half_extents"} & set(type(item).model_fields)
    smaller = {name: scaled(getattr(item, name), factor) for name in lengths}
    return item.model_copy(update={"material": material, **smaller})


def scaled(length: float | tuple[float, ...], factor: float) -> float | tuple[float, ...]:
    """One length, or several."""
    return tuple(one * factor for one in length) if isinstance(length, tuple) else length * factor


def shell(draws: Draws, lamp: Object) -> Sphere:
    """A ball of glass about a lamp."""
    radius = lamp.bounding_radius * draws.uniform(*SHELL_RADII)
    digits = 6 - math.floor(math.log10(radius))
    return Sphere(center=lamp.center, radius=round(radius, digits), material=clear_glass(draws))
