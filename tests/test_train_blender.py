"""Training the Blender: the same command gives the same weights, from files that are made once."""

import math
from dataclasses import replace

import pytest
import torch
import tyro

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.experiments.rare_light import rare_light
from luxel.experiments.train_blender import (
    JUDGED_TOGETHER,
    MAX_DIFFERENCE,
    MIN_WIDTH,
    MODELS,
    SPP,
    Options,
    bounded,
    difference,
    examples,
    main,
    make,
    scene_of,
    traced_targets,
)
from luxel.files.tensors import read_tensors
from luxel.models.blender import Blender, BlenderConfig
from luxel.models.residual_features import FEATURES
from luxel.scene import Camera, Material, Scene, Sphere
from luxel.scene.composed import Composed
from luxel.scene.distributions import Mixed


def test_it_is_trained_again_to_the_same_weights(tmp_path):
    options = Options(
        out=tmp_path / "a",
        data=tmp_path / "data",
        scenes=2,
        width=13,
        target_spp=4,
        noisy_target_spp=7,
        steps=3,
        blender=BlenderConfig(hidden=5),
    )
    main(options)
    files = sorted((tmp_path / "data").iterdir())
    times = [path.stat().st_mtime_ns for path in files]
    assert len(files) == 2
    torch.manual_seed(123)
    main(replace(options, out=tmp_path / "b"))
    assert [path.stat().st_mtime_ns for path in files] == times
    first, again = (Blender.from_pretrained(tmp_path / name).state_dict() for name in "ab")
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    learned = (first["head.bias"] != 0).tolist()  # all but what pictures of 13² have not: bands of 8 and 16 pixels
    assert learned == [True] * 3 + [False] * 2 + [True] * 4
    assert (first["judge.2.bias"] != 0).all()
    data = examples(options)
    assert len(data) == len(SPP)
    for of_spp in data:
        assert len(of_spp.fragments) == 2 * 13 * 13
        assert of_spp.residual.features.shape == (int(of_spp.fragments.sum()), FEATURES)
        assert of_spp.residual.features.isfinite().all()
        assert of_spp.weight.unique().numel() == 2


def test_some_pixels_have_their_own_fragments(tmp_path):
    options = Options(out=tmp_path / "a", data=tmp_path / "data", scenes=2, width=13, target_spp=4, noisy_target_spp=5)
    every = examples(options)[0]
    chosen = torch.tensor([300, 7, 7, 64])
    some, first = every.some(chosen), every.fragments.cumsum(0) - every.fragments
    rows = [torch.arange(int(first[i]), int(first[i] + every.fragments[i])) for i in chosen]
    torch.testing.assert_close(some.radiance, every.radiance[torch.cat(rows)], rtol=0, atol=0)
    torch.testing.assert_close(some.residual.bands, every.residual.bands[torch.cat(rows)], rtol=0, atol=0)
    assert some.shares.pixel.tolist() == [place for place, own in enumerate(rows) for _ in own]
    torch.testing.assert_close(some.target, every.target[chosen], rtol=0, atol=0)


def test_targets_that_differ_are_made_of_more_paths(tmp_path):
    """A ball that the sky lights is as bright in both, one by a lamp in glass is not."""
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
    ball, lamp = Sphere(center=(0, 0, 0), radius=1), Material(emission=(9, 9, 9))
    glass = Sphere(center=(0, -1.5, 1), radius=0.2, material=Material(transmission=1.0, roughness=0.0))
    plain = Scene(objects=(ball,), camera=camera, background=(0.5, 0.5, 0.5))
    rare = Scene(objects=(ball, glass, Sphere(center=(0, -1.5, 1), radius=0.1, material=lamp)), camera=camera)
    options = Options(out=tmp_path, width=13, target_spp=16, noisy_target_spp=23)
    for scene, spp in ((plain, 16), (rare, 23)):
        batch, path = SceneBatch.of([scene]), tmp_path / f"{spp}.safetensors"
        make(path, scene, options)
        found, _ = read_tensors(path, "")
        assert (difference(*traced_targets(batch, 13, 16)) > MAX_DIFFERENCE) == (spp == 23)
        for half, expected in enumerate(traced_targets(batch, 13, spp)):
            torch.testing.assert_close(found[f"truth{half}"], expected, rtol=0, atol=0)


def test_how_much_two_targets_differ_by_hand():
    """Blurred over all of a picture of 3², by 0.3 of 0.2 and the radiance that is added."""
    first, second = torch.zeros(2, 3, 3, 3)
    first[1, 1] = 9 * 0.35
    second[0, 2] = 9 * 0.05
    assert difference(first, second) == pytest.approx(0.3 / (0.2 + 0.01), rel=1e-5)
    assert difference(first, first) == 0


def test_a_scene_has_pixels_enough_to_be_judged(tmp_path, capsys):
    assert MIN_WIDTH**2 >= JUDGED_TOGETHER > (MIN_WIDTH - 1) ** 2
    with pytest.raises(InputError, match=r"^width is 12, must be an integer in \[13, 65536\]$"):
        Options(out=tmp_path, width=12)
    with pytest.raises(SystemExit):
        tyro.cli(Options, args=["--out", str(tmp_path), "--width", "12"])
    assert "width is 12, must be an integer in [13, 65536]" in capsys.readouterr().err


def test_what_is_far_more_than_expected_counts_as_its_logarithm():
    torch.testing.assert_close(
        bounded(torch.tensor([-1.0, 4.0, 5.0, 5 * math.e])), torch.tensor([-1.0, 4.0, 5.0, 10.0])
    )


def test_scenes_are_of_three_kinds_and_models_ship():
    assert scene_of(7, 4) == Composed()(7, 4)
    assert scene_of(7, 5) == rare_light(7, 5)
    assert scene_of(7, 6) == Mixed()(7, 6)
    assert set(MODELS) == {"ray-small", "ray-base"}
