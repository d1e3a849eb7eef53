"""The order of training, as permutations and as a function of the position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxel.data.order import shuffled


@given(length=st.integers(1, 41), seed=st.integers(0, 2**40), epoch=st.integers(0, 5))
def test_an_epoch_is_a_permutation(length, seed, epoch):
    order = shuffled(epoch * length, (epoch + 1) * length, length, seed)
    assert sorted(order.tolist()) == list(range(length))


@given(start=st.integers(0, 100), cut=st.integers(0, 60), rest=st.integers(0, 60), length=st.integers(1, 23))
def test_any_stretch_is_a_stretch_of_the_same(start, cut, rest, length):
    whole = shuffled(start, start + cut + rest, length, 5)
    parts = [shuffled(start, start + cut, length, 5), shuffled(start + cut, start + cut + rest, length, 5)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_epochs_and_seeds_differ():
    one = shuffled(0, 97, 97, 0)
    assert not np.array_equal(one, shuffled(97, 194, 97, 0))
    assert not np.array_equal(one, shuffled(0, 97, 97, 1))
    assert not np.array_equal(one, np.arange(97))


def test_golden():
    """What a run of seed 0 sees first must never change, or resuming it would not be exact."""
    assert shuffled(0, 7, 7, 0).tolist() == [1, 4, 5, 6, 2, 0, 3]


def test_nothing_to_shuffle():
    with pytest.raises(ValueError, match="no samples"):
        shuffled(0, 3, 0, 0)
