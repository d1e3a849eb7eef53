import math

import flip_evaluator
import numpy as np
import pytest
from viewer_scenes import SCENE

from luxel.image.formats import to_bytes
from luxel.viewer.compose import LINE, Look, composed, errors_of
from luxel.viewer.render_loop import Frame, View

NETWORK, BEST, PATHS = (np.full((11, 20, 3), value, np.float32) for value in (0.1, 0.2, 0.4))
FRAME = Frame(View(SCENE, 20, 11, 4), 0, NETWORK, BEST, PATHS, 4, 0.1, 1.0, True)
FIRST = FRAME._replace(best=NETWORK, paths=None, spp=0)


def test_the_picture_alone_is_shown_as_it_is_saved():
    look = Look(exposure=1.0, tone="reinhard")
    np.testing.assert_array_equal(composed(FRAME, look), to_bytes(BEST, "reinhard", 1.0))
    assert not look.compares


def test_a_split_has_one_picture_on_either_side():
    look = Look("network", "truth", split=0.25)
    assert look.compares
    assert look._replace(right=None).layers == ("network",)
    pixels = composed(FRAME, look)
    np.testing.assert_array_equal(pixels[:, :5], to_bytes(NETWORK)[:, :5])
    np.testing.assert_array_equal(pixels[:, 6:], to_bytes(PATHS)[:, 6:])
    assert (pixels[:, 5] == LINE).all()
    for split, radiance in ((0.0, PATHS), (1.0, NETWORK)):
        np.testing.assert_array_equal(composed(FRAME, look._replace(split=split)), to_bytes(radiance))


def test_until_there_are_paths_the_network_stands_for_all():
    look = Look("picture", "truth", split=0.0)
    np.testing.assert_array_equal(composed(FIRST, look), to_bytes(NETWORK))
    assert errors_of(FIRST, look) is None
    np.testing.assert_array_equal(composed(FIRST, Look("error")), to_bytes(NETWORK))


def test_errors_are_of_display_values():
    look = Look("network", "error", split=0.5, exposure=-1.0)
    errors = errors_of(FRAME, look)
    shown = [np.full((11, 20, 3), 1.055 * value ** (1 / 2.4) - 0.055, np.float32) for value in (0.05, 0.2)]
    assert errors.psnr == pytest.approx(-20 * math.log10(shown[1][0, 0, 0] - shown[0][0, 0, 0]), abs=1e-3)
    assert errors.flip == pytest.approx(flip_evaluator.evaluate(shown[1], shown[0], "LDR", inputsRGB=True)[1], abs=1e-5)
    pixels = composed(FRAME, look, errors)
    np.testing.assert_array_equal(pixels[:, 11:], errors.pixels[:, 11:])
