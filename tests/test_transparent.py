"""Pictures without a background: colours and alpha that are known, and files as their formats want them."""

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from luxel import Camera, InputError, Plane, Scene, Sphere
from luxel.image.formats import to_bytes
from luxel.trace.path import PathTracer
from luxel.transparent import cut_out, trusted_by_coverage

HEIGHT, WIDTH = 23, 37
CAMERA = Camera(position=(0, -6, 2), look_at=(0, 0, 0), vertical_fov_degrees=50)
BALL = Sphere(center=(0.3, 0, 0.2), radius=1)
SKY = np.float32([0.7, 0.2, 3.0])
SCENE = Scene(objects=(BALL,), camera=CAMERA, background=tuple(SKY.tolist()))
ON_GROUND = Scene(objects=(Plane(center=(0, 0, -1)), BALL), camera=CAMERA, background=(1, 1, 1))


def shares(scene: Scene, number: int) -> np.ndarray:
    """What an object covers of each pixel, [height, width, 1]."""
    return PathTracer().features([scene], WIDTH, HEIGHT).coverage(0, number).numpy()[..., None]


def test_of_a_picture_that_is_known_the_colour_of_objects_is_left_times_alpha():
    share, colour = shares(SCENE, 0), np.float32([0.2, 0.5, 0.1])
    assert (share == 1).any()
    assert ((share > 0) & (share < 1)).sum() > 20
    found = cut_out(SCENE, share * colour + (1 - share) * SKY)
    linear = found.linear()
    assert linear.shape == (HEIGHT, WIDTH, 4)
    np.testing.assert_array_equal(linear[..., 3:], share)
    np.testing.assert_allclose(linear[..., :3], share * colour, atol=1e-5)
    straight = found.display()
    np.testing.assert_array_equal(straight[..., 3:], np.uint8(share * 255 + 0.5))
    some = share[..., 0] > 0
    assert np.ptp(straight[some][:, :3].astype(int) - to_bytes(colour[None, None])[0], axis=0).max() <= 1
    assert (straight[~some] == 0).all()


@pytest.mark.parametrize(("tone", "exposure"), [("clamp", 0.0), ("reinhard", 0.5)])
def test_over_white_a_shadow_catcher_shows_what_it_showed(tone, exposure):
    """Of the ground alone: grey shadows are black with alpha, coloured ones as nearly black as they can be."""
    ground, ball = shares(ON_GROUND, 0), shares(ON_GROUND, 1)
    radiance = np.random.default_rng(0).uniform(0.05, 1.4, (HEIGHT, WIDTH, 1)).astype(np.float32)
    radiance = radiance * np.where(np.arange(WIDTH) % 2, 1, [[[0.7], [1.0], [0.9]]]).transpose(0, 2, 1)
    found = cut_out(ON_GROUND, radiance.astype(np.float32), shadow_catcher=0)
    picture = found.display(tone, exposure).astype(np.float64) / 255
    over_white = picture[..., :3] * picture[..., 3:] + 1 - picture[..., 3:]
    whole = ground[..., 0] == 1
    shown = to_bytes(radiance.astype(np.float32), tone, exposure) / 255
    np.testing.assert_allclose(over_white[whole], shown[whole], atol=1.5 / 255)
    assert (picture[:, 1::2][whole[:, 1::2]][:, :3].max(1) <= 0.5 / 255).all()
    assert (picture[..., :3].min(2)[whole] == 0).all()
    linear = found.linear()
    np.testing.assert_allclose((linear[..., :3] + 1 - linear[..., 3:])[whole], radiance.clip(0, 1)[whole], atol=1e-6)
    assert (linear[..., 3:] >= ball - 1e-6).all()
    assert (linear[ball[..., 0] == 1][:, 3] == 1).all()


def test_noise_of_edges_is_less_than_in_the_difference_to_the_background():
    share, colour = shares(SCENE, 0), np.float32([0.2, 0.5, 0.1])
    edge = (share > 0) & (share < 1)
    noise = np.random.default_rng(0).normal(0, 0.02, (HEIGHT, WIDTH, 3)).astype(np.float32)
    noisy = share * colour + np.where(edge, noise, 0)
    found, whole = trusted_by_coverage(noisy, share[..., 0]), (share == 1)[..., 0]
    np.testing.assert_array_equal(found[whole], noisy[whole])
    error = (found - share * colour)[edge[..., 0]]
    assert np.sqrt(np.square(error).mean()) < 0.8 * 0.02


def test_files_are_as_their_formats_want_them(tmp_path):
    share, colour = shares(SCENE, 0), np.float32([0.2, 0.5, 0.1])
    found = cut_out(SCENE, share * colour + (1 - share) * SKY)
    for name in ("deeper/a.png", "a.webp", "a.exr"):
        found.save(tmp_path / name, **({} if name.endswith("exr") else {"exposure": 1.0}))
    with Image.open(tmp_path / "deeper/a.png") as image:
        assert image.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(image), found.display(exposure=1.0))
    with Image.open(tmp_path / "a.webp") as image:
        assert image.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(image)[..., 3], found.display()[..., 3])
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        np.testing.assert_array_equal(file.channels()["RGBA"].pixels, found.linear())


def test_what_cannot_be_cut_out_is_told(tmp_path):
    picture = np.ones((HEIGHT, WIDTH, 3), np.float32)
    with pytest.raises(InputError, match="shadow_catcher is 1, must be an object's: 0 to 0"):
        cut_out(SCENE, picture, shadow_catcher=1)
    with pytest.raises(InputError, match=r"radiance: the image is of shape \(5, 7\)"):
        cut_out(SCENE, np.ones((5, 7), np.float32))
    with pytest.raises(InputError, match=r"a.jpg: .jpg has no alpha channel; write a .png, .webp or .exr"):
        cut_out(SCENE, picture).save(tmp_path / "a.jpg")
