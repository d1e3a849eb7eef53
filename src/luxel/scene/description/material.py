"""What surfaces are made of."""

from luxel.scene.description.bounds import RGB, Color, Unit
from luxel.scene.description.model import SceneModel

MIN_SPECULAR = 0.001
"""What a specular of 0 is taken for with transmission, as Mitsuba has it: an index of 1 would not refract."""


class Material(SceneModel):
    """Mitsuba's `principled` BSDF (Burley, "Physically Based Shading at Disney", 2012) plus emission.

    Names are Mitsuba's, except that `transmission` is its `spec_trans`. The BSDF's microfacet width is
    roughness², but not less than 0.001; with transmission, a specular of 0, which would not refract, is taken
    for 0.001.
    """

    base_color: Color = (0.5, 0.5, 0.5)
    metallic: Unit = 0.0
    specular: Unit = 0.5
    roughness: Unit = 0.5
    transmission: Unit = 0.0
    emission: RGB = (0.0, 0.0, 0.0)

    @property
    def is_emissive(self) -> bool:
        """Whether the surface emits any light."""
        return any(self.emission)
