"""Lights by way of mirrors: as much of a pixel as by ten thousand rays, and as much in all as by optics."""

import math

import numpy as np
import pytest
import torch

from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.models.chains import LOBES, REFLECTED, TRANSMITTED
from luxel.models.shading_points import points_of_fragments
from luxel.models.specular import specular_chains
from luxel.scene import Camera, Material, Panel, Plane, Scene, Sphere, Sun
from luxel.scene.description import Object

SIDE = 20
DOWN = Camera(position=(0, 0, 2), look_at=(0, 0, 0), up=(0, 1, 0), vertical_fov_degrees=20)
MIRROR = Material(base_color=(1, 1, 1), metallic=1, roughness=0)
CHALK = Material(base_color=(0.5, 0.5, 0.5), roughness=1, specular=0)
FLOOR = Plane(center=(0, 0, 0), material=MIRROR)
DOWNWARDS = (0.0, 1.0, 0.0, 0.0)  # of a panel's front


def shown(*objects: Object, camera: Camera = DOWN, lobe: int = REFLECTED, **scene: object) -> np.ndarray:
    """Radiance of lights in what the scene mirrors, or transmits, by pixel."""
    batch = SceneBatch.of([Scene(objects=objects, camera=camera, **scene)])
    found = visible_fragments(batch, SIDE, SIDE, 32)
    radiance = specular_chains(batch, points_of_fragments(batch, found), SIDE).radiance[:, lobe]
    weighted = radiance * found.coverage[:, None]
    return torch.zeros(SIDE * SIDE, 3).index_add(0, found.pixel.long(), weighted).reshape(SIDE, SIDE, 3).numpy()


def scattering(*objects: Object, **scene: object) -> np.ndarray:
    """The share of each pixel that shows surfaces which scatter, by way of mirrors that cover it."""
    batch = SceneBatch.of([Scene(objects=objects, camera=DOWN, **scene)])
    found = visible_fragments(batch, SIDE, SIDE, 32)
    chains = specular_chains(batch, points_of_fragments(batch, found), SIDE)
    is_reflected = chains.lobe_of_point % LOBES == REFLECTED
    pixel = found.pixel.long()[chains.lobe_of_point[is_reflected] // LOBES]
    share = torch.zeros(SIDE * SIDE).index_add(0, pixel, chains.throughput[is_reflected, 0])
    return share.reshape(SIDE, SIDE).numpy()


def glowing(radiance: float) -> Material:
    return Material(base_color=(0, 0, 0), emission=(radiance,) * 3)


@pytest.mark.parametrize("place", [(0.3, 0.21), (-0.13, 0.4), (0.0, 0.0)])
@pytest.mark.parametrize("radius", [0.002, 0.02, 0.1, 0.5])
def test_a_flat_mirror_shows_a_balls_whole_area(place, radius):
    """Its image is at z = −6, 8 from the eye: π r² / 8² of solid angle, over a pixel's, near the axis."""
    lamp = Sphere(center=(*place, 6.0), radius=radius, material=glowing(3.0))
    pixel = 2 * math.tan(math.radians(10)) / SIDE
    total = shown(FLOOR, lamp)[..., 0].sum()
    area = math.pi * (math.asin(radius / math.hypot(8, *place)) / pixel) ** 2
    assert total == pytest.approx(3 * area, rel=0.03)


def test_a_ball_of_mirror_shows_a_lamp_smaller_than_a_pixel():
    """The eye and the lamp at d₁ and d₂ on either side of the normal, near the axis: a mirror of focal length R / 2.

    Magnified by (R / 2) / (d₂ + R / 2), the image is R / 2 · d₂ / (d₂ + R / 2) behind the surface.
    """
    radius, d1, d2, lamp = 0.5, 6.0, 3.0, 0.01
    ball = Sphere(center=(0, 0, -radius), radius=radius, material=MIRROR)
    camera = DOWN.model_copy(update={"position": (0, 0, d1), "vertical_fov_degrees": 12})
    light = Sphere(center=(0.05, 0.03, d2), radius=lamp, material=glowing(1e4))
    behind, size = radius / 2 * d2 / (d2 + radius / 2), lamp * radius / 2 / (d2 + radius / 2)
    pixel = 2 * math.tan(math.radians(6)) / SIDE
    pixels = math.pi * (size / (d1 + behind) / pixel) ** 2
    assert pixels < 0.01
    assert shown(ball, light, camera=camera)[..., 0].sum() == pytest.approx(1e4 * pixels, rel=0.05)


@pytest.mark.parametrize("radius", [0.041, 0.052, 0.067])
def test_of_a_lamp_in_a_ball_of_glass_no_pixels_of_its_edge_are_missing(radius):
    """In its centre it looks η times as large. All rays of a pixel may go by and leave the ball on the same way."""
    glass = Material(base_color=(1, 1, 1), transmission=1, roughness=0)
    ball = Sphere(center=(0, 0, 0), radius=0.3, material=glass)
    radiance = shown(ball, Sphere(center=(0, 0, 0), radius=radius, material=glowing(1.0)), lobe=TRANSMITTED)[..., 0]
    middle = (np.arange(SIDE * 32) + 0.5) / 32 - SIDE / 2
    off = 2 * math.tan(math.radians(10)) / SIDE * np.hypot(middle, middle[:, None])  # at distance 1
    share = (2 * np.sin(np.arctan(off)) < 1.5 * radius).reshape(SIDE, 32, SIDE, 32).mean((1, 3))
    np.testing.assert_allclose(radiance / radiance.max(), share, atol=0.02)


@pytest.mark.parametrize(("edge", "share"), [(-0.25, 0.25), (0.0, 0.5), (0.25, 0.75)])
def test_as_many_of_a_pixels_rays_as_go_by_two_mirrors_tell_of_a_light(edge, share):
    """The second mirror ends in the pixel that shows the speck, `edge` from its middle: one to three rays meet it.

    The speck's image is 9 from the eye, a tenth of a pixel to the left: that much of it is the next one's, by the tent.
    """
    pixel, radius = 2 * math.tan(math.radians(10)) / SIDE, 0.002
    middle = 2.5 * pixel
    floor = Panel(center=(0, 0, 0), half_extents=(0.25, 0.25), material=MIRROR)  # the way back passes it
    ceiling = Panel(center=((middle + edge * pixel) * 6 - 2, 0, 4), half_extents=(2, 2), material=MIRROR)
    speck = Sphere(center=((middle - 0.1 * pixel) * 9, 0.5 * pixel * 9, 1.0), radius=radius, material=glowing(1e6))
    found = shown(floor, ceiling, speck)[SIDE // 2 - 1, SIDE // 2 + 2, 0]
    area = math.pi * (radius / 9 / pixel) ** 2
    assert found == pytest.approx(1e6 * area * share * 0.9, rel=0.02)


def test_the_sky_shows_between_what_all_four_rays_hit():
    """Dark balls in their places, at 1/8 and 3/8 of a pixel from its middle; their images are a tenth across, each."""
    pixel, radius = 2 * math.tan(math.radians(10)) / SIDE, 0.06
    places = [(0.125, 0.375), (-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125)]
    specks = [
        Sphere(center=((2.5 + x) * 8 * pixel, (0.5 + y) * 8 * pixel, 6.0), radius=radius * 8 * pixel, material=CHALK)
        for x, y in places
    ]
    found = shown(FLOOR, *specks, background=(1.0, 1.0, 1.0))[SIDE // 2 - 1, SIDE // 2 + 2, 0]
    assert found == pytest.approx(1 - 4 * math.pi * radius**2, abs=0.05)


@pytest.mark.parametrize("edge", [-0.2, 0.1, 0.3])
def test_what_is_before_the_sun_has_the_share_of_the_pixel_that_it_has_before_the_sky(edge):
    pixel = 2 * math.tan(math.radians(10)) / SIDE
    shade = Panel(
        center=((2.5 + edge) * 8 * pixel - 1, 0, 6.0), half_extents=(1, 1), rotation=DOWNWARDS, material=CHALK
    )
    sun = Sun(direction=(0, 0, 1), radiance=(2, 2, 2), angular_radius_degrees=8)
    before_sky, before_sun = (
        scattering(FLOOR, shade, **sky)[SIDE // 2 - 1, SIDE // 2 + 2] for sky in ({}, {"sun": sun})
    )
    assert before_sky == pytest.approx(0.5 + edge, abs=0.07)
    assert before_sun == before_sky


def test_a_narrow_mirror_counts_by_the_share_of_the_pixel_that_it_has():
    """A strip of an eighth of a pixel before the open sky, about the one of the four rays that meets it.

    By it the ground behind the floor is seen, which scatters.
    """
    pixel, width = 2 * math.tan(math.radians(10)) / SIDE, 0.125
    floor = Panel(center=(0, 0, 0), half_extents=(0.25, 0.25), material=MIRROR)  # the way back passes it
    ground = Panel(center=(0, 0, -1), half_extents=(50, 50), material=CHALK)
    found = []
    for x in np.linspace(0.125 - 0.06, 0.125 + 0.06, 13):
        strip = Panel(
            center=((2.5 + x) * 6 * pixel, 0, 4),
            half_extents=(width / 2 * 6 * pixel, 2),
            rotation=DOWNWARDS,
            material=MIRROR,
        )
        found.append(scattering(floor, ground, strip, background=(1.0, 1.0, 1.0))[SIDE // 2 - 1, SIDE // 2 + 2])
    assert np.mean(found) == pytest.approx(width, abs=0.02)


def test_what_is_behind_something_is_not_shown():
    lamp = Sphere(center=(0.3, 0.2, 6.0), radius=0.02, material=glowing(3.0))
    shade = Panel(center=(0.25, 0.15, 4.0), half_extents=(0.5, 0.5), material=CHALK)
    assert shown(FLOOR, lamp).sum() > 0
    assert shown(FLOOR, lamp, shade).sum() == 0


def test_the_back_of_a_panel_is_dark():
    front = Panel(center=(0.1, 0.2, 5), half_extents=(0.1, 0.2), rotation=(0, 1, 0, 0), material=glowing(2.0))
    back = front.model_copy(update={"rotation": (1, 0, 0, 0)})
    assert shown(FLOOR, front).sum() > 0
    assert shown(FLOOR, back).sum() == 0


def test_many_lamps_are_found_as_few_are():
    """By a tree over them, of which there is one from 25 on: each pixel has the sum of what single lamps show."""
    random = np.random.default_rng(3)
    lamps = [
        Sphere(center=(*random.uniform(-0.7, 0.7, 2), 6 + 0.02 * k), radius=0.01 + 0.001 * k, material=glowing(1 + k))
        for k in range(25)
    ]
    alone = sum(shown(FLOOR, lamp) for lamp in lamps)
    np.testing.assert_allclose(shown(FLOOR, *lamps), alone, rtol=1e-4, atol=1e-5)


def test_a_sun_below_a_pixel_is_seen_in_a_ball():
    """Of an angular radius θ the image is R / 2 · θ, at the focus."""
    ball = Sphere(center=(0, 0, -0.5), radius=0.5, material=MIRROR)
    camera = DOWN.model_copy(update={"position": (0, 0, 6), "vertical_fov_degrees": 12})
    sun = Sun(direction=(0.02, 0.01, 1.0), radiance=(4e4, 4e4, 4e4), angular_radius_degrees=0.27)
    pixel = 2 * math.tan(math.radians(6)) / SIDE
    expected = 4e4 * math.pi * (0.25 * math.radians(0.27) / (6 + 0.25) / pixel) ** 2
    assert shown(ball, camera=camera, sun=sun)[..., 0].sum() == pytest.approx(expected, rel=0.06)


def test_it_moves_steadily():
    """A speck that goes across pixels of a mirror adds as much in each place, and to no pixel much at once."""
    frames = [
        shown(FLOOR, Sphere(center=(0.01 * k, 0.05, 6.0), radius=0.01, material=glowing(10.0)))[..., 0]
        for k in range(30)
    ]
    totals = np.array([frame.sum() for frame in frames])
    np.testing.assert_allclose(totals, totals.mean(), rtol=0.02)
    assert np.abs(np.diff(frames, axis=0)).max() < 0.15 * totals.mean()


def lens(a: float, b: float, apart: float) -> float:
    """The area that two discs of radii a and b have in common."""
    if apart >= a + b:
        return 0.0
    if apart <= abs(a - b):
        return math.pi * min(a, b) ** 2
    x = (apart**2 + a**2 - b**2) / (2 * apart)
    segments = [r * r * math.acos(c / r) - c * math.sqrt(r * r - c * c) for r, c in ((a, x), (b, apart - x))]
    return sum(segments)


def test_a_lamp_that_moves_before_another_hides_as_much_as_it_covers():
    """Images at 7 and 8 from the eye, two and three pixels across, the farther one nine times as bright."""
    pixel, off = 2 * math.tan(math.radians(10)) / SIDE, []
    far = Sphere(center=(0.05, 0.02, 6.0), radius=0.2, material=glowing(9.0))
    for x in np.linspace(-0.3, 0.3, 31):
        near = Sphere(center=(float(x), 0.03, 5.0), radius=0.15, material=glowing(1.0))
        total = shown(FLOOR, near, far)[..., 0].sum()
        (a, at_a), (b, at_b) = (
            (r / z, np.array([x, y]) / z) for x, y, z, r in ((x, 0.03, 7, 0.15), (0.05, 0.02, 8, 0.2))
        )
        hidden = lens(a, b, float(np.linalg.norm(at_a - at_b)))
        off.append(total - (math.pi * a * a + 9 * (math.pi * b * b - hidden)) / pixel**2)
    assert np.abs(off).max() < 2.0
    assert np.sqrt(np.mean(np.square(off))) < 1.0


@pytest.mark.parametrize("edge", [0.38, 0.42, 0.46, 0.54])
def test_a_lamp_in_the_corner_of_a_pixel_is_hidden_as_far_as_something_is_before_it(edge):
    """None of the four rays meets either: images are 8 and 7 from the eye, the lamp's is 1.2 pixels across."""
    pixel, radius, x, y = 2 * math.tan(math.radians(10)) / SIDE, 0.6, 0.75, -0.75
    lamp = Sphere(
        center=((2.5 + x) * 8 * pixel, (0.5 + y) * 8 * pixel, 6.0), radius=radius * 8 * pixel, material=glowing(9.0)
    )
    shade = Panel(center=((2.5 + edge) * 7 * pixel + 0.3, 0, 5.0), half_extents=(0.3, 0.5), material=CHALK)
    found = shown(FLOOR, lamp, shade)[SIDE // 2 - 1, SIDE // 2 + 2, 0]
    at_x, at_y = np.meshgrid(*[(np.arange(200) + 0.5) / 200 - 0.5] * 2)
    share = (((at_x - x) ** 2 + (at_y - y) ** 2 < radius**2) & (at_x < edge)).mean()
    assert found == pytest.approx(9 * share, abs=0.02 * 9)
