"""Frames of fixed size: what they show, that they need no more of the host, and graphs of them on a GPU."""

import numpy as np
import pytest
import torch

from luxel import Renderer, Sphere
from luxel.core.scene_batch import OBJECT_FIELDS, SCENE_FIELDS, SceneBatch
from luxel.models import frame_graphs
from luxel.models.frame_graphs import (
    MIN_OBJECTS,
    MIN_ROOM,
    FrameGraphs,
    FrameSize,
    flat,
    frame_rows,
    has_trees,
    packed,
    room_for,
    rows_for,
    unpacked,
)
from luxel.models.ray_model import FrameRoom
from luxel.models.specular import ChainRoom
from luxel.scene.composed import Composed

WIDTH, HEIGHT = 29, 23
SCENES = [Composed(max_objects=12)(3, index) for index in range(3)]
MODEL = Renderer.from_pretrained("ray-small").model
ROOM = FrameRoom(3001, ChainRoom(2003, 5003))


def frame_batch(host: SceneBatch) -> SceneBatch:
    rows = frame_rows(host, FrameSize(len(host), rows_for(len(host.kind)), WIDTH, HEIGHT))
    return unpacked(torch.from_numpy(packed(rows)), rows)


@torch.inference_mode()
def test_a_frame_of_fixed_size_shows_the_same() -> None:
    host = SceneBatch.of(SCENES)
    expected = MODEL(host, width=WIDTH, height=HEIGHT)
    picture, needed = MODEL.frame(frame_batch(host), WIDTH, HEIGHT, ROOM)
    assert torch.equal(picture, expected)
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
    picture, _ = MODEL.frame(frame_batch(host), WIDTH, HEIGHT, FrameRoom(fragments, ChainRoom(*chains)))
    assert torch.equal(picture, MODEL(host, width=WIDTH, height=HEIGHT))


@torch.inference_mode()
def test_the_room_for_a_frame_is_a_little_more_than_it_needs() -> None:
    batch, size = frame_batch(SceneBatch.of(SCENES)), FrameSize(3, 64, WIDTH, HEIGHT)
    _, needed = MODEL.frame(batch, WIDTH, HEIGHT, ROOM)
    expected = tuple(max(MIN_ROOM, int(1.25 * count)) for count in needed.tolist())
    assert flat(room_for(MODEL, batch, size, None)) == expected
    least = FrameRoom(7919, ChainRoom(1, 104729))
    assert flat(room_for(MODEL, batch, size, least)) == (7919, expected[1], 104729)


def test_words_are_read_again_after_others_are_written() -> None:
    """As a replayed graph does."""
    hosts = [SceneBatch.of([scene]) for scene in SCENES[:2]]
    size = FrameSize(1, 64, WIDTH, HEIGHT)
    first, second = (frame_rows(host, size) for host in hosts)
    words = torch.from_numpy(packed(first).copy())
    batch = unpacked(words, first)
    words.copy_(torch.from_numpy(packed(second)))
    count = len(hosts[1].kind)
    for name in OBJECT_FIELDS:
        assert torch.equal(getattr(batch, name)[:count], getattr(hosts[1], name))
    for name in SCENE_FIELDS:
        assert torch.equal(getattr(batch, name), getattr(hosts[1], name))
    with torch.inference_mode():
        picture, _ = MODEL.frame(batch, WIDTH, HEIGHT, ROOM)
        assert torch.equal(picture, MODEL(hosts[1], width=WIDTH, height=HEIGHT))


def test_rows_for_objects_are_few_different_numbers() -> None:
    assert [rows_for(count) for count in (0, 1, 16, 17, 32, 100)] == [MIN_OBJECTS] * 3 + [32, 32, 128]


def test_scenes_with_trees_are_none_for_graphs() -> None:
    many = SceneBatch.of([SCENES[0].model_copy(update={"objects": (Sphere(center=(0, 0, 0), radius=0.3),) * 97})])
    assert has_trees(frame_rows(many, FrameSize(1, 128, WIDTH, HEIGHT)))
    assert not has_trees(frame_rows(SceneBatch.of(SCENES), FrameSize(3, 64, WIDTH, HEIGHT)))


class Recorded:
    """Stands in for a graph, and counts how often one was recorded."""

    count = 0

    def __init__(self, model, rows, size, device, least):
        self.model, self.size, self.room = model, size, least
        Recorded.count += 1

    def replay(self, rows):
        fits = len(rows.host.kind) <= 9 or Recorded.count > 1
        return self.model(rows.host, width=self.size.width, height=self.size.height) if fits else None


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
            assert torch.equal(graphs.render(host, WIDTH, HEIGHT), MODEL(host, width=WIDTH, height=HEIGHT))
    assert counts == [(0, False), (0, False), (1, True), (1, True), (2, True)]


@pytest.mark.gpu
@torch.inference_mode()
def test_graphs_on_a_gpu_render_what_the_model_does() -> None:
    model = Renderer.from_pretrained("ray-small", "cuda").model
    graphs = FrameGraphs(model, "cuda")
    for scene in [*SCENES, *SCENES]:  # the first by launches, the next is recorded, others replay it
        host = SceneBatch.of([scene])
        expected = model(host.to("cuda"), width=WIDTH, height=HEIGHT).cpu().numpy()
        picture = graphs.render(host, WIDTH, HEIGHT).cpu().numpy()
        np.testing.assert_allclose(picture, expected, rtol=1e-4, atol=1e-5)  # sums in another order
