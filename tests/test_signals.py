"""The vector of what a point gathers: every number has one place, and variances are NumPy's."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.models import signals
from luxel.models.signals import LIGHT_SIGNALS, SIGNALS, variance_of_sum

RGB = ("DIRECT", "CAUSTIC", "HIGHLIGHT", "UNSHADOWED", "SKY", "SURFACES", "REFLECTION", "TRUNCATED")
SINGLE = (
    "DIRECT_VARIANCE",
    "OPENNESS",
    "NEARNESS",
    "INDIRECT_VARIANCE",
    "GLOSSY_VARIANCE",
    "ROUGH_ALBEDO",
    "CAUSTIC_MOMENT",
)
OF_LIGHT_SAMPLES = {"DIRECT", "CAUSTIC", "HIGHLIGHT", "UNSHADOWED", "DIRECT_VARIANCE", "CAUSTIC_MOMENT"}


def test_every_signal_has_a_place_of_its_own():
    places = {name: range(getattr(signals, name), getattr(signals, name) + 3) for name in RGB}
    places |= {name: range(getattr(signals, name), getattr(signals, name) + 1) for name in SINGLE}
    assert sorted(place for each in places.values() for place in each) == list(range(SIGNALS))
    assert {name for name, each in places.items() if each.stop <= LIGHT_SIGNALS} == OF_LIGHT_SAMPLES


@wp.kernel(enable_backward=False)
def variances(squares: wp.array[float], total: wp.array[float], count: wp.array[int], variance: wp.array[float]):
    i = wp.tid()
    variance[i] = variance_of_sum(squares[i], total[i], count[i])


@pytest.mark.parametrize("device", DEVICES)
def test_the_variance_of_a_sum_is_that_of_its_summands_times_their_number(device):
    """Of one summand, or of equal ones, it is 0."""
    summands = [[0.5, 1.75, 0.25, 3.0, 0.0], [2.0], [0.7] * 7]
    squares, total = (np.array([sum(x**power for x in each) for each in summands], np.float32) for power in (2, 1))
    found = run(variances, squares, total, np.array([5, 1, 7], np.int32), device=device)[0]
    np.testing.assert_allclose(found, [5 * np.var(summands[0], ddof=1), 0, 0], rtol=1e-5, atol=1e-6)
