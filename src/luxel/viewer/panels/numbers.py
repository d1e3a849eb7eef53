"""Numbers as they are typed and shown. What is typed is taken as it stands, or refused with a word.

Text, because viser's inputs of numbers leave out what they don't know: they make 19 of 1e9, and 0.12 of 0.125.
"""

import math
import re
from typing import TypeAlias

from luxel import InputError
from luxel.configuration import shortened

Number: TypeAlias = int | float
Numbers: TypeAlias = Number | tuple[Number, ...]
ALLOWED = {
    1: "a number, such as 0.5 or 1e3",
    2: "two numbers, such as 0.5, 1",
    3: "three numbers, such as 0.5, 0, 1",
}


def text_of(value: Numbers) -> str:
    """The numbers with six digits each."""
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"{number:.6g}" if number % 1 or abs(number) > 1e9 else f"{number + 0:.0f}" for number in values)


def numbers_in(text: str, label: str, now: Numbers) -> Numbers:
    """As many numbers as there are `now`, between commas or blanks; those that stand as they are shown stay exact.

    Raises InputError, with the input's label, for what is not that.
    """
    known = now if isinstance(now, tuple) else (now,)
    words = [word for word in re.split(r"[\s,;()\[\]]+", text) if word]
    is_one_too_many = not isinstance(now, tuple) and "," in text
    try:
        if is_one_too_many or len(words) != len(known):
            raise ValueError
        found = tuple(map(number_in, words, known))
    except ValueError:
        allowed = "a whole number, such as 512 or 1e3" if isinstance(now, int) else ALLOWED[len(known)]
        raise InputError(f"{label} is {shortened(text)}, must be {allowed}") from None
    return found if isinstance(now, tuple) else found[0]


def number_in(word: str, now: Number) -> Number:
    """The number, whole where that `now` is. Raises ValueError for none."""
    if word == text_of(now):
        return now
    number = float(word)
    if not math.isfinite(number) or (isinstance(now, int) and not number.is_integer()):
        raise ValueError
    return type(now)(number)
