"""Videos after CATER: what is in them, and that it moves as it is said to, without one thing in another."""

import hashlib
import itertools
import json
import math

import numpy as np
import pytest

from luxel import InputError
from luxel.scene.camera import rotation_matrix
from luxel.scene.cater import video as module
from luxel.scene.cater.motion import GAP, LIFT, Course, circle_of, flip, level_axes, slide
from luxel.scene.cater.plan import LATEST, LONGEST, SLOT
from luxel.scene.cater.video import FPS, Cater, CaterVideo
from luxel.scene.description import Box, Cylinder, Sphere
from luxel.scene.placing import contains, extents

VIDEOS = [(Cater(frames=120), 3, 0), (Cater(frames=150), 3, 1), (Cater(frames=90, max_moving=2), 4, 2)]
GOLDEN = "161cd90a36213254f10fd2cf53d33bda9d623afe435527b5311ce017c02c67ca"
ACTS = {"_slide", "_pick_place", "_rotate", "_contain"}


@pytest.fixture(scope="module")
def videos() -> list[CaterVideo]:
    return [cater(seed, index) for cater, seed, index in VIDEOS]


@pytest.fixture(params=range(len(VIDEOS)))
def video(request, videos) -> CaterVideo:
    return videos[request.param]


def unit_points() -> dict[str, np.ndarray]:
    """Points of the surfaces of the ball, the cube and the cylinder, by the name of the shape."""
    side = np.linspace(-1, 1, 7)
    grid = np.array(list(itertools.product(side, side, side)))
    cube = grid[np.abs(grid).max(1) == 1]
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([np.cos(angle), np.sin(angle)], 1)
    tube = np.concatenate([np.column_stack([rim * r, np.full(24, z)]) for r, z in [(1, z) for z in side] + [(0.5, 1)]])
    return {"box": cube, "cylinder": tube, "sphere": cube / np.linalg.norm(cube, axis=1)[:, None]}


POINTS = unit_points()
POINTS["ellipsoid"] = POINTS["sphere"]


def surface(item) -> np.ndarray:
    return np.array(item.center) + (POINTS[item.shape] * item.scale) @ rotation_matrix(item.rotation).T


def over(video: CaterVideo, frame: float) -> set[tuple[int, int]]:
    """(cone, thing) wherever the one may be about the other: from when it comes down until it is lifted off."""
    number = {words.instance: place for place, words in enumerate(video.words)}
    pairs = set()
    for cone, movements in enumerate(video.movements):
        held = None
        for each in movements:
            third = (each.end - each.start) / 3
            if each.action == "_contain" and each.end - third <= frame:
                held = number[each.target]
            if each.action == "_pick_place" and each.start + third < frame:
                held = None
        if held is not None:
            pairs.add((cone, held))
    while more := {(a, d) for (a, b), (c, d) in itertools.product(pairs, pairs) if b == c} - pairs:
        pairs |= more
    return pairs


def test_nothing_is_in_anything_but_under_a_cone(video):
    count = len(video.words)
    for frame in np.arange(0, video.frames, 1.25):
        things = video.animation(frame / FPS).objects[:count]
        points = [surface(item) for item in things]
        allowed = over(video, frame)
        for one, item in enumerate(things):
            assert points[one][:, 2].min() >= -1e-5, "in the ground"
            for other in range(count):
                if one != other and (one, other) not in allowed and (other, one) not in allowed:
                    assert not contains(item, points[other]).any(), (frame, video.words[one], video.words[other])


def test_what_is_covered_is_out_of_sight_and_goes_along(video):
    for cone, movements in enumerate(video.movements):
        for each in movements:
            if each.action != "_contain":
                continue
            until = [later.start for later in movements if later.action == "_pick_place" and later.start > each.end]
            for frame in range(each.end, min([*until, video.frames - 1]) + 1):
                things = video.scene(frame).objects
                for inner in (b for a, b in over(video, each.end) if a == cone):
                    assert contains(things[cone], surface(things[inner]), 1e-5).all(), (frame, cone, inner)


def test_things_move_as_their_movements_say(video):
    courses = [video.scene(frame).objects[: len(video.words)] for frame in range(video.frames)]
    for number, movements in enumerate(video.movements):
        path = [things[number] for things in courses]
        moving = set()
        for each in movements:
            assert each.action in ACTS
            assert each.start % SLOT <= LATEST
            assert each.end - each.start <= LONGEST
            assert each.start // SLOT == each.end // SLOT
            moving |= set(range(each.start, each.end))
            before, after = path[each.start], path[each.end]
            heights = [item.center[2] for item in path[each.start : each.end + 1]]
            if each.action in ("_pick_place", "_contain"):
                assert max(heights) == pytest.approx(before.center[2] + LIFT)
            elif each.action == "_slide":
                assert max(heights) == min(heights)
                assert before.rotation == after.rotation
            else:
                turned = rotation_matrix(before.rotation).T @ rotation_matrix(after.rotation)
                assert np.trace(turned) == pytest.approx(1, abs=1e-4)  # 1 + 2 cos 90°
                assert before.center[:2] == after.center[:2]
            assert after.center[2] == pytest.approx(extents(after)[2], abs=1e-5), "on the ground"
        for frame in range(video.frames - 1):
            if frame not in moving:
                assert path[frame] == path[frame + 1]


def test_videos_have_a_snitch_two_cones_and_every_action(videos):
    assert {each.action for video in videos for all_of in video.movements for each in all_of} == ACTS
    for video in videos:
        shapes = [(words.shape, words.size) for words in video.words]
        assert shapes[:3] == [("spl", "small"), ("cone", "medium"), ("cone", "large")]
        assert 5 <= len(shapes) <= 10
        assert len({words.instance for words in video.words}) == len(shapes)
        assert video.animation.duration == video.frames / FPS


def test_two_things_act_at_a_time_if_so_many_are_asked_for(videos):
    video = videos[2]
    held = {each.target for all_of in video.movements for each in all_of if each.target}
    for slot in range(video.frames // SLOT):
        acting = [
            words.instance
            for words, movements in zip(video.words, video.movements, strict=True)
            if words.instance not in held and any(each.start // SLOT == slot for each in movements)
        ]
        assert len(acting) <= 2


def test_a_video_is_a_function_of_seed_and_number(videos):
    again = Cater(frames=150)(3, 1)
    assert again.values == videos[1].values
    assert again.movements == videos[1].movements
    assert videos[0].values != videos[1].values


def test_golden():
    """A change here is another distribution under the same name."""
    values = json.dumps([Cater(frames=90)(5, index).values for index in range(3)])
    assert hashlib.sha256(values.encode()).hexdigest() == GOLDEN


def test_a_course_is_where_the_movie_format_puts_the_thing():
    ball = Sphere(center=(1, 2, 0.5), radius=0.5)
    course = Course.of_rest(ball, 30).moved(slide(ball, 3.0, 2.0, 4, 12), ball)
    # Half way in the middle; a quarter of the way in, 3/16 − 2/64 = 10/64 of it.
    np.testing.assert_allclose(course.center[[0, 16, 24, 32, 48, 120], 0], [1, 1, 1 + 2 * 10 / 64, 2, 3, 3], atol=1e-12)


def test_a_cylinder_that_is_turned_lies_and_stands_up_again():
    cylinder = Cylinder(center=(0, 0, 0.25), radius=0.5, half_height=0.25)
    lying = flip(cylinder, 0, 3, 21).after(cylinder)
    assert lying.center[2] == pytest.approx(0.5)
    assert circle_of(lying) == pytest.approx(math.hypot(0.5, 0.25))
    assert level_axes(lying) == [0]
    standing = flip(lying, 0, 30, 45).after(lying)
    assert standing.center[2] == pytest.approx(0.25)
    assert circle_of(Box(center=(0, 0, 1), half_extents=(1, 1, 1))) == pytest.approx(math.sqrt(2))


def test_things_above_one_another_are_apart():
    low, high = (Course.of_rest(Sphere(center=(0, 0, z), radius=0.5), 2) for z in (0.5, 1.5 + GAP + 1e-6))
    assert low.is_clear_of(high, 0)
    assert not low.is_clear_of(low, 0)


def test_where_there_is_no_room_the_search_ends(monkeypatch):
    monkeypatch.setattr(module, "MIN_PIXELS", 50_000)
    monkeypatch.setattr(module, "ARRANGEMENTS", 5)
    with pytest.raises(
        InputError, match="max_objects is 5: for the 5 of video 0 of seed 0 there was no room in 5 tries"
    ):
        Cater(max_objects=5)(0, 0)
