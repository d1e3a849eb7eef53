"""The protocol, and the shapes that it promises."""

import numpy as np
import pytest

from luxel.trace import MitsubaTracer, Radiance, Tracer


def test_mitsuba_is_a_tracer():
    assert isinstance(MitsubaTracer(), Tracer)
    assert MitsubaTracer().renderer.startswith("mitsuba 3.")


def test_radiance_is_a_batch_of_images():
    images = np.zeros((2, 3, 5, 3), np.float32)
    mean, variance, spp, _ = Radiance(images, images, 7)
    assert mean.shape == variance.shape == (2, 3, 5, 3)
    with pytest.raises(AttributeError):
        Radiance(images, images, spp).spp = 3  # type: ignore[misc]
