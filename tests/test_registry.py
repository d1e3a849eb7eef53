"""Distributions of one's own: registered, called by name, in JSON and in other processes."""

import pickle
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from forkserver import run_luxel

import luxel
from luxel import Camera, InputError, InputWarning, Scene, Sphere
from luxel.data.dataset import ShardDataset
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings
from luxel.experiments import EXPERIMENTS, Experiment
from luxel.experiments.experiment import with_data, with_distribution
from luxel.scene import DISTRIBUTIONS, Spheres
from luxel.scene.registry import _load_entry_points, known_distributions, load_plugin

MODULE = """
from dataclasses import dataclass
import luxel
from luxel import Camera, Scene, Sphere

@luxel.register
def pearls(seed: int, index: int) -> Scene:
    '''One pearl.'''
    ball = Sphere(center=(0, 0, 0.01 * (index % 1009)), radius=0.5)
    return Scene(objects=(ball,), camera=Camera(position=(0, -4, 1), look_at=(0, 0, 0)), background=(0.5, 0.5, 0.5))
"""


@pytest.fixture(autouse=True)
def registry_as_before(monkeypatch, tmp_path):
    before = dict(DISTRIBUTIONS)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    DISTRIBUTIONS.clear()
    DISTRIBUTIONS.update(before)
    sys.modules.pop("my_scenes", None)
    _load_entry_points.cache_clear()


@pytest.fixture
def my_scenes(tmp_path, monkeypatch):
    (tmp_path / "my_scenes.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    load_plugin("my_scenes")
    return tmp_path


def scene_of(radius: float, index: int) -> Scene:
    camera = Camera(position=(0, -4, 1), look_at=(0, 0, 0))
    return Scene(objects=(Sphere(center=(0, 0, 0.01 * index), radius=radius),), camera=camera, background=(1, 1, 1))


def towers() -> type:
    @luxel.register
    @dataclass(frozen=True)
    class TallTowers:
        radius: float = 0.5
        material: str = "clay"

        def __call__(self, seed: int, index: int) -> Scene:
            return scene_of(self.radius, index)

    return TallTowers


def test_a_dataclass_has_its_class_name_in_small_letters():
    kind = towers()
    assert DISTRIBUTIONS["tall_towers"] is kind
    assert kind.name == "tall_towers"
    assert kind(radius=0.25)(0, 3) == scene_of(0.25, 3)


def test_the_fields_of_ones_own_class_are_checked():
    kind = towers()
    with pytest.raises(InputError, match=r"^radius is 'x', must be a number in \[-inf, inf\]$"):
        GenerateSettings(kind(radius="x"))
    assert GenerateSettings(kind(radius=2)).distribution.radius == 2.0
    assert GenerateSettings(kind(0.25)).flat()["radius"] == 0.25


def test_a_dataclass_may_name_itself():
    @luxel.register
    @dataclass(frozen=True)
    class Anything:
        name: ClassVar[str] = "bricks"

        def __call__(self, seed: int, index: int) -> Scene:
            return scene_of(0.5, index)

    assert DISTRIBUTIONS["bricks"] is Anything


def test_a_function_stays_what_it_is(my_scenes):
    module = sys.modules["my_scenes"]
    assert module.pearls(0, 1) == DISTRIBUTIONS["pearls"]()(0, 1)
    assert DISTRIBUTIONS["pearls"].__doc__ == "One pearl."


def test_defined_once_more_it_takes_its_own_place():
    """As in a notebook."""
    assert towers() is not towers()


@pytest.mark.parametrize("kind", ["pearls", "tall_towers"])
def test_an_experiment_with_it_survives_json(kind, my_scenes):
    towers()
    made = with_data(EXPERIMENTS["standard_run"].make("tiny"), distribution=DISTRIBUTIONS[kind]())
    values = made.to_json()
    assert values["data"]["distribution"]["name"] == kind
    assert Experiment.from_json(values).to_json() == values
    values["data"]["distribution"]["floors"] = 3
    with pytest.raises(ValueError, match=r"data\.distribution\.floors"):
        Experiment.from_json(values)


def test_a_name_that_is_not_registered_says_how(my_scenes):
    made = with_distribution(EXPERIMENTS["standard_run"].make("tiny"), "pearls")
    del DISTRIBUTIONS["pearls"]
    with pytest.raises(ValueError, match=r"distribution 'pearls' is unknown; choose one of spheres, .* --plugin"):
        Experiment.from_json(made.to_json())


def test_what_cannot_be_registered_is_told():
    @dataclass
    class Thawed:
        def __call__(self, seed: int, index: int) -> Scene:
            return scene_of(0.5, index)

    @dataclass(frozen=True)
    class Mute:
        radius: float = 1.0

    @dataclass(frozen=True)
    class Wide:
        sides: tuple[int, ...] = (1, 2)

        def __call__(self, seed: int, index: int) -> Scene:
            return scene_of(0.5, index)

    def spheres(seed: int, index: int) -> Scene:
        return scene_of(0.5, index)

    for given, message in (
        (Thawed, "Thawed cannot be registered: it must be a frozen dataclass"),
        (Mute, "Mute cannot be registered: it must be a frozen dataclass with __call__"),
        (Wide, r"Wide\.sides: a field of a distribution must have a number or text as its default"),
        (spheres, "distribution 'spheres' is there already"),
        (lambda seed, index: scene_of(0.5, index), "name of a distribution is '<lambda>'"),
    ):
        with pytest.raises(InputError, match=message):
            luxel.register(given)
    assert DISTRIBUTIONS["spheres"] is Spheres


def test_what_generation_cannot_use_is_told_before_it_begins(tmp_path):
    counter = iter(range(100))

    @luxel.register
    def restless(seed: int, index: int) -> Scene:
        return scene_of(0.5, next(counter))

    @luxel.register
    @dataclass(frozen=True)
    class Forgetful:
        def __call__(self, seed: int, index: int):
            return None

    @luxel.register
    @dataclass(frozen=True)
    class Counted:
        count: int = 3

        def __call__(self, seed: int, index: int) -> Scene:
            return scene_of(0.5, index)

    for kind, message in (
        ("restless", "distribution restless gives another scene each time"),
        ("forgetful", r"distribution forgetful\(0, 0\) is None, must be a Scene"),
        ("counted", "distribution counted has a field count"),
    ):
        with pytest.raises(InputError, match=message):
            generate(GenerateSettings(DISTRIBUTIONS[kind](), count=3), tmp_path / "set", progress=False)
    assert not (tmp_path / "set").exists()


def test_it_is_generated_and_read(tmp_path, my_scenes):
    settings = GenerateSettings(DISTRIBUTIONS["pearls"](), count=5, width=7, height=5, spp=2, test_share=1.0)
    manifest = generate(settings, tmp_path / "set", progress=False)
    assert manifest.settings["distribution"] == "pearls"
    assert ShardDataset(tmp_path / "set", "test").scene(3) == settings.scene(3)
    assert generate(replace(settings), tmp_path / "set", progress=False) == manifest


def test_other_processes_import_its_module(my_scenes):
    """As a loader's workers do where processes are not forked."""
    (my_scenes / "it.pickle").write_bytes(pickle.dumps(DISTRIBUTIONS["pearls"]()))
    script = "import pickle; print(pickle.load(open('it.pickle', 'rb'))(0, 1).objects[0].center)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=my_scenes)
    assert ran.stdout.strip() == "(0.0, 0.0, 0.01)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"--plugin my_scenes: cannot be imported: ModuleNotFoundError: No module named 'my_scenes'; name a"),
        ("import nothing_like_it", r"No module named 'nothing_like_it' \(.*my_scenes\.py, line 1\)"),
        ("\n1 / 0", r"ZeroDivisionError: division by zero \(.*my_scenes\.py, line 2\)$"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_one_line(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "my_scenes.py").write_text(content)
    with pytest.raises(InputError, match=message):
        load_plugin("my_scenes")


def test_installed_packages_are_found_by_their_entry_point(tmp_path, monkeypatch):
    """One that cannot be imported does not hide the others."""
    (tmp_path / "my_scenes.py").write_text(MODULE)
    folder = tmp_path / "pearls-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: pearls\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[luxel.distributions]\nbroken = not_there\npearls = my_scenes\n")
    monkeypatch.syspath_prepend(tmp_path)
    _load_entry_points.cache_clear()
    with pytest.warns(InputWarning, match="^distributions of not_there are left out: ModuleNotFoundError"):
        assert "pearls" in known_distributions()


def test_a_plugin_is_named_anywhere_on_the_command_line(tmp_path):
    (tmp_path / "my_scenes.py").write_text(MODULE)
    few = ["--count", "4", "--width", "4", "--height", "4", "--spp", "2", "--out", "set"]
    for plugin in (["--plugin", "my_scenes"], ["--plugin=my_scenes"]):
        ran = run_luxel(*plugin, "generate", "pearls", *few, cwd=tmp_path)
        assert (ran.returncode, ran.stdout) == (0, "4 scenes in set\n")


def test_a_network_learns_from_it_as_it_streams(tmp_path):
    (tmp_path / "my_scenes.py").write_text(MODULE)
    few = ["--train.samples", "32", "--train.tests", "1", "--stream.spp", "8", "--data.spp", "2", "--data.count", "24"]
    train = ["train", "standard_run", "--scale", "tiny", "--cpu", "--data", "stream:pearls", *few, "--out", "run"]
    for command in (train, ["evaluate", "run"]):
        ran = run_luxel(*command, "--plugin", "my_scenes", cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
    ran = run_luxel(*command, cwd=tmp_path)
    assert ran.returncode == 1
    assert "run/config.json: distribution 'pearls' is unknown" in ran.stderr
    assert ran.stderr.endswith("or give the module that registers it with --plugin\n"), "not: train again"
    assert "Traceback" not in ran.stderr
