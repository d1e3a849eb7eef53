"""What lies between keyframes, against values by hand, and what is told of keyframes that cannot be."""

import math

import numpy as np
import pytest

from luxel.scene.errors import SceneError
from luxel.scene.keyframes import Track, at_time, keyframed_place, tracks_in, with_tracks

HALF = math.sqrt(0.5)


def track(*keys: tuple[float, object], interpolation: str = "linear", place: str = "radius") -> Track:
    made = with_tracks({"keyframes": [list(key) for key in keys], "interpolation": interpolation}, place)
    assert isinstance(made, Track)
    return made


def test_a_number_goes_straight_from_key_to_key_and_stands_still_beyond_them():
    radius = track((1, 2.0), (3, 6.0), (4, 5.0))
    assert [radius(float(time)) for time in (0, 1, 1.5, 2, 3, 3.75, 4, 9)] == [2, 2, 3, 4, 6, 5.25, 5, 5]


def test_lists_go_number_by_number():
    assert track((0, [0, 10, 0]), (2, [4, 10, -2]), place="center")(0.5) == [1, 10, -0.5]


def test_smooth_numbers_follow_fritsch_and_butland():
    """A key's slope is the harmonic mean of those beside it: with 0, 1, 3 at 0, 1, 2 s it is 4/3 at 1 s."""
    smooth = track((0, 0), (1, 1), (2, 3), interpolation="smooth")
    step = 1e-6
    before, after = (smooth(1.0) - smooth(1 - step)) / step, (smooth(1 + step) - smooth(1.0)) / step
    assert (before, after) == (pytest.approx(4 / 3, abs=1e-5), pytest.approx(4 / 3, abs=1e-5))
    # The end's slope is (3 · 1 − 2) / 2 = 1/2; the cubic's middle is the mean of the keys + (slope₀ − slope₁) / 8.
    assert smooth(0.5) == pytest.approx(0.5 + (0.5 - 4 / 3) / 8)


def test_smooth_numbers_never_leave_the_range_of_their_keys():
    """Else a colour between 0 and 1 would be of no scene; a turn is at a key, where the slope is 0."""
    keys = [(0, 0.0), (0.1, 1.0), (1, 1.0), (1.2, 0.3), (3, 0.0)]
    values = np.array([track(*keys, interpolation="smooth")(time) for time in np.linspace(0, 3, 997)])
    assert (values.min(), values.max()) == (0, 1)
    assert track(*keys, interpolation="smooth")(0.5) == 1


def about_z(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees) / 2), 0, 0, math.sin(math.radians(degrees) / 2)]


@pytest.mark.parametrize("interpolation", ["linear", "smooth"])
def test_the_middle_of_a_turn_is_half_of_it(interpolation):
    """By slerp: of a quarter turn an eighth; straight mixing, too, is right there, but not at a third."""
    turn = track((0, [1, 0, 0, 0]), (1, [HALF, 0, 0, HALF]), interpolation=interpolation, place="objects[0].rotation")
    assert turn(0.5) == pytest.approx(about_z(45))
    assert turn(1 / 3) == pytest.approx(about_z(30))


def test_a_turn_takes_the_shorter_way_whatever_the_signs_and_lengths():
    turn = track((0, [2, 0, 0, 0]), (1, [-HALF, 0, 0, -HALF]), place="rotation")
    assert np.abs(turn(0.5)) == pytest.approx(about_z(45))


def test_a_smooth_turn_keeps_its_rate_at_keys():
    """Of keys at steady steps, the rate is steady; each key is given back as it stands."""
    turn = track(*((t, about_z(60 * t)) for t in range(4)), interpolation="smooth", place="rotation")
    assert turn(2.0) == about_z(120)
    assert turn(1.25) == pytest.approx(about_z(75), abs=1e-9)
    uneven = track((0, about_z(0)), (1, about_z(10)), (2, about_z(80)), interpolation="smooth", place="rotation")
    step = 1e-5
    angles = [2 * math.degrees(math.atan2(uneven(t)[3], uneven(t)[0])) for t in (1 - step, 1.0, 1 + step)]
    assert angles[1] - angles[0] == pytest.approx(angles[2] - angles[1], rel=1e-3)


def test_four_numbers_of_another_field_are_mixed():
    assert track((0, [1, 0, 0, 0]), (1, [0, 1, 0, 0]), place="weights")(0.5) == [0.5, 0.5, 0, 0]


def test_keyframes_of_a_whole_camera_are_those_of_its_numbers():
    camera = {"position": [0, -4, 1], "vertical_fov_degrees": 40}
    later = {"position": [2, -4, 3], "vertical_fov_degrees": 20}
    made = with_tracks({"camera": {"keyframes": [[0, camera], [4, later]]}, "other": [1, {"a": "b"}]})
    assert at_time(made, 1.0) == {
        "camera": {"position": [0.5, -4, 1.5], "vertical_fov_degrees": 35},
        "other": [1, {"a": "b"}],
    }
    position, fov = tracks_in(made)
    assert (position.field, fov.field) == ("camera.position", "camera.vertical_fov_degrees")
    assert position.key_at(4.0) == "camera.keyframes[1][1].position"
    assert position.key_at(1.0) is None


def test_the_first_keyframes_are_found():
    assert keyframed_place({"a": [1, {"b": {"keyframes": []}}], "c": {"keyframes": []}}) == "a[1].b"
    assert keyframed_place({"a": [1, {"b": 2}]}) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"keyframes": []}, r"c\.keyframes is \[\], must be a list of \[time in seconds, value\]"),
        ({"keyframes": 7}, r"c\.keyframes is 7, must be a list of"),
        ({"keyframes": [[0, 1], [1]]}, r"c\.keyframes\[1\] is \[1\], must be \[time in seconds, value\]"),
        ({"keyframes": [["0", 1]]}, r"c\.keyframes\[0\]\[0\] is '0', must be a time in seconds, in \[0, 1e6\]"),
        ({"keyframes": [[-1, 1]]}, r"c\.keyframes\[0\]\[0\] is -1, must be a time"),
        ({"keyframes": [[math.nan, 1]]}, r"c\.keyframes\[0\]\[0\] is nan, must be a time"),
        ({"keyframes": [[10**400, 1]]}, r"c\.keyframes\[0\]\[0\] is 1000\S+, must be a time"),
        ({"keyframes": [[2, 1], [2, 1]]}, r"c\.keyframes\[1\]\[0\] is 2, must be later than the key before, at 2 s"),
        (
            {"keyframes": [[0, 1], [1, True]]},
            r"c\.keyframes\[1\]\[1\] is True, must be a finite number as c\.keyframes",
        ),
        ({"keyframes": [[0, [1, 2]], [1, [1]]]}, r"c\.keyframes\[1\]\[1\] is \[1\], must be a list of the same length"),
        ({"keyframes": [[0, {"a": 1}], [1, {"b": 1}]]}, r"\[1\]\[1\] is \{'b': 1\}, must have the same fields"),
        ({"keyframes": [[0, {"a": "x"}], [1, {"a": "y"}]]}, r"c\.keyframes\[1\]\[1\]\.a is 'y', must be the same"),
        ({"keyframes": [[0, {"keyframes": []}]]}, r"c\.keyframes\[0\]\[1\] has keyframes of its own"),
        ({"keyframes": [[0, 1]], "interpolation": "cubic"}, r"c\.interpolation is 'cubic', must be linear or smooth"),
        ({"keyframes": [[0, 1]], "interpolate": "linear"}, r"c\.interpolate is .* did you mean interpolation\?"),
    ],
)
def test_keyframes_that_cannot_be_are_told_with_their_place(value, told):
    with pytest.raises(SceneError, match=told):
        with_tracks({"c": value})
