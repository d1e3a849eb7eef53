"""Guides of a denoiser: albedo and normal of what a pixel shows first."""

import numpy as np
import torch

from luxel.models.guides import guides
from luxel.scene import Camera, Material, Scene, Sphere, encode

COLOR = (0.7, 0.4, 0.1)


def test_a_ball_has_its_color_and_faces_the_camera_in_the_middle():
    ball = Sphere(center=(0, 0, 0), radius=1.0, material=Material(base_color=COLOR))
    aside = Sphere(center=(0, 0, 40), radius=1.0)
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
    scenes = [Scene(objects=(ball,), camera=camera), Scene(objects=(aside, ball), camera=camera)]
    tokens, mask, camera_tan, _ = (torch.from_numpy(array) for array in encode(scenes))
    for albedo, normal in zip(*guides(tokens, mask, camera_tan, width=23, height=17), strict=True):
        assert albedo.shape == normal.shape == (17, 23, 3)
        torch.testing.assert_close(albedo[8, 11], torch.tensor(COLOR))
        torch.testing.assert_close(normal[8, 11], torch.tensor([0.0, 0.0, 1.0]), rtol=0, atol=0.03)
        assert not albedo[0, 0].any()
        assert not normal[0, 0].any()
        share = albedo[..., 0] / COLOR[0]
        expected = np.pi / 24 * (17 / 2 / np.tan(np.radians(20))) ** 2  # pixels: a disc of tangent 1/√(5² − 1)
        assert abs(float(share.sum()) / expected - 1) < 0.01
        inside = share == 1
        torch.testing.assert_close(normal.norm(dim=-1)[inside], torch.ones(int(inside.sum())))
        assert (normal[:8, 11, 1][inside[:8, 11]] > 0).all()  # above the middle it looks up
