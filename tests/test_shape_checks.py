"""Types and shapes are checked as jaxtyping checks them, those of Luxel's own functions, too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Optional

import pytest
import torch
from beartype import beartype
from beartype.roar import BeartypeCallHintParamViolation, BeartypeCallHintReturnViolation
from jaxtyping import Float, TypeCheckError
from shape_checks import has_axes, has_text, jaxtyped
from torch import Tensor

from luxel.image.metrics import psnr
from luxel.scene.distributions import Spheres

checked = jaxtyped(typechecker=beartype)
THREE, FIVE = torch.zeros(3), torch.zeros(5)


@checked
def kept(first: Float[Tensor, " n"], second: Float[Tensor, " n"], returned: Tensor) -> Float[Tensor, " n"]:
    return returned


@checked
def number(text: str) -> int:
    return int(text) if text else text


@checked
def nested(values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    kept(FIVE, FIVE, FIVE)
    return values


@checked
@dataclass(frozen=True)
class Pair:
    first: Float[Tensor, " n"]
    second: Float[Tensor, " n"]

    @property
    @checked
    def size(self) -> int:
        return str(len(self.first))


def test_an_axis_has_one_size_in_all_arguments_and_what_is_returned():
    assert kept(THREE, THREE, THREE) is THREE
    with pytest.raises(BeartypeCallHintParamViolation, match="second"):
        kept(THREE, FIVE, THREE)
    with pytest.raises(BeartypeCallHintReturnViolation):
        kept(THREE, THREE, FIVE)


def test_every_call_has_axes_of_its_own():
    assert kept(FIVE, FIVE, FIVE) is FIVE
    assert nested(THREE) is THREE


def test_types_without_axes_are_checked():
    assert number("7") == 7
    with pytest.raises(BeartypeCallHintParamViolation, match="text"):
        number(7)
    with pytest.raises(BeartypeCallHintReturnViolation):
        number("")


def test_dataclasses_and_their_properties_are_checked():
    assert Pair(THREE, THREE).first is THREE
    with pytest.raises(BeartypeCallHintParamViolation, match="second"):
        Pair(THREE, FIVE)
    with pytest.raises(BeartypeCallHintReturnViolation):
        assert Pair(THREE, THREE).size


def test_luxels_own_are_checked():
    with pytest.raises(BeartypeCallHintParamViolation, match="target"):
        psnr(torch.zeros(2, 7, 5, 3), torch.zeros(2, 5, 7, 3))
    with pytest.raises(BeartypeCallHintParamViolation, match="seed"):
        Spheres()("0", 0)


@pytest.mark.parametrize(
    ("annotation", "axes", "text"),
    [
        (int, False, False),
        (None, False, False),
        (Tensor, False, False),
        (Literal["a", "b"], False, False),
        (dict[str, tuple[int, ...]] | None, False, False),
        (Float[Tensor, " n"], True, False),
        (Float[Tensor, " n"] | None, True, False),
        (Iterator[dict[str, tuple[Float[Tensor, " n"], int]]], True, False),
        (Callable[[int], Float[Tensor, " n"]], True, False),
        ("Scene", False, True),
        (dict[str, "Scene"], False, True),
        (Optional["Scene"], False, True),
    ],
)
def test_axes_and_text_are_found_anywhere_in_an_annotation(annotation, axes, text):
    def function(argument: annotation) -> int:
        return 0

    assert (has_axes(function), has_text(function)) == (axes, text)


@checked
def of_what_is_not_imported(text: str) -> "tuple[Unknown, str]":
    return text


def test_annotations_that_are_for_type_checkers_alone_are_let_pass():
    assert of_what_is_not_imported("a") == "a"
    with pytest.raises(TypeCheckError, match="text"):
        of_what_is_not_imported(1)


@checked
def halves(values: Float[Tensor, " n"]) -> Iterator[Float[Tensor, " m"]]:
    yield from values.chunk(2)


def test_shapes_stay_checked_where_a_generator_yields_such():
    assert [len(half) for half in halves(THREE)] == [2, 1]
    with pytest.raises(TypeCheckError, match="values"):
        halves(torch.zeros(2, 2))
    assert not isinstance(torch.zeros(2, 2), Float[Tensor, " m"])
