"""Numbers against NumPy's own reading of Philox's bits, and inverse distribution functions at chosen arguments."""

from collections import Counter

import numpy as np
import pytest

from luxel.scene.draws import Draws


class Given(Draws):
    """Draws of the given uniform numbers, in turn."""

    def __init__(self, *numbers: float) -> None:
        self._numbers = list(numbers)

    def unit(self) -> float:
        return self._numbers.pop(0)


LAST = 1 - 2.0**-53
"""The largest that is drawn."""


def test_uniform_numbers_are_those_of_numpys_generator():
    draws = Draws(7, 11)
    reference = np.random.Generator(np.random.Philox(np.random.SeedSequence(7, spawn_key=(11,))))
    assert [draws.unit() for _ in range(13)] == reference.random(13).tolist()


def test_inverse_distribution_functions():
    assert Given(0.25).uniform(-1.0, 3.0) == 0.0
    assert Given(0.5).log_uniform(0.01, 100.0) == 1.0
    assert Given(0.5).skewed(3.0) == 0.125
    assert Given(0.1, 0.2, 0.9).triple(0.0, 10.0) == (1.0, 2.0, 9.0)
    assert [Given(u).integer(3, 5) for u in (0.0, 0.3334, 0.6666, LAST)] == [3, 4, 4, 5]
    assert Given(0.975).normal() == pytest.approx(1.959964, abs=1e-6)
    assert abs(Given(0.0).normal()) < 9, "finite"
    assert [Given(u).chance(0.3) for u in (0.0, 0.2999, 0.3)] == [True, True, False]


def test_numbers_are_rounded_to_six_decimals():
    assert Given(1 / 3).uniform(0.0, 1.0) == 0.333333
    assert Given(1 / 3).log_uniform(1.0, 10.0) == 2.154435


def test_choices_are_in_proportion_to_their_weights():
    weights = {"a": 2.0, "b": 1.0, "c": 5.0}
    found = Counter(Given((i + 0.5) / 8).choose(weights) for i in range(8))
    assert found == Counter(weights)
    assert Given(LAST).choose(weights) == "c"


def test_a_scenes_numbers_are_its_own():
    first, again, other = Draws(1, 2), Draws(1, 2), Draws(1, 3)
    numbers = [first.unit() for _ in range(5)]
    assert numbers == [again.unit() for _ in range(5)]
    assert numbers != [other.unit() for _ in range(5)]
