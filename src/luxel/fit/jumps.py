"""Where pictures jump as a material changes, so that no difference of them is taken over it.

The ray model looks at what is smooth, rough, metal or clear by other rays, and what few rays find differs by some
tenths of a percent of a picture: as much as a hundredth of roughness changes.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from luxel.core.principled import smooth_roughness
from luxel.core.rough_albedo import ROUGH
from luxel.fit.parameters import Parameters, Path, Vector
from luxel.models.shared_reflections import METAL
from luxel.scene.description import Material

ROUNDING = 1e-5
"""Of a material's number, by which it is certainly on a side of where pictures jump, in float32."""
LONE_VALUES = {"metallic": (1.0,), "specular": (0.0,), "transmission": (0.0, 1.0)}
"""At which a material has one lobe less than beside them, so that pictures jump to them from there."""


def jumps(material: Material, field: str) -> tuple[float, ...]:
    """Where the ray model's pictures jump with a number of a material; it is on the upper side at these itself.

    Below `smooth_roughness` reflections are followed as one ray, and above it gathered; from `ROUGH` and `METAL` on the
    rays that gather them are shared, with the diffuse lobe and among neighbours.
    """
    found = {
        "roughness": (float(smooth_roughness(material.metallic, material.transmission)), float(ROUGH)),
        "metallic": (float(METAL),),
    }
    return found.get(field, ())


def smooth_range(parameters: Parameters, vector: Vector) -> tuple[Vector, Vector]:
    """Bounds within which no picture jumps but at the numbers themselves (`on_jump`).

    A step of 0.04 over one of the jumps has a slope of it alone.
    """
    low, high = parameters.low.copy(), parameters.high.copy()
    views = parameters.at(vector)
    for number, path in _material_paths(parameters):
        value, field = vector[number], str(path[-1])
        for bound in jumps(views.at(path[:-1]), field):
            if value < bound:
                high[number] = max(value, min(high[number], bound - ROUNDING))
            else:
                low[number] = min(value, max(low[number], bound + ROUNDING))
        for lone in LONE_VALUES.get(field, ()):
            if value < lone:
                high[number] = max(value, min(high[number], lone - ROUNDING))
            elif value > lone:
                low[number] = min(value, max(low[number], lone + ROUNDING))
    return low, high


def on_jump(parameters: Parameters, vector: Vector) -> Bool[np.ndarray, " numbers"]:
    """Which numbers are LONE_VALUES."""
    found = np.zeros(len(vector), bool)
    for number, path in _material_paths(parameters):
        found[number] = vector[number] in LONE_VALUES.get(str(path[-1]), ())
    return found


def _material_paths(parameters: Parameters) -> Iterator[tuple[int, Path]]:
    """The free numbers that are a field of a material, and that field's path; colours have none of LONE_VALUES."""
    leaves = [leaf for leaf in parameters.leaves for _ in range(leaf.size)]
    for number, leaf in enumerate(leaves):
        if len(leaf.path) > 1 and leaf.path[-2] == "material":
            yield number, leaf.path
