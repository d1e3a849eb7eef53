import math

import pytest
from pydantic import TypeAdapter, ValidationError

from luxel.scene.description.bounds import AngularRadius, Direction, Finite, NonNegative, Positive, Quaternion, Unit


def read(kind, value):
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (Unit, 1.5, "must be in [0, 1]"),
        (Unit, math.nan, "must be in [0, 1]"),
        (NonNegative, -1.0, "must be a number in [0, 1e6]"),
        (AngularRadius, 0.0, "must be in [0.01, 90] degrees"),
        (Direction, (0.0, 0.0, 0.0), "must be a vector other than zero"),
        (Quaternion, (0.0, 0.0, 0.0, 0.0), "must be a quaternion (w, x, y, z) other than zero"),
    ],
)
def test_what_is_out_of_range_is_told_with_the_range(kind, value, told):
    with pytest.raises(ValidationError) as error:
        read(kind, value)
    assert error.value.errors()[0]["msg"] == told


@pytest.mark.parametrize("kind", [Unit, Finite, Positive])
@pytest.mark.parametrize("value", ["1", True, None])
def test_neither_text_nor_truth_is_a_number(kind, value):
    with pytest.raises(ValidationError):
        read(kind, value)


def test_minus_zero_is_zero_so_that_equal_scenes_have_equal_json():
    assert math.copysign(1, read(Finite, -0.0)) == 1
    assert [math.copysign(1, part) for part in read(Direction, (-0.0, 3.0, 4.0))] == [1, 1, 1]


def test_directions_become_unit_vectors_and_unit_vectors_stay_to_the_bit():
    assert read(Direction, (0.0, 3.0, 4.0)) == pytest.approx((0, 0.6, 0.8))
    nearly = (0.6, 0.8, 1e-7)
    assert read(Direction, nearly) == nearly
    assert read(Quaternion, (2.0, 0.0, 0.0, 0.0)) == (1, 0, 0, 0)
