"""One segment of paths, by hand; what many of them add up to is compared with Mitsuba in `test_path`."""

import pytest
import torch
from tracer_scenes import CAMERA, GREY, LAMP, ball, glass, scene

from luxel.geometry.vectors import Vector
from luxel.trace import segment
from luxel.trace.packed import pack
from luxel.trace.segment import SURVIVAL, Blocks, Paths, Scattered, Surface, blocks_of
from luxel.trace.stages import EAGER

LANES = 64


def blocks(*objects) -> Blocks:
    """One block, and another of the same scene."""
    return blocks_of(pack([scene(*objects, background=GREY)], 0, torch.device("cpu")), torch.tensor([0, 0]))


def begun(where: Blocks, origin: tuple[float, float, float], direction: tuple[float, float, float]):
    """Paths along one ray in the first ten lanes, and their light."""
    start, along = (Vector(*(torch.full((2, LANES), float(value)) for value in v)) for v in (origin, direction))
    nowhere = torch.full((2, LANES), -1, dtype=torch.int32)
    (met,) = segment.meet(where, start, [along], nowhere)
    source = torch.full((2, LANES), -1)
    source[0, :10] = torch.arange(10)
    flat = (start.map(torch.flatten), along.map(torch.flatten))
    return met, segment.begin(where, source, *flat, type(met)(met.item.flatten(), met.distance.flatten()))


def scattered(where: Blocks, paths: Paths, depth: int) -> tuple[Surface, Scattered]:
    """From every lane that is a path."""
    source = torch.where(paths.alive, torch.arange(2 * LANES).reshape(2, LANES), -1)
    numbers = torch.zeros(2 * LANES, dtype=torch.int32)
    flat = Paths(*(field.flatten(-2) for field in paths))
    return segment.scatter(
        where, flat, source, torch.arange(2 * LANES).int(), numbers, torch.tensor(depth, dtype=torch.int32)
    )


def test_light_is_seen_from_outside_alone():
    lit = blocks(ball(0, 0, 0, 1, LAMP))
    met, (paths, light) = begun(lit, (0, -5, 0), (0, 1, 0))
    assert met.distance[0, 0].item() == pytest.approx(4)
    assert light[:, 0, :10].T.tolist() == [[2, 3, 5]] * 10
    assert (light[:, 0, 10:] == 0).all()
    assert paths.alive.sum() == 10
    torch.testing.assert_close(paths.numbers[:6, 0, 0], torch.tensor([0.0, -1, 0, 0, -1, 0]))
    _, (_, inside) = begun(lit, (0, 0, 0), (0, 1, 0))
    assert (inside == 0).all()


def test_lanes_that_are_no_paths_find_nothing_and_end():
    where = blocks(ball(0, 0, 0, 1), ball(0, -9, 3, 1, LAMP))
    _, (paths, _) = begun(where, (0, -5, 0), (0, 1, 0))
    surface, drawn = scattered(where, paths, 1)
    assert (drawn.density > 0).sum() == 10
    assert (surface.throughput.x != 0).sum() == 10
    source = torch.where(paths.alive, torch.arange(2 * LANES).reshape(2, LANES), -1)
    flat = Paths(*(field.flatten(-2) for field in paths))
    pixel = torch.arange(2 * LANES).int()
    after, light = EAGER.advance(where, flat, source, pixel, pixel, torch.tensor(1, dtype=torch.int32))
    assert not after.alive[~paths.alive].any()
    assert (light[:, ~paths.alive] == 0).all()
    assert (light[:, paths.alive] > 0).any()


def test_roulette_begins_at_the_fifth_segment_and_knows_the_index():
    where = blocks(ball(0, 0, 0, 1, glass(0.05)))
    _, (paths, _) = begun(where, (0, -5, 0), (0, 1, 0))
    _, early = scattered(where, paths, 4)
    assert (early.survival == 1).all()
    _, late = scattered(where, paths, 5)
    crosses = late.eta[0, :10] > 1.4
    assert crosses.any()
    # Into glass radiance is divided by η², and the probability is not.
    torch.testing.assert_close(late.survival[0, :10][crosses], torch.full((int(crosses.sum()),), SURVIVAL))


def test_the_middle_of_an_image_is_straight_ahead():
    packed = pack([scene(ball(0, 0, 0, 1), camera=CAMERA)], 0, torch.device("cpu"))
    views = segment.Views(packed.cameras, packed.key)
    size = (torch.tensor(side, dtype=torch.int32) for side in (101, 101))
    middle = torch.full((1, LANES), 50 * 101 + 50, dtype=torch.int32)
    rays = segment.camera_rays(views, middle, torch.arange(LANES).int()[None], *size)
    forward = torch.tensor(CAMERA.look_at) - torch.tensor(CAMERA.position)
    torch.testing.assert_close(rays[3:, 0].mean(1), forward / forward.norm(), atol=2e-3, rtol=0)
