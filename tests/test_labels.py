import numpy as np
import pytest

from luxel.image.labels import Label, labelled, overlap, within


@pytest.mark.parametrize("ground", [0, 130, 255])
def test_a_label_is_white_in_black_on_any_ground(ground):
    pixels = np.full((61, 83, 3), ground, np.uint8)
    drawn, crowded = labelled(pixels, [Label(41.0, 30.0, ("7 box",))])
    assert (crowded, pixels.min(), pixels.max()) == (0, ground, ground)
    assert (drawn.min(), drawn.max()) == (0, 255)
    rows, columns = np.nonzero((drawn != ground).any(2))
    assert abs((rows.min() + rows.max()) / 2 - 30) < 2
    assert abs((columns.min() + columns.max()) / 2 - 41) < 2


def test_where_there_is_no_room_the_shorter_text_stands_or_none():
    pixels = np.full((40, 120, 3), 99, np.uint8)
    first = Label(60.0, 20.0, ("0 ellipsoid", "0"))
    long, crowded = labelled(pixels, [first, Label(20.0, 20.0, ("1 ellipsoid",))])
    assert crowded == 1
    np.testing.assert_array_equal(long, labelled(pixels, [first])[0])
    short, crowded = labelled(pixels, [first, Label(12.0, 20.0, ("1 ellipsoid", "1"))])
    assert crowded == 0
    assert (short != long)[:, :24].any()
    np.testing.assert_array_equal(short[:, 24:], long[:, 24:])


def test_labels_stay_in_the_picture():
    pixels = np.full((40, 50, 3), 99, np.uint8)
    corner, _ = labelled(pixels, [Label(0.0, 0.0, ("12",))])
    moved, _ = labelled(pixels, [Label(3.0, 2.0, ("12",))])
    np.testing.assert_array_equal(corner, moved)
    assert [within(start, 5.0, 20.0) for start in (-3.0, 18.0, 4.0)] == [0, 15, 4]
    assert within(4.0, 30.0, 20.0) == 0


def test_boxes_that_share_an_edge_do_not_overlap():
    assert not overlap((0.0, 0.0, 2.0, 2.0), (2.0, 0.0, 4.0, 2.0))
    assert overlap((0.0, 0.0, 2.0, 2.0), (1.9, 1.9, 4.0, 4.0))
