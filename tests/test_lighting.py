"""A warning, once a call, at the user's line, of scenes that nothing lights and of cameras inside of objects."""

import subprocess
import sys
import warnings

import pytest

from luxel import Camera, InputWarning, Material, PathTracer, Plane, Renderer, Scene, Sphere
from luxel.denoised import denoised
from luxel.models.ray_model import RayModel, RayModelConfig

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
DARK = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.0),), camera=CAMERA)
BY_SKY = DARK.model_copy(update={"background": (0, 0, 0.1)})
BY_LAMP = DARK.with_object(0, material=Material(emission=(0, 1, 0)))
INSIDE = BY_SKY.model_copy(update={"objects": (*BY_SKY.objects, Sphere(center=(0, -4, 0), radius=1.5))})
BEHIND = BY_SKY.model_copy(update={"objects": (Plane(center=(0, -4, 0), normal=(0, 1, 0)),)})
RENDERER = Renderer(RayModel(RayModelConfig(width=8)))
CALLS = {
    "renderer": lambda scenes: RENDERER.render(scenes, 3),
    "tracer": lambda scenes: PathTracer().trace(scenes, 3, 3, 2, seed=0),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("scenes", "which"),
    [
        ([DARK], "the scene"),
        ([BY_SKY, DARK, BY_LAMP], "1 of 3 scenes (the first is number 1)"),
        ([BY_SKY, DARK, DARK], "2 of 3 scenes (the first is number 1)"),
    ],
)
def test_darkness_is_told_once_a_call(call, scenes, which):
    with pytest.warns(InputWarning) as told:
        CALLS[call](scenes)
    (warning,) = told
    assert str(warning.message).startswith(f"nothing gives light in {which}, so that its picture is black; give the ")


@pytest.mark.parametrize("call", CALLS)
def test_what_is_lit_by_anything_is_not_warned_of(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CALLS[call]([BY_SKY, BY_LAMP])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("scenes", "told"),
    [
        ([INSIDE], "the scene is inside objects[1] (sphere), which is opaque, so that nothing beyond it is seen"),
        ([BY_SKY, INSIDE, BEHIND], "2 of 3 scenes (the first is number 1) is inside objects[1] (sphere)"),
        ([BEHIND], "the scene is behind objects[0] (plane), which is opaque"),
    ],
)
def test_a_camera_inside_of_something_is_told_once_a_call(call, scenes, told):
    with pytest.warns(InputWarning) as warned:
        CALLS[call](scenes)
    (warning,) = warned
    assert str(warning.message).startswith(f"the camera of {told}")


def test_the_denoisers_picture_from_inside_is_black_and_it_says_why():
    with pytest.warns(InputWarning, match=r"inside objects\[1\]"):
        assert (denoised(INSIDE, 5, 3, spp=4) == 0).all()


def test_it_is_told_at_the_users_line(tmp_path):
    """Whether Luxel's calls of its own, or torch's decorators, are between; in a process without jaxtyping's hook."""
    script = tmp_path / "mine.py"
    script.write_text(
        "from luxel import Camera, PathTracer, Renderer, Scene, Sphere\n"
        "from luxel.models.ray_model import RayModel, RayModelConfig\n"
        "camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0))\n"
        "scene = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=camera)\n"
        "renderer = Renderer(RayModel(RayModelConfig(width=8)))\n"
        "renderer(scene, 3)\n"
        "renderer.views(scene, [camera], 3)\n"
        "renderer.render([scene], 3)\n"
        "PathTracer().trace([scene], 3, 3, 2, 0)\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    places = [line.split(" ")[0] for line in ran.stderr.splitlines() if "InputWarning" in line]
    assert places == [f"{script}:{line}:" for line in (6, 7, 8, 9)]
