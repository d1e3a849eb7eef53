import numpy as np
import pytest

from luxel.image.formats import to_bytes
from luxel.image.side_by_side import FONT_SIZE, Figures, SideBySide, captioned, magnified, sheet

RNG = np.random.default_rng(0)
TRUTH, ONE, TWO = RNG.random((3, 11, 13, 3)).astype(np.float32)


def test_figures_of_a_known_error():
    """A tenth off in sRGB everywhere: 20 dB; beyond 1 no display shows a difference."""
    truth = np.full((11, 13, 3), 5.0, np.float32)
    srgb = (0.9 + 0.055) / 1.055
    figures = Figures.of(np.full_like(truth, srgb**2.4), truth)
    assert figures.psnr == pytest.approx(20, abs=1e-3)
    assert 0 < figures.flip < 1
    assert figures.equivalent_spp is None
    assert figures.lines == ["PSNR 20.0 dB", f"FLIP {figures.flip:.3f}"]
    assert Figures.of(truth + 1, truth).psnr == 100


def test_equivalent_spp_of_a_known_error():
    """An error of 0.1 squared is 0.01; 0.002 of it is the truth's own noise; a path's variance is 1."""
    truth = np.full((11, 13, 3), 0.5, np.float32)
    noise = np.full_like(truth, 0.002)
    figures = Figures.of(truth + np.float32(0.1), truth, noise, 1.0)
    assert figures.equivalent_spp == pytest.approx(1 / 0.008, rel=1e-4)
    assert figures.lines[2] == "equivalent spp 125"
    near = Figures.of(truth + np.float32(0.05), truth, noise, 1.0)
    assert near.equivalent_spp == pytest.approx(1 / 0.002, rel=1e-4)
    assert near.lines[2] == "equivalent spp ≥ 500"


@pytest.mark.parametrize("noise", [np.inf, np.nan, 0.0])
def test_a_truth_of_unknown_noise_gives_no_equivalent_spp(noise):
    figures = Figures.of(ONE, TRUTH, np.full_like(TRUTH, noise), 1.0)
    assert figures.equivalent_spp is None


def test_truth_comes_first_and_every_picture_has_its_name():
    scene = SideBySide.of("a scene", TRUTH, {"one": ONE, "two": TWO}, spp=64)
    assert [image is wanted for image, wanted in zip(scene.images, (TRUTH, ONE, TWO), strict=True)] == [True] * 3
    assert [lines[0] for lines in scene.captions] == ["path traced", "one", "two"]
    assert scene.captions[0] == ["path traced", "64 spp"]
    assert scene.summary.startswith("path traced, 64 spp; one, PSNR ")


def test_a_batch_is_its_scenes():
    truths, outputs = np.stack([TRUTH, ONE]), np.stack([TWO, TRUTH])
    variances, path_variances = np.full_like(truths, 0.01), np.array([2.0, 3.0], np.float32)
    scenes = SideBySide.each(["a", "b"], truths, {"one": outputs}, variances, path_variances, 7)
    assert [scene.title for scene in scenes] == ["a", "b"]
    for scene, truth, output, path_variance in zip(scenes, truths, outputs, (2.0, 3.0), strict=True):
        assert scene.figures["one"] == Figures.of(output, truth, np.full_like(truth, 0.01), path_variance)
        assert scene.spp == 7
    without = SideBySide.each(["a"], truths, {"one": outputs}, variances, None)
    assert without[0].figures["one"].equivalent_spp is None


def test_a_sheet_has_truth_at_the_left_or_in_columns_above():
    scenes = [SideBySide.of("", TRUTH, {"model": ONE}), SideBySide.of("", ONE, {"model": TWO})]
    rows, columns = sheet(scenes), sheet(scenes, columns=True)
    width = rows.shape[1] // 2
    for scene, row in zip(scenes, np.split(rows, 2), strict=True):
        for number, image in enumerate(scene.images):
            np.testing.assert_array_equal(row[:99, number * width :][:, :117], magnified(to_bytes(image)))
    for number, scene in enumerate(scenes):
        column = columns[:, number * width : (number + 1) * width]
        np.testing.assert_array_equal(column[:99, :117], magnified(to_bytes(scene.truth)))
        below = magnified(to_bytes(scene.images[1]))
        starts = [start for start in range(len(column) - 98) if (column[start:][:99, :117] == below).all()]
        assert len(starts) == 1
        assert starts[0] > 99 + FONT_SIZE


def test_small_pictures_are_magnified_to_squares_of_pixels_large_ones_are_not():
    """13 pixels go 9 times into 128; 65 once."""
    pixels = to_bytes(TRUTH)
    shown = magnified(pixels)
    assert shown.shape == (99, 117, 3)
    np.testing.assert_array_equal(shown.reshape(11, 9, 13, 9, 3), pixels[:, None, :, None].repeat(9, 1).repeat(9, 3))
    large = RNG.integers(0, 256, (65, 3, 3), dtype=np.uint8)
    np.testing.assert_array_equal(magnified(large), large)


def test_tone_map_and_exposure_reach_the_pixels():
    exposed = sheet([SideBySide.of("", TRUTH, {"model": ONE})], tone="reinhard", exposure=-2.0)
    np.testing.assert_array_equal(exposed[:99, :117], magnified(to_bytes(TRUTH, "reinhard", -2.0)))


def test_captions_are_as_wide_as_they_need_and_below():
    pixels = np.full((5, 7, 3), 128, np.uint8)
    one, two = captioned(pixels, ["a name of some length"]), captioned(pixels, ["a name of some length", "more"])
    assert one.shape[1] == two.shape[1] > 100
    assert two.shape[0] > one.shape[0] > 5 + FONT_SIZE
    np.testing.assert_array_equal(one[:5, :7], pixels)
    assert (one[:5, 7:] == 255).all(), "paper beside the picture"
    assert one[5:].min() < 100, "ink below it"
    assert (captioned(pixels, ["≥"]) != captioned(pixels, ["×"])).any(), "the font has both"
