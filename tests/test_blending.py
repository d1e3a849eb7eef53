"""Blending a picture with paths: whatever the picture, the truth in the end."""

from dataclasses import replace
from functools import partial, reduce

import numpy as np
import pytest
import torch
from blended import HEIGHT, ONE, WIDTH, blender, paths_of, residual_of, surfaces_of, traced
from tracer_scenes import FEATURES

from luxel.core.fragments import FragmentPaths
from luxel.core.scene_batch import SceneBatch
from luxel.models.blender import Coefficients
from luxel.models.blending import MIN_ERROR, blend, blended_picture, combine
from luxel.models.residual_features import LEVELS
from luxel.models.residual_filter import DETAILS
from luxel.models.traced_paths import Paths, Shares, pooled, shares_of_pixels
from luxel.models.visible_surfaces import visible_surfaces
from luxel.scene import Camera, Material, Panel, Plane, Scene, Sphere

KINDS = [
    "many lights",
    "smooth glass",
    "light in glass",
    "glossy metal",
    "smooth metal",
    "metal box",
    "panel lamp above",
]


def test_the_blend_by_hand():
    """M = 1 − 0.5 · 0.2 + 0.5 · 0.4 + 1 · 0.4 = 1.5; P − M = 0.3, of whose square 0.018 may be unseen noise."""
    bands, coefficients = torch.zeros(1, LEVELS, 3), torch.zeros(1, LEVELS)
    bands[0, 0], bands[0, -1] = 0.4, 0.4
    coefficients[0, 0], coefficients[0, -1] = 0.5, 1.0
    details = torch.tensor([[0.5, 0.0]])

    def blended(scale: float, noise: float, error: float, paths: int = 4) -> tuple[float, float]:
        residual = residual_of(bands, torch.ones(1, LEVELS), scale, noise)
        residual.details[0, 0] = 0.2
        believed = Coefficients(coefficients, details, torch.tensor([error]))
        mean, counts = torch.full((1, 3), 1.8), torch.tensor([float(paths)])
        picture, variance = combine(torch.ones(1, 3), mean, counts, residual, believed)
        return float(picture[0, 0]), float(variance[0])

    w = 0.03 / (0.03 + 0.042 + 0.018)
    np.testing.assert_allclose(blended(0.0, 0.042, 0.03), (1.5 + 0.3 * w, w * 0.06), rtol=1e-5)
    w = 4 * MIN_ERROR**2 / (4 * MIN_ERROR**2 + 0.06)
    np.testing.assert_allclose(blended(2.0, 0.042, 0.0), (1.5 + 0.3 * w, w * 0.06), rtol=1e-5)
    variance = 0.001 + 0.09 / 1440
    beyond = 0.09 - 11 * variance  # than which noise explains no more: 9 (1 + 32 / 144) = 11
    w = beyond / (beyond + variance)
    np.testing.assert_allclose(blended(0.0, 0.001, 0.0, 144), (1.5 + 0.3 * w, variance * w), 1e-4)
    np.testing.assert_allclose(blended(0.0, 0.042, 0.03, 0)[0], 1.5, rtol=1e-6)


def test_where_light_is_rare_paths_that_missed_it_are_believed_no_more_than_they_differ():
    """M is 1, P 0.2 and 64 paths: 0.64 may be M's error and 0.25 + 0.64 / 320 P's, whatever is expected of M."""

    def weight(noisy: float, error: float = 9.0, scale: float = 1.0) -> float:
        residual = residual_of(torch.zeros(1, LEVELS, 3), torch.ones(1, LEVELS), scale, 0.25)
        residual = residual._replace(noisy=torch.tensor([noisy]))
        believed = Coefficients(torch.zeros(1, LEVELS), torch.zeros(1, DETAILS), torch.tensor([error]))
        picture, _ = combine(torch.ones(1, 3), torch.full((1, 3), 0.2), torch.tensor([64.0]), residual, believed)
        return float(1 - picture[0, 0]) / 0.8

    np.testing.assert_allclose(weight(0.5), 0.64 / (0.64 + 0.252), rtol=1e-4)
    np.testing.assert_allclose(weight(0.05), 9 / (9 + 0.252), rtol=1e-4)  # a neighbour's lucky path
    np.testing.assert_allclose(weight(0.5, error=0.1), 0.1 / (0.1 + 0.252), rtol=1e-3)
    np.testing.assert_allclose(weight(0.5, scale=5.0), 4 / (4 + 0.252), rtol=1e-3)


def test_pooled_paths_are_all_of_them():
    """Of pixels, and of fragments, two a pixel, the second of which no path of the first part has met."""
    values = torch.rand(13, 24, 3, generator=torch.Generator().manual_seed(0)).double()
    met = (torch.rand(13, 24, generator=torch.Generator().manual_seed(1)) < 0.5).long()
    met[:, 0] = 0
    pixel = torch.arange(13).repeat_interleave(2)

    def of(first: int, end: int) -> Paths:
        part, which = values[:, first:end], met[:, first:end]
        count = end - first
        variance = part.var(1).mean(1) / count if count > 1 else torch.full((13,), torch.inf).double()
        is_own = torch.stack([which == 0, which == 1], 1).double()
        counts = is_own.sum(2)
        mean = torch.einsum("pfn,pnc->pfc", is_own, part) / counts.clamp(min=1)[..., None]
        off = (part[:, None] - mean[:, :, None]).square().mean(3) * is_own
        return Paths(
            part.mean(1),
            variance,
            torch.full((13,), float(count)),
            FragmentPaths(mean.flatten(0, 1), counts.flatten(), off.sum((1, 2))),
        )

    parts = [of(0, 1), of(1, 5), of(5, 24)]
    together, all_of_them = reduce(partial(pooled, pixel), parts), of(0, 24)
    torch.testing.assert_close(together.mean, all_of_them.mean)
    torch.testing.assert_close(together.variance, all_of_them.variance)
    torch.testing.assert_close(tuple(together.of_fragments), tuple(all_of_them.of_fragments))
    assert (together.spp == 24).all()


def test_an_edge_has_no_noise_of_its_own():
    """Two panels that glow, a right picture, and four paths: what share of them shows which says nothing."""
    halves = tuple(
        Panel(center=(side * 50 - 0.3, 0, 0), half_extents=(50, 50), material=Material(emission=(light,) * 3))
        for side, light in ((-1, 20.0), (1, 0.5))
    )
    scene = Scene(objects=halves, camera=Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0)))
    truth, paths = traced(scene, 4096).mean, traced(scene, 4)
    shared = (surfaces_of(scene).fragments.offsets.diff() > 1).nonzero()[:, 0]
    assert len(shared) >= HEIGHT
    picture, _ = blend(SceneBatch.of([scene]), surfaces_of(scene), truth.reshape(1, HEIGHT, WIDTH, 3), paths)
    off = (picture.reshape(-1, 3) - truth)[shared].abs().mean()
    assert off < 0.05 * (paths.mean - truth)[shared].abs().mean()


def test_what_no_fragment_shows_comes_of_the_paths_alone():
    """One of four paths has met a lamp that the lattice had not: it counts for as much as one path beside 32 rays."""
    surfaces = surfaces_of(ONE)
    seen, mean = surfaces.fragments, torch.full((HEIGHT * WIDTH, 3), 0.25)
    own = FragmentPaths(torch.zeros(len(seen.pixel), 3), 3 * seen.coverage, torch.zeros(len(mean)))
    shares = shares_of_pixels(surfaces, Paths(mean, mean[:, 0], torch.full((len(mean),), 4.0), own))
    believed = 4**1.5 / (4**1.5 + 32**1.5)
    torch.testing.assert_close(shares.unknown, torch.full((len(mean),), 0.25 * believed))
    torch.testing.assert_close(shares.from_unknown, 0.25 * believed * torch.ones_like(mean))


@pytest.mark.parametrize("radius", [0.09, 0.3, 2.1])
def test_how_far_off_lamps_shares_are_is_known_of_specks_too(radius):
    """In pixels; against shares of a picture of 16 × 16 times as many."""
    side, rng = 31, np.random.default_rng(0)
    places = [(x + rng.uniform(), y + rng.uniform(), 4.0) for x in range(-12, 13, 6) for y in range(-12, 13, 6)]
    lamps = [Sphere(center=place, radius=radius, material=Material(emission=(5, 5, 5))) for place in places]
    camera = Camera(
        position=(0, 0, 19), look_at=(0, 0, 0), up=(0, 1, 0), projection="orthographic", vertical_extent=side
    )
    batch = SceneBatch.of([Scene(objects=(Plane(center=(0, 0, 0)), *lamps), camera=camera)])
    of_lamps, certainty = [], []
    for fine in (1, 16):
        surfaces = visible_surfaces(batch, fine * side, fine * side)
        seen, one = surfaces.fragments, torch.ones(surfaces.pixels)
        neutral = FragmentPaths(torch.zeros(len(seen.pixel), 3), seen.coverage, one)
        shares = shares_of_pixels(surfaces, Paths(one[:, None].expand(-1, 3), one, one, neutral))
        of_lamps.append(torch.zeros_like(one).index_add(0, surfaces.pixel, shares.coverage * surfaces.is_lamp))
        certainty.append(shares.certainty)
    truth = of_lamps[1].reshape(side, 16, side, 16).mean((1, 3)).flatten()
    shown = (of_lamps[0] > 0) & (of_lamps[0] < 1)
    expected = (of_lamps[0] * (1 - of_lamps[0]) / certainty[0])[shown].sum()
    assert 0.4 < (of_lamps[0] - truth)[shown].square().sum() / expected < 2.5


def test_what_lamps_shares_are_off_by_hand():
    """A lamp of 10 on 1 covers 0.05, 0.5 and 0.95 of a pixel, off by c (1 − c) / n: what it adds is as much of 9²."""
    lamp = torch.tensor([0.05, 0.5, 0.95])
    certainty = torch.tensor([100.0, 200.0, 400.0])
    pixel = torch.arange(3).repeat_interleave(2)
    coverage = torch.stack([lamp, 1 - lamp], 1).flatten()
    shares = Shares(pixel, coverage, torch.zeros(3), torch.zeros(3, 3), certainty)
    radiance = torch.tensor([10.0, 1.0] * 3)[:, None].expand(-1, 3)
    mean, _ = shares.pixels(radiance, torch.zeros(6))
    error = shares.lamps_error(torch.tensor([True, False] * 3), radiance, mean)
    torch.testing.assert_close(error, 81 * lamp * (1 - lamp) / certainty)


def test_pixels_by_hand():
    """0.3 of 10 and 0.6 of 1 and, of what is unknown, 0.1 of 5: 4.1, and they are 5.9, 3.1 and 0.9 from it."""
    shares = Shares(
        torch.zeros(2, dtype=torch.long),
        torch.tensor([0.3, 0.6]),
        torch.tensor([0.1]),
        torch.full((1, 3), 0.5),
        torch.tensor([100.0]),
    )
    picture, error = shares.pixels(torch.tensor([[10.0] * 3, [1.0] * 3]), torch.tensor([0.2, 0.5]))
    torch.testing.assert_close(picture, torch.full((1, 3), 4.1))
    torch.testing.assert_close(error, torch.tensor([0.06 + 0.3 + (0.3 * 5.9**2 + 0.6 * 3.1**2 + 0.1 * 0.9**2) / 100]))
    assert shares.largest().tolist() == [1]


@pytest.fixture(scope="module", params=KINDS)
def scene_and_paths(request) -> tuple[Scene, torch.Tensor, dict[int, list[Paths]]]:
    """A scene, its truth, and four runs each of 256 and of 4096 paths a pixel, traced once for both estimates."""
    scene = FEATURES[request.param][0]
    runs = {spp: [traced(scene, spp, seed) for seed in range(4)] for spp in (256, 4096)}
    return scene, traced(scene, 1 << 15, seed=9).mean, runs


@pytest.mark.parametrize("trained", [False, True], ids=["estimated", "network"])
def test_the_error_falls_as_that_of_paths_whatever_the_picture(scene_and_paths, trained):
    """Of a picture that is 30 % off and has a gradient of its own, sixteen times the paths leave a sixteenth."""
    scene, truth, traced_runs = scene_and_paths
    wrong = truth * (0.7 + 0.6 * torch.linspace(0, 1, WIDTH).repeat(HEIGHT)[:, None]) + 0.02
    shape, batch, believed = (1, HEIGHT, WIDTH, 3), SceneBatch.of([scene]), blender() if trained else None
    errors, of_paths, surfaces = {}, {}, surfaces_of(scene)
    for spp, runs in traced_runs.items():
        with torch.no_grad():
            pictures = [
                blend(batch, surfaces, wrong.reshape(shape), paths, believed)[0].reshape(-1, 3) for paths in runs
            ]
        errors[spp] = np.mean([float(((picture - truth) ** 2).mean()) for picture in pictures])
        of_paths[spp] = np.mean([float(((paths.mean - truth) ** 2).mean()) for paths in runs])
    # Variances that know of no strata are slow to believe; lamps' edges have little error to begin with.
    assert errors[4096] < max(errors[256] / (6 if trained else 4), 1.2 * of_paths[4096])
    assert errors[4096] < (1.5 if trained else 6) * of_paths[4096]


@pytest.mark.parametrize("trained", [False, True], ids=["estimated", "network"])
def test_pixels_of_other_numbers_of_paths_change_nothing(trained):
    """Of a batch, one scene has a path a pixel and the other 16, in two parts of 4 and 12: each is as it is alone."""
    believed = blender() if trained else None
    scenes, numbers = [ONE, FEATURES["glossy glass"][0]], [(1,), (4, 12)]
    surfaces = [surfaces_of(scene) for scene in scenes]
    parts = [
        [traced(scene, spp, seed) for seed, spp in enumerate(of_scene)]
        for scene, of_scene in zip(scenes, numbers, strict=True)
    ]
    alone = [reduce(partial(pooled, seen.pixel), paths) for seen, paths in zip(surfaces, parts, strict=True)]
    together = Paths(
        *(torch.cat(column) for column in zip(*(paths[:3] for paths in alone), strict=True)),
        FragmentPaths(*map(torch.cat, zip(*(paths.of_fragments for paths in alone), strict=True))),
    )
    picture = torch.full((2, HEIGHT, WIDTH, 3), 0.3)
    with torch.no_grad():
        both, error = blend(SceneBatch.of(scenes), surfaces_of(*scenes), picture, together, believed)
        for number, (scene, seen, paths) in enumerate(zip(scenes, surfaces, alone, strict=True)):
            one, one_error = blend(SceneBatch.of([scene]), seen, picture[:1], paths, believed)
            torch.testing.assert_close(one[0], both[number], rtol=1e-5, atol=1e-7)
            torch.testing.assert_close(one_error[0], error[number], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("trained", [False, True], ids=["estimated", "network"])
def test_it_knows_no_unit_of_light_and_a_batch_is_its_scenes(trained):
    believed = blender() if trained else None
    scenes = [ONE, FEATURES["glossy glass"][0]]
    batch, surfaces = SceneBatch.of(scenes), surfaces_of(*scenes)
    paths = traced(scenes, 4)
    picture = (paths.mean * 0.8 + 0.01).reshape(2, HEIGHT, WIDTH, 3)
    found = paths.of_fragments
    with torch.no_grad():
        both, error = blend(batch, surfaces, picture, paths, believed)
        brighter = FragmentPaths(found.mean * 64, found.counts, found.scatter * 4096)
        brighter_paths = Paths(paths.mean * 64, paths.variance * 4096, paths.spp, brighter)
        brighter_batch = replace(batch, background=64 * batch.background)
        scaled, scaled_error = blend(brighter_batch, surfaces, picture * 64, brighter_paths, believed)
        for number, scene in enumerate(scenes):
            one, _ = blend(
                SceneBatch.of([scene]), surfaces_of(scene), picture[number : number + 1], traced(scene, 4), believed
            )
            torch.testing.assert_close(one[0], both[number], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(scaled, both * 64, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(scaled_error, error * 4096, rtol=1e-2, atol=1e-3)


def test_a_black_picture_of_nothing_is_black():
    dark = ONE.model_copy(update={"background": (0.0, 0.0, 0.0)})
    zeros = torch.zeros(HEIGHT * WIDTH, 3)
    for spp in (1, 4):
        paths = paths_of(surfaces_of(dark), zeros, torch.full((len(zeros),), torch.inf if spp == 1 else 0.0), spp)
        for believed in (None, blender()):
            picture, error = blend(
                SceneBatch.of([dark]), surfaces_of(dark), zeros.reshape(1, HEIGHT, WIDTH, 3), paths, believed
            )
            assert (picture == 0).all()
            assert error.isfinite().all()


@pytest.mark.parametrize("trained", [False, True], ids=["estimated", "network"])
def test_a_sky_that_is_the_same_everywhere_is_known_unless_paths_find_something_else(trained):
    """The picture is a tenth too bright; a path of the first pixel has found twice as much as the sky."""
    sky = torch.tensor(ONE.background)
    surfaces, paths = surfaces_of(ONE), traced(ONE, 4)
    picture = (1.1 * paths.mean).reshape(1, HEIGHT, WIDTH, 3)
    given = SceneBatch.of([ONE]), surfaces, picture
    shown = surfaces.fragments.object_id.long() + 1
    is_sky = torch.zeros(HEIGHT * WIDTH, dtype=torch.long).index_add(0, surfaces.pixel, shown) == 0
    assert is_sky[0]
    assert 20 < is_sky.sum() < HEIGHT * WIDTH
    with torch.no_grad():
        blended, error = (values[0].flatten(0, 1) for values in blend(*given, paths, blender() if trained else None))
        assert (blended[is_sky] == sky).all()
        assert (error[is_sky] == 0).all()
        found = paths.of_fragments
        brighter = FragmentPaths(found.mean.clone(), found.counts, found.scatter.clone())
        brighter.mean[0], brighter.scatter[0] = 2 * sky, 1e-6
        more = Paths(paths.mean, paths.variance, paths.spp, brighter)
        blended, error = (values[0].flatten(0, 1) for values in blend(*given, more, blender() if trained else None))
    assert (blended[0] > 1.5 * sky).all()
    assert error[0] > 0
    assert (blended[is_sky][1:] == sky).all()


def test_one_lucky_path_does_not_show():
    """A path of a thousand times the radiance around it leaves its pixel within a tenth of the picture."""
    mean, variance = torch.full((HEIGHT * WIDTH, 3), 0.5), torch.full((HEIGHT * WIDTH,), 1e-3)
    mean[38], variance[38] = 125.0, 125.0**2
    picture = torch.full((1, HEIGHT, WIDTH, 3), 0.5)
    surfaces = surfaces_of(ONE)
    blended, _ = blend(SceneBatch.of([ONE]), surfaces, picture, paths_of(surfaces, mean, variance, 4))
    assert (blended - picture).abs().max() < 0.05


def test_a_picture_without_its_error_is_the_same_and_asks_no_judge(monkeypatch):
    saved, scene = blender(), FEATURES["many lights"][0]
    paths = traced(scene, 4)
    given = SceneBatch.of([scene]), surfaces_of(scene), (paths.mean * 0.9).reshape(1, HEIGHT, WIDTH, 3), paths, saved
    with torch.no_grad():
        expected, _ = blend(*given)
        monkeypatch.setattr(saved, "judged", None)
        assert (blended_picture(*given) == expected).all()
