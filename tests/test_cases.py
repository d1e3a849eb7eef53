"""Small inputs that renderers, or an earlier Luxel, failed at, each with what is right; tests/cases/ has their files.

Each stands for a whole kind. `ELSEWHERE` names the tests of the kinds that need no file.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_folder import write_data_folder

from luxel import InputError, Renderer, Scene
from luxel.cli import main
from luxel.data.generate_settings import GenerateSettings
from luxel.files.exr import load_exr
from luxel.image.metrics import image_metrics
from luxel.scene import Spheres
from luxel.trace.mitsuba_limits import known_wrong
from luxel.trace.path import PathTracer

TESTS = Path(__file__).parent
CASES = TESTS / "cases"
SHIPPED_NAMES = ["ray-small", "ray-base"]


@pytest.fixture(scope="module", params=SHIPPED_NAMES)
def renderer(request) -> Renderer:
    return Renderer.from_pretrained(request.param)


def case(name: str) -> Scene:
    return Scene.load(CASES / f"{name}.json")


def traced(scene: Scene, side: int = 32, spp: int = 256) -> np.ndarray:
    return PathTracer().trace([scene], side, side, spp, seed=0).mean[0]


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return int(exit_.value.code or 0)


# Light. Of a clear ball networks lose what is reflected within, at the rim.
MEANS = {
    "mit_ground": (0.5026, 0.01),
    "ground_1e5": (0.958, 0.01),
    "mit_far_origin": (0.9991, 0.04),
    "mit_far_clip": (0.0828, 0.01),
    "small_lamp": (0.00394, 0.03),
    "flat_lamp": (0.0696, 0.03),
    "metal_transmission": (0.923, 0.02),
    "rough_glass_before_lamp": (0.2288, 0.1),
    "in_glass": (0.406, 0.03),
    "small_units": (0.602, 0.02),
    "enclosing_lamp": (0.0, 0.0),
    "negative_pixel": (0.0, 0.0),
}
"""The mean of the picture, and by what share the networks may miss it."""


@pytest.mark.parametrize("name", MEANS)
def test_the_path_tracer_is_right(name):
    image = traced(case(name))
    assert image.min() >= 0
    assert image.mean() == pytest.approx(MEANS[name][0], rel=0.01)


@pytest.mark.parametrize("name", MEANS)
def test_the_networks_are_about_right(name, renderer):
    right, tolerance = MEANS[name]
    image = renderer(case(name), 32)
    assert image.min() >= 0
    assert image.mean() == pytest.approx(right, rel=tolerance, abs=1e-9)


def test_small_lamps_of_the_same_intensity_give_the_same_light(renderer):
    """Of radiance 0.1 / r², down to the least radius for which the format allows that."""
    scene = case("small_lamp")
    sized = [scene.with_object(0, radius=r).with_material(0, emission=(0.1 / r**2,) * 3) for r in (0.1, 1e-2, 3.2e-4)]
    assert renderer.render(sized, 32).mean((1, 2, 3)) == pytest.approx([0.00394] * 3, rel=0.03)


@pytest.mark.parametrize("height", [1 / 3, 0.1, 0.05])
def test_lamps_of_any_flatness_light_the_ground(height, renderer):
    scene = case("flat_lamp").with_object(0, semi_axes=(1, 1, height))
    assert renderer(scene, 32).mean() == pytest.approx(traced(scene).mean(), rel=0.03)


@pytest.mark.parametrize("roughness", [0.0, 0.05, 0.5, 1.0])
def test_a_metal_that_transmits_is_never_brighter_than_its_sky(roughness, renderer):
    scene = case("metal_transmission").with_material(0, roughness=roughness)
    assert renderer(scene, 64).max() <= 1 + 1e-6
    assert traced(scene).max() <= 1 + 1e-3


def test_a_lamp_glows_softly_through_rough_glass(renderer):
    scene = case("rough_glass_before_lamp")
    ours, truth = renderer(scene, 32), traced(scene, 32, 256)
    np.testing.assert_allclose(ours[12:20, 12:20].mean((0, 1)), truth[12:20, 12:20].mean((0, 1)), rtol=0.05)
    assert ours.max() <= 5 * (1 + 1e-4), "the lamp's own"


def test_far_from_the_origin_a_ball_is_as_near_to_it(renderer):
    far = case("mit_far_origin")
    near = far.with_object(0, center=(0, 0, 0)).with_camera(position=(0, -4, 0), look_at=(0, 0, 0))
    assert renderer(far, 32).mean() == pytest.approx(renderer(near, 32).mean(), rel=1e-3)


@pytest.mark.parametrize("name", ["mit_ground", "ground_1e5", "mit_far_origin", "mit_far_clip", "small_lamp"])
def test_what_mitsuba_gets_wrong_is_said(name):
    assert known_wrong(case(name))


def test_where_lamps_shine_is_said():
    assert "A lamp that encloses other objects does not light them" in (TESTS.parent / "docs/scene.md").read_text()


# Files
def test_a_speck_of_a_lamp_has_its_truth(tmp_path, capsys):
    """By the path tracer; what Mitsuba cannot make is one line that names the object."""
    command = ["render", CASES / "render_truth_tiny_lamp.json", "--truth", "2", "--width", "8"]
    assert call(*command, "--out", tmp_path / "a.exr") == 0
    assert (load_exr(tmp_path / "a.exr") == 0).all()
    assert call(*command, "--out", tmp_path / "b.exr", "--tracer", "mitsuba") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("luxel render: objects[0] is nothing that Mitsuba can make (")
    assert last.endswith("; use --tracer path")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("deep_nesting_inside", ["nested too deeply; a scene has five levels"]),
        ("duplicate_key", ["objects[0].radius is given twice; give it once"]),
        (
            "surrogate_key",
            ["\\ud800 is not a known field; known are schema_version, objects, camera, background, sky, sun"],
        ),
        (
            "esc",
            [
                "objects[0].shape is '\\x1b[31mx', must be one of sphere, ellipsoid, box, cylinder, panel, plane",
                "\\x1b[2J\\x1b]0;pwn\\x07 is not a known field; "
                "known are schema_version, objects, camera, background, sky, sun",
            ],
        ),
    ],
)
def test_a_file_that_is_no_scene_is_told_why(name, lines, capsys, tmp_path):
    path = CASES / f"{name}.json"
    assert call("render", path, "--out", tmp_path / "x.png") == 1
    assert capsys.readouterr().err == "luxel render: " + "\n".join(f"{path}: {line}" for line in lines) + "\n"
    assert not any(tmp_path.iterdir())


def test_nesting_of_any_depth_is_one_line():
    text = (CASES / "deep_nesting_inside.json").read_text().replace("[" * 99, "[" * 100_000)
    with pytest.raises(InputError, match="nested too deeply") as error:
        Scene.from_json(text)
    assert "\n" not in str(error.value)


# Evaluation
@pytest.fixture(scope="module")
def four_by_four(tmp_path_factory) -> Path:
    settings = GenerateSettings(Spheres(max_objects=3), count=12, width=4, height=4, spp=2, test_share=0.4)
    return write_data_folder(tmp_path_factory.mktemp("four") / "data", settings)


def test_a_model_that_comes_with_luxel_is_evaluated(four_by_four, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("evaluate", "ray-small", "--data", four_by_four) == 0
    assert "psnr" in capsys.readouterr().out


def test_small_images_have_metrics():
    import torch

    images = torch.rand((3, 2, 4, 4, 3), generator=torch.Generator().manual_seed(0))
    metrics = image_metrics(*images, torch.ones(2))
    assert all(values.isfinite().all() for values in metrics.values())


# The suite
def test_tests_pass_in_the_background_of_a_script():
    """Where a shell has SIGINT ignored."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(TESTS / "test_runtime.py"), "-k", "ctrl_c"]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=TESTS.parent,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.slow
def test_tests_come_in_one_order():
    """As `pytest -n` needs it, whose processes hash differently."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only"]
    collected = [
        subprocess.run(
            command, capture_output=True, text=True, cwd=TESTS.parent, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout.splitlines()[:-1]
        for seed in "12"
    ]
    assert len(collected[0]) > 1000
    assert collected[0] == collected[1]


ELSEWHERE = {
    "a sphere that emits and transmits": "test_mitsuba.py::test_glowing_glass_adds_its_glow_once",
    "`trace_rays` with directions of any length": "test_path.py::test_rays_of_their_own_see_what_the_camera_sees",
    "rays of any length, of a network": "test_ray_model.py::test_the_length_of_a_ray_changes_nothing",
    "`model_copy` with a wrong value": "test_description.py::test_a_scene_that_exists_is_valid",
    "options out of their range": "test_cli.py::test_a_mistake_is_one_message",
    "any number of any configuration": "test_configuration.py::test_every_number_is_in_its_range_or_refused_with_it",
    "a bit flipped in a checkpoint": "test_checkpoint.py::test_one_flipped_bit_is_found_and_files_without_a_checksum",
    "a bit flipped in weights": "test_pretrained.py::test_one_flipped_bit_is_found",
    "killed at the first write": "test_generate.py::test_killed_and_resumed_ends_with_the_same_bytes",
    "a full disk at the first write": "test_generate.py::test_a_disk_that_is_full_at_first_is_said_and_then",
    "kill -9 of a caller of processes": "test_pool.py::test_a_process_ends_with_a_caller_that_is_killed",
    "JSON files of something else": "test_run_folder.py::test_a_damaged_file_is_one_line",
    "mistyped fields": "test_run_folder.py::test_a_wrong_field_of_a_result_is_named",
    "a damaged config.json": "test_run_config.py::test_a_damaged_configuration_is_one_line",
    "one bad result among others": "test_show.py::test_a_damaged_result_does_not_hide_the_others",
    "lost weights of a finished run": "test_loop.py::test_lost_weights_of_a_finished_run_are_made_anew",
    "a damaged line of metrics": "test_run_folder.py::test_a_damaged_line_of_the_metrics_is_left_out",
    "one NaN pixel": "test_dataset.py::test_one_wrong_pixel_is_found_when_it_opens",
    "an image to a full disk": "test_formats.py::test_a_full_disk_is_one_line_with_the_file_and_leaves",
    "SIGTERM while training": "test_cli_train.py::test_ctrl_c_says_how_to_go_on",
    "several processes without a GPU": "test_loop.py::test_two_processes_train_and_test_as_one",
    "an output of any encoding": "test_cli.py::test_any_output_encoding_prints",
    "a busy machine": "test_imports.py::test_threads_of_torch_wait_without_spinning",
    "a thousand balls": "test_path.py::test_a_thousand_objects_are_traced",
    "hundreds of objects and lamps": "test_ray_model.py::test_hundreds_of_objects_and_lamps",
}
"""What is tested elsewhere, by the beginning of the test's name. Seconds are benchmarks': `benchmarks/ray_model.py`."""


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_is_tested_elsewhere_is(what):
    file, name = ELSEWHERE[what].split("::")
    assert re.search(rf"^def {name}", (TESTS / file).read_text(), re.MULTILINE)
