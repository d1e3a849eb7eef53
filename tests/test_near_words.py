import inspect

import numpy as np
import pytest

import luxel
from luxel.near_words import naming_near_words
from luxel.scene import from_points


@naming_near_words
def area(width: float, *, height: float = 2.0) -> float:
    """Of a rectangle."""
    return width * height


def test_what_is_right_is_as_before():
    assert (area(3.0), area(width=3.0, height=5.0)) == (6.0, 15.0)
    assert (area.__name__, area.__doc__) == ("area", "Of a rectangle.")
    assert list(inspect.signature(area).parameters) == ["width", "height"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: area(3.0, heigth=5.0), "area() got an unexpected keyword argument 'heigth'; did you mean height?"),
        (lambda: area(3.0, xyzzy=5.0), "area() got an unexpected keyword argument 'xyzzy'"),
        (lambda: luxel.show(None, widht=9), "show() got an unexpected keyword argument 'widht'; did you mean width?"),
        (
            lambda: from_points(np.eye(3), colour=1),
            "from_points() got an unexpected keyword argument 'colour'; did you mean colors?",
        ),
        (
            lambda: luxel.save_image("a.png", np.ones((1, 1, 3)), exposre=1.0),
            "save_image() got an unexpected keyword argument 'exposre'; did you mean exposure?",
        ),
        (
            lambda: luxel.Renderer.from_pretrained("ray-small", devise="cpu"),
            "Renderer.from_pretrained() got an unexpected keyword argument 'devise'; did you mean device?",
        ),
        (
            lambda: luxel.Renderer.from_pretrained("ray-small")(None, heigth=9),
            "Renderer.__call__() got an unexpected keyword argument 'heigth'; did you mean height?",
        ),
        (
            lambda: luxel.Renderer.from_pretrained("ray-small").render([], width=9, ssp=4),
            "Renderer.render() got an unexpected keyword argument 'ssp'; did you mean spp?",
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_nearest(call, told):
    with pytest.raises(TypeError) as error:
        call()
    assert str(error.value) == told


def test_what_is_missing_is_pythons_own_error():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'width'"):
        area()
