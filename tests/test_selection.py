import pytest
import torch

from luxel.core.intersect import MISS
from luxel.core.selection import NOT_COUNTED, selected

MASK = torch.tensor([False, True, True, False, True])


def test_all_rows_where_the_mask_holds():
    found = selected(MASK)
    assert found.rows.tolist() == [1, 2, 4]
    assert found.needed is NOT_COUNTED


@pytest.mark.parametrize(("room", "rows"), [(0, []), (2, [1, 2]), (3, [1, 2, 4]), (5, [1, 2, 4, MISS, MISS])])
def test_as_many_as_there_is_room_for_and_how_much_would_be_needed(room, rows):
    found = selected(MASK, room)
    assert found.rows.tolist() == rows
    assert found.needed.tolist() == [3]


def test_none():
    found = selected(torch.zeros(4, dtype=torch.bool), 2)
    assert found.rows.tolist() == [MISS, MISS]
    assert found.needed.tolist() == [0]
