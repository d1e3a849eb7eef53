"""Frames of fixed size: what they show, that they need no more of the host, and graphs of them on a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from luxel import Renderer, Sphere
from luxel.core.scene_batch import OBJECT_FIELDS, SCENE_FIELDS, SceneBatch
from luxel.models import frame_graphs
from luxel.models.frame_graphs import (
    MIN_OBJECTS,
    MIN_ROOM,
    TREE_TABLES,
    FrameGraphs,
    FrameSize,
    can_be_recorded,
    flat,
    frame_rows,
    packed,
    room_for,
    rows_for,
    unpacked,
)
from luxel.models.ray_model import FrameRoom
from luxel.models.specular import ChainRoom
from luxel.scene import Camera, GradientSky, MapSky, Material, Panel, Scene, Sun
from luxel.scene.composed import Composed
from luxel.scene.environment import lossless

WIDTH, HEIGHT = 29, 23
SCENES = [Composed(max_objects=12)(3, index) for index in range(3)]
MODEL = Renderer.from_pretrained("ray-small").model
ROOM = FrameRoom(3001, ChainRoom(2003, 5003))


def frame_batch(host: SceneBatch) -> SceneBatch:
    rows = frame_rows(host, FrameSize.of(host, WIDTH, HEIGHT))
    return unpacked(torch.from_numpy(packed(rows)), rows)


@torch.inference_mode()
def test_a_frame_of_fixed_size_shows_the_same() -> None:
    host = SceneBatch.of(SCENES)
    expected = MODEL.pictures(host, WIDTH, HEIGHT)
    shaded, needed = MODEL.frame(frame_batch(host), WIDTH, HEIGHT, ROOM)
    assert torch.equal(shaded.radiance, expected.radiance)
    for values, of_expected in zip(shaded.of_fragments, expected.of_fragments, strict=True):
        assert torch.equal(values[: needed[0]], of_expected)
    assert all(0 < count < room for count, room in zip(needed.tolist(), flat(ROOM), strict=True))


@torch.inference_mode()
@pytest.mark.parametrize("kind", range(3), ids=["fragments", "smooth points", "ends"])
def test_a_frame_says_what_it_needs_where_there_is_too_little_room(kind: int) -> None:
    batch = frame_batch(SceneBatch.of(SCENES))
    _, needed = MODEL.frame(batch, WIDTH, HEIGHT, ROOM)
    rooms = list(flat(ROOM))
    rooms[kind] = int(needed[kind]) - 1
    _, with_less = MODEL.frame(batch, WIDTH, HEIGHT, FrameRoom(rooms[0], ChainRoom(*rooms[1:])))
    assert int(with_less[kind]) == int(needed[kind]) > rooms[kind]


@torch.inference_mode()
def test_exactly_enough_room_is_enough() -> None:
    host = SceneBatch.of(SCENES)
    _, needed = MODEL.frame(frame_batch(host), WIDTH, HEIGHT, ROOM)
    fragments, *chains = needed.tolist()
    shaded, _ = MODEL.frame(frame_batch(host), WIDTH, HEIGHT, FrameRoom(fragments, ChainRoom(*chains)))
    assert torch.equal(shaded.radiance, MODEL(host, width=WIDTH, height=HEIGHT))


@torch.inference_mode()
def test_the_room_for_a_frame_is_a_little_more_than_it_needs() -> None:
    host = SceneBatch.of(SCENES)
    batch, size = frame_batch(host), FrameSize.of(host, WIDTH, HEIGHT)
    _, needed = MODEL.frame(batch, WIDTH, HEIGHT, ROOM)
    expected = tuple(max(MIN_ROOM, int(1.25 * count)) for count in needed.tolist())
    assert flat(room_for(MODEL, batch, size, None)) == expected
    least = FrameRoom(7919, ChainRoom(1, 104729))
    assert flat(room_for(MODEL, batch, size, least)) == (7919, expected[1], 104729)


CAMERA = Camera(position=(0, -4, 9), look_at=(0, 0, 0))


def one_ball(**fields: object) -> Scene:
    return Scene(objects=[Sphere(center=(0, 0, 0.5), radius=0.5)], camera=CAMERA, **fields)


def many_balls(count: int, lit: int) -> Scene:
    balls = [
        Sphere(center=(i % 10 - 4.5, i // 10 - 4.5, 0), radius=0.4, material=Material(emission=(int(i < lit),) * 3))
        for i in range(count)
    ]
    return Scene(objects=balls, camera=CAMERA)


TEXELS = np.random.default_rng(0).random((8, 16, 3), np.float32)
MIRRORS = [
    Scene(
        objects=[
            Panel(center=(0, 1, 0), half_extents=(side, 2), material=Material(metallic=1, roughness=0)),
            *SCENES[0].objects,
        ],
        camera=SCENES[0].camera,
    )
    for side in (1, 3)
]
PAIRS = {
    "objects": SCENES[:2],
    "gradient and sun": [
        one_ball(
            sky=GradientSky(zenith=(0.1, 0.2, blue), horizon=(1, 1, 1)),
            sun=Sun(direction=(1, -blue, 1), radiance=(9, 8, 7)),
        )
        for blue in (0.3, 0.9)
    ],
    "one map": [one_ball(sky=MapSky(file=lossless(TEXELS), rotation_degrees=turned)) for turned in (0, 80)],
    "flat mirrors": MIRRORS,
    "trees": [many_balls(100, 3), many_balls(70, 40)],
}

FAR_LIGHT = ("one map", "gradient and sun")
BATCHES = {name: [[scene] for scene in scenes] for name, scenes in PAIRS.items()} | {
    "two scenes": [[*SCENES[:2]], [many_balls(60, 30), SCENES[0]]],
    "two scenes, trees in other ones": [[many_balls(70, 3), SCENES[0]], [SCENES[1], many_balls(90, 40)]],
    "two scenes, a map and a sun": [[PAIRS[name][0] for name in names] for names in (FAR_LIGHT, FAR_LIGHT[::-1])],
}


@pytest.mark.parametrize("batches", BATCHES.values(), ids=BATCHES)
def test_words_are_read_again_after_others_are_written(batches: list[list[Scene]]) -> None:
    """As a replayed graph does."""
    hosts = [SceneBatch.of(scenes) for scenes in batches]
    sizes = {FrameSize.of(host, WIDTH, HEIGHT)._replace(objects=128) for host in hosts}
    (size,) = sizes
    longest = dict.fromkeys((*TREE_TABLES, "light_object"), 256)
    first, second = (frame_rows(host, size, longest) for host in hosts)
    words = torch.from_numpy(packed(first).copy())
    batch = unpacked(words, first)
    words.copy_(torch.from_numpy(packed(second)))
    count = len(hosts[1].kind)
    for name in OBJECT_FIELDS:
        assert torch.equal(getattr(batch, name)[:count], getattr(hosts[1], name))
    for name in SCENE_FIELDS:
        assert torch.equal(getattr(batch, name), getattr(hosts[1], name))
    with torch.inference_mode():
        shaded, _ = MODEL.frame(batch, WIDTH, HEIGHT, ROOM)
        expected = [MODEL(host, width=WIDTH, height=HEIGHT) for host in hosts]
    assert torch.equal(shaded.radiance, expected[1])
    assert not torch.equal(*expected)


def test_rows_for_objects_are_few_different_numbers() -> None:
    assert [rows_for(count) for count in (0, 1, 16, 17, 32, 100)] == [MIN_OBJECTS] * 3 + [32, 32, 128]


def test_scenes_that_need_other_launches_are_of_other_sizes() -> None:
    hosts = [SceneBatch.of(scenes[:1]) for scenes in PAIRS.values()]
    assert len({FrameSize.of(host, WIDTH, HEIGHT)[4:] for host in hosts}) == 4  # balls in trees are launched as others
    addresses = {
        FrameSize.of(host, WIDTH, HEIGHT).map_address
        for host in (hosts[2], replace(hosts[2]), SceneBatch.of(PAIRS["one map"]))  # `replace` forgets NumPy's arrays
    }
    assert len(addresses) == 1


def test_batches_of_several_maps_are_launched() -> None:
    """Their texels are joined anew for every frame."""
    other = one_ball(sky=MapSky(file=lossless(TEXELS + 1)))
    one, two = (SceneBatch.of(scenes) for scenes in (PAIRS["one map"], [*PAIRS["one map"], other]))
    assert can_be_recorded(one, FrameSize.of(one, WIDTH, HEIGHT))
    assert not can_be_recorded(two, FrameSize.of(two, WIDTH, HEIGHT))


def test_trees_get_the_room_that_they_need_or_are_to_have() -> None:
    first, second = (SceneBatch.of([scene]) for scene in PAIRS["trees"])
    size = FrameSize.of(first, WIDTH, HEIGHT)
    few, many = (frame_rows(host, size).table_rows for host in (first, second))
    assert few["tree_nodes"] > 1 == few["light_nodes"] < many["light_nodes"]
    both = frame_rows(second, size, few).table_rows
    assert both == frame_rows(first, size, both).table_rows


class Recorded:
    """Stands in for a graph, and counts how often one was recorded."""

    count = 0

    def __init__(self, model, rows, size, device, least):
        self.model, self.size, self.room, self.table_rows = model, size, least, rows.table_rows
        Recorded.count += 1

    def replay(self, rows, with_fragments):
        fits = len(rows.host.kind) <= 9 or Recorded.count > 1
        return self.model.pictures(rows.host, self.size.width, self.size.height) if fits else None


def test_frames_are_recorded_the_second_time_and_anew_without_room(monkeypatch) -> None:
    monkeypatch.setattr(frame_graphs, "FrameGraph", Recorded)
    monkeypatch.setattr(Recorded, "count", 0)
    graphs = FrameGraphs(MODEL, "cpu")
    few, many = (SceneBatch.of([Composed(max_objects=16)(5, index)]) for index in (4, 0))
    assert len(few.kind) <= 9 < len(many.kind) <= MIN_OBJECTS
    size = FrameSize.of(few, WIDTH, HEIGHT)
    counts = []
    for host in (few, few, few, many, few):
        counts.append((Recorded.count, size in graphs))
        with torch.inference_mode():
            shaded = graphs.render(host, FrameSize.of(host, WIDTH, HEIGHT))
            assert torch.equal(shaded.radiance, MODEL(host, width=WIDTH, height=HEIGHT))
    assert counts == [(0, False), (0, False), (1, True), (1, True), (2, True)]


@pytest.mark.gpu
@torch.inference_mode()
@pytest.mark.parametrize("scenes", PAIRS.values(), ids=PAIRS)
def test_graphs_on_a_gpu_render_what_the_model_does(scenes: list[Scene]) -> None:
    model = Renderer.from_pretrained("ray-small", "cuda").model
    graphs = FrameGraphs(model, "cuda")
    for scene in [*scenes, *scenes]:  # the first by launches, the next is recorded, others replay it
        host = SceneBatch.of([scene])
        expected = model.pictures(host.to("cuda"), WIDTH, HEIGHT)
        shaded = graphs.render(host, FrameSize.of(host, WIDTH, HEIGHT), with_fragments=True)
        for found, rendered in zip(shaded, expected, strict=True):  # sums in another order
            np.testing.assert_allclose(found.cpu().numpy(), rendered.cpu().numpy(), rtol=1e-4, atol=1e-5)
