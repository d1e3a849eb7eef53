"""Where in a pixel lights are seen: by ray differentials whose images are known by hand."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.models.light_images import area_in_pixel, image_of
from luxel.models.ray_differentials import RayDifferential


@wp.kernel(enable_backward=False)
def images(vector: wp.array[wp.vec3], is_far: wp.array[int], found: wp.array[wp.vec4], area: wp.array[float]):
    """By rays towards z that begin 3 and 5 apart a pixel, and part by 0.5 and 0.25 a pixel."""
    i = wp.tid()
    differential = RayDifferential()
    differential.center = wp.vec2(0.125, 0.0)
    differential.direction = wp.vec3(0.0, 0.0, 1.0)
    differential.origin_x = wp.vec3(3.0, 0.0, 0.0)
    differential.origin_y = wp.vec3(0.0, 5.0, 0.0)
    differential.direction_x = wp.vec3(0.5, 0.0, 0.0)
    differential.direction_y = wp.vec3(0.0, 0.25, 0.0)
    image = image_of(differential, vector[i], is_far[i] != 0, 0.7, 1.1)
    found[i] = wp.vec4(image.x, image.y, image.pixels, image.reach)
    area[i] = area_in_pixel(image)


@pytest.mark.parametrize("device", DEVICES)
def test_a_light_is_seen_where_the_rays_through_it_begin(device):
    """At distance 4 pixels are 3 + 4 · 0.5 = 5 and 5 + 4 · 0.25 = 6 apart; at infinity, of directions, 0.5 and 0.25."""
    vector = np.array([[1, -3, 4], [0.25, 0.0625, 1], [1, -3, -4]], np.float32)
    found, area = run(images, vector, np.array([0, 1, 0], np.int32), device=device)
    near = [0.125 + 1 / 5, -3 / 6, 0.7 * 4**2 / (5 * 6), 1.1 * (5 + 6) / (5 * 6)]
    far = [0.125 + 0.25 / 0.5, 0.0625 / 0.25, 0.7 / (0.5 * 0.25), 1.1 * 0.75 / (0.5 * 0.25)]
    np.testing.assert_allclose(found, [near, far, [0, 0, 0, 0]], rtol=1e-6)
    tents = [(1 - 0.325) * (1 - 0.5) * near[2], (1 - 0.625) * (1 - 0.25) * far[2], 0]
    np.testing.assert_allclose(area, tents, rtol=1e-6)
