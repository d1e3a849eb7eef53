import pytest

from luxel import InputError
from luxel.viewer.panels.numbers import numbers_in, text_of


def test_numbers_are_shown_in_six_digits_and_kept_in_all():
    there = (0.123456789, -2.0, 1e-6)
    assert text_of(there) == "0.123457, -2, 1e-06"
    assert numbers_in("0.123457, 3, 1e-06", "Center", there) == (0.123456789, 3, 1e-6)
    assert [text_of(value) for value in (-0.0, 16777216, 1e12, 0.5)] == ["0", "16777216", "1e+12", "0.5"]


@pytest.mark.parametrize("text", ["1e3, .5,-2", "1000 0.5 -2", "(1000; 0.5; -2)"])
def test_numbers_stand_between_commas_or_blanks(text):
    assert numbers_in(text, "Center", (0.0, 0.0, 0.0)) == (1000, 0.5, -2)


@pytest.mark.parametrize("text", ["1, 2", "1, 2, 3, 4", "1, 2, x", "1, 2, nan", "", "inf 0 0"])
def test_what_is_not_as_many_numbers_is_refused(text):
    with pytest.raises(InputError, match=r"Center is .*, must be three numbers, such as 0.5, 0, 1"):
        numbers_in(text, "Center", (0.0, 0.0, 0.0))


def test_a_decimal_comma_is_refused():
    with pytest.raises(InputError, match=r"Radius is '0,5', must be a number, such as 0\.5 or 1e3"):
        numbers_in("0,5", "Radius", 0.8)
