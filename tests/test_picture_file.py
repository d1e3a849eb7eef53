import numpy as np
from PIL import Image
from test_compose import BEST, FRAME

from luxel.files.exr import load_exr
from luxel.viewer.compose import Look, composed, errors_of
from luxel.viewer.picture_file import saved


def test_a_png_is_what_is_seen_and_an_exr_the_pictures_radiance(tmp_path):
    look = Look("network", "error", split=0.25, tone="reinhard", exposure=1.0)
    assert saved(tmp_path / "a.png", FRAME, look) == "as shown, network | error"
    seen = composed(FRAME, look, errors_of(FRAME, look))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), seen)
    assert saved(tmp_path / "a.exr", FRAME, look) == "the picture's linear radiance"
    np.testing.assert_array_equal(load_exr(tmp_path / "a.exr"), BEST)
