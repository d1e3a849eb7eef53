"""Run lengths, against hand values and pycocotools."""

import numpy as np
import pytest
from pycocotools import mask as coco

from luxel.data.rle import encode, run_lengths

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools' own
RANDOM = np.random.default_rng(3)
MASKS = [
    np.zeros((5, 7), bool),
    np.ones((5, 7), bool),
    np.eye(11, dtype=bool),
    np.hypot(*np.meshgrid(np.arange(211) - 90, np.arange(157) - 60)) < 50,
    *(RANDOM.random((13, 17)) < share for share in (0.02, 0.5, 0.98)),
]


def test_columns_come_first_and_zeros_first():
    assert run_lengths(np.array([[False, True], [True, True]])).tolist() == [1, 3]
    assert run_lengths(np.array([[True, False, False]])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("mask", MASKS)
def test_pycocotools_reads_and_writes_the_same(mask):
    told = encode(mask)
    assert (coco.decode(told) == mask).all()
    assert told["counts"] == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert coco.area(told) == mask.sum()
