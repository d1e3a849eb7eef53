"""What Python's users are told; in processes of their own, as the suite checks types before Luxel can."""

import subprocess
import sys

import pytest

from luxel import __version__

SETUP = """
import numpy as np
from luxel import Camera, InputError, Material, Renderer, Scene, Sphere, save_image, thumbnail
from luxel.denoised import denoised
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.trace.path import PathTracer
from luxel.transparent import cut_out

renderer = Renderer(RayModel(RayModelConfig()))
scene = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)))
grey = np.full((4, 5, 3), 0.5, np.float32)
"""
READ = "must be a Scene; read the file with Scene.load('x.json')"
SIDE = "must be an integer in [1, 65536] or None"
ARRAY = "must be an array of floating-point radiance"
TOLD = {
    "renderer('x.json')": f"scene is 'x.json', {READ}",
    "renderer(None)": "scene is None, must be a Scene",
    "renderer([scene, 3])": "must be a Scene; one is scenes[0]",
    "renderer(scene.objects[0])": "must be a Scene",
    "renderer.render([scene, 3])": "scenes[1] is 3, must be a Scene",
    "renderer.render([scene, 'x.json'])": f"scenes[1] is 'x.json', {READ}",
    "renderer.render(scene)": "must be a list of Scene; of one, [scene]",
    "renderer.render(3)": "scenes is 3, must be a list of Scene; of one, [scene]",
    "renderer.render([])": "no scenes: give at least one",
    "PathTracer().trace(['x.json'], 4, 4, 1, 0)": f"scenes[0] is 'x.json', {READ}",
    "PathTracer().sample(scene, 4, 4, 1, 0)": "must be a list of Scene; of one, [scene]",
    "PathTracer().trace([scene], 4.5, 4, 1, 0)": "width is 4.5, must be an integer",
    "PathTracer().trace([scene], 4, True, 1, 0)": "height is True, must be an integer",
    "PathTracer().trace([scene], 4, 4, 1.5, 0)": "spp is 1.5, must be an integer",
    "PathTracer().trace([scene], 4, 4, 1, 'a')": "seed is 'a', must be an integer",
    "denoised(scene, '4', 4)": "width is '4', must be an integer",
    "thumbnail('x.json')": f"scene is 'x.json', {READ}",
    "denoised('x.json', 4, 4)": f"scene is 'x.json', {READ}",
    "cut_out('x.json', grey)": f"scene is 'x.json', {READ}",
    "renderer(scene, '256')": f"width is '256', {SIDE}",
    "renderer(scene, 2.5)": f"width is 2.5, {SIDE}",
    "renderer(scene, 16, 0)": f"height is 0, {SIDE}",
    "renderer(scene, 10**9)": f"width is 1000000000, {SIDE}",
    "renderer.views(scene, [3])": "Scene: camera is 3, must be an object of position, look_at, up, vertical_fov",
    "renderer.views('x.json', [])": f"scene is 'x.json', {READ}",
    "renderer.views(scene, [])": "cameras is empty, must have at least one; the scene's own is [scene.camera]",
    "renderer.views(scene, scene.camera)": "must be a list of Camera",
    "renderer.refined([scene], grey[None].tolist(), 4)": "must be what render(scenes) returns: float32 [1, height,",
    "renderer.refined([scene], grey[None].astype(float), 4)": "radiance is an array of float64, must be what render(",
    "renderer.blended(grey[None], 4)": "must be what network(scenes) returns; an array is refined(scenes,",
    "next(renderer.progress('x.json'))": f"scene is 'x.json', {READ}",
    "Renderer('ray-small')": 'is Renderer.from_pretrained("ray-small")',
    "Renderer.from_pretrained(None)": "folder is None, must be the name of a model, or the folder of one",
    "Scene.load(None)": "path is None, must be the path of a JSON file",
    "scene.with_object('ball', radius=1)": "Scene: objects['ball'] is none of its objects; they are 0 to 0",
    "save_image('x.png', None)": f"x.png: the image is of NoneType, {ARRAY}",
    "save_image('x.png', grey.tolist())": f"x.png: the image is of list, {ARRAY}",
    "save_image('x.png', (grey * 255).astype(np.uint8))": f"x.png: the image is of uint8, {ARRAY}",
    "save_image('x.png', grey[0])": "x.png: the image is of shape (5, 3), must be [height, width, 3]",
    "save_image('x.png', grey[None])": "x.png: the image is of shape (1, 4, 5, 3), must be [height, width, 3]",
    "save_image(grey, 'x.png')": "must be the path of an .exr or a .png",
    "save_image('x.png', grey, exposure='1')": "exposure is '1', must be a number in [-64, 64]",
    "save_image('x.png', grey, tone='filmic')": "tone map 'filmic' is unknown; choose one of clamp, reinhard",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, str]:
    """What each call of TOLD raised: all in one process, as starting one takes seconds."""
    script = SETUP + "".join(
        f"try:\n    {call}\n    print('no error')\nexcept Exception as error:\n"
        "    print(type(error).__name__, str(error).replace('\\n', '<newline>'))\n"
        for call in TOLD
    )
    folder = tmp_path_factory.mktemp("surface")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    assert not any(folder.iterdir()), "what is refused writes nothing"
    return dict(zip(TOLD, ran.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("call", TOLD)
def test_a_wrong_value_is_told_in_the_users_words(call, answers):
    kind, _, message = answers[call].partition(" ")
    assert kind in ("InputError", "FieldError", "SceneError")
    assert TOLD[call] in message
    assert "<newline>" not in message
    assert len(message) < 300


def test_luxel_is_a_module_to_run():
    ran = subprocess.run([sys.executable, "-m", "luxel", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == __version__
    wrong = subprocess.run([sys.executable, "-m", "luxel", "paint"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "'paint' is not a known VERB" in wrong.stderr
