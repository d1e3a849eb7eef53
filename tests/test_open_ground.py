"""Open ground by the models as they are shipped: no grain, no lattice, no streak before the horizon."""

import math

import numpy as np
import pytest
from jaxtyping import Float32
from outside import under

from luxel import Renderer
from luxel.scene import Camera, GradientSky, Material, Panel, Plane, Scene, Sun

WIDTH, HEIGHT = 48, 24
TOP = 10  # the first row that is ground alone
LEVEL = Camera(position=(0, -5, 0.8), look_at=(0, 0, 0.6), vertical_fov_degrees=20)
DUSK = GradientSky(zenith=(0.1, 0.13, 0.3), horizon=(0.8, 0.5, 0.35), ground=(0.1, 0.09, 0.09))
BEHIND = Sun(direction=(0.1, -1, 0.12), radiance=(8000, 5000, 3000))
LAMP = Material(base_color=(0, 0, 0), emission=(30, 30, 30))


def ground(roughness: float, specular: float = 0.5) -> Plane:
    return Plane(
        center=(0, 0, 0), material=Material(base_color=(0.4, 0.4, 0.4), roughness=roughness, specular=specular)
    )


def lamp(x: float, y: float) -> Panel:
    return Panel(center=(x, y, 7), half_extents=(0.5, 0.5), rotation=(0, 1, 0, 0), material=LAMP)


SCENES = {
    "dusk": under(ground(0.5), sky=DUSK, sun=BEHIND).model_copy(update={"camera": LEVEL}),
    "grey": Scene(objects=(ground(0.6),), background=(0.3, 0.35, 0.4), camera=LEVEL),
    "three lamps, no gloss": Scene(objects=(ground(1.0, 0.0), lamp(5, 2), lamp(-5, 3), lamp(0, 9)), camera=LEVEL),
}


SMOOTH = {"dusk": 0.02, "grey": 0.002, "three lamps, no gloss": 0.007}
"""What is left at most; plain means of few rays, and rounding told as noise, left 0.035, 0.017 and 0.009 or more."""


def unevenness(picture: Float32[np.ndarray, "height width 3"]) -> float:
    """What pixels differ from a smooth curve along their row, over the row's mean: the root mean square."""
    grey = picture.mean(-1).astype(np.float64)
    x = np.linspace(-1, 1, grey.shape[1])
    smooth = np.polynomial.polynomial.polyfit(x, grey.T, 4)
    rest = grey - np.polynomial.polynomial.polyval(x, smooth)
    return math.sqrt(((rest / grey.mean(1, keepdims=True)) ** 2).mean())


@pytest.mark.parametrize("model", ["ray-small", "ray-base"])
@pytest.mark.parametrize("name", SCENES)
def test_open_ground_is_smooth(name, model):
    picture = Renderer.from_pretrained(model)(SCENES[name], WIDTH, HEIGHT)
    assert unevenness(picture[TOP:]) < SMOOTH[name]
