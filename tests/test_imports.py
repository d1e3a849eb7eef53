"""The import rule: packages import downwards only, and Mitsuba is imported lazily in one place."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import luxel

ROOT = Path(luxel.__file__).parent
ALLOWED = {
    "files": set(),
    "cluster": set(),
    "configuration": set(),
    "memory": set(),
    "near_words": set(),
    "progress": set(),
    "scene": set(),
    "image": set(),
    "core": {"scene"},
    "models": {"core", "scene"},
    "trace": {"core", "scene"},
    "data": {"core", "scene", "trace", "image"},
    "train": {"models", "data", "image"},
    "experiments": {"train", "models", "data", "image", "core", "scene", "trace", "trained_models"},
    "evaluation": {"core", "models", "data", "image", "scene"},
    "trained_models": set(),
    "pipeline": {"core", "scene", "trace", "models", "image", "trained_models"},
    "network_tracer": {"pipeline", "data", "scene", "trace"},
    "denoised": {"core", "scene", "trace", "image"},
    "transparent": {"core", "models", "scene", "image"},
    "movie": {"pipeline", "scene", "image"},
    "videos": {"movie", "pipeline", "data", "scene", "image"},
    "notebook": {"pipeline", "scene", "image"},
    "fit": {"pipeline", "models", "trace", "core", "evaluation", "scene", "image"},
    "viewer": {"pipeline", "experiments", "models", "train", "core", "scene", "image"},
    "ledger": {"experiments", "train", "evaluation", "pipeline", "data", "image", "core", "scene"},
}
"""What each package may import beside itself; `cli` and `demo`, at the top, may import everything."""
FOR_ALL = {"cluster", "configuration", "files", "memory", "near_words", "progress"}
TOP = ("cli", "demo", "__init__", "__main__")


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """(dotted module, whether at module level) of every import in a file."""
    tree = ast.parse(path.read_text())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node in tree.body) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.append((node.module or "", node in tree.body))
    return found


def siblings(path: Path) -> set[str]:
    """The packages of luxel that a file imports."""
    return {module.split(".")[1] for module, _ in imports(path) if module.startswith("luxel.")}


def owner(path: Path) -> str:
    """The package, or the module at the top, that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


SOURCES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_downwards(package):
    allowed = ALLOWED[package] | {package} | FOR_ALL
    beyond = {path.name: more for path in SOURCES if owner(path) == package and (more := siblings(path) - allowed)}
    assert not beyond


def test_the_rule_knows_every_package():
    packages = {owner(path) for path in SOURCES} - set(TOP)
    assert packages == set(ALLOWED)


def test_only_the_reference_tracer_imports_mitsuba_and_lazily():
    for path in SOURCES:
        for module, at_module_level in imports(path):
            if module.split(".")[0] in ("mitsuba", "drjit"):
                assert path.parent == ROOT / "trace"
                assert path.stem.startswith("mitsuba")
                assert not at_module_level


def test_there_is_one_kind_of_progress_bar():
    """Of the product and of its benchmarks, whose output goes into files, too."""
    benchmarks = (ROOT.parents[1] / "benchmarks").glob("*.py")
    found = [path.name for path in (*SOURCES, *benchmarks) if any(name == "tqdm" for name, _ in imports(path))]
    assert found == ["progress.py"]


@pytest.mark.parametrize(
    "module", ["luxel", "luxel.scene", "luxel.configuration", "luxel.memory", "luxel.trace.mitsuba", "luxel.cli"]
)
def test_what_render_workers_and_help_import_stays_light(module):
    script = f"import sys, {module}; print([name for name in ('torch', 'mitsuba', 'warp') if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_what_is_used_most_is_at_the_top_and_light():
    """`Scene` comes without torch; every name of `__all__` is there, under the module that documents it."""
    script = (
        "import sys; from luxel import Scene; print('torch' in sys.modules, 'Renderer' in dir(sys.modules['luxel']))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
    for name in luxel.__all__:
        assert getattr(luxel, name).__module__.startswith("luxel")
    assert luxel.Renderer.__module__ == "luxel.pipeline"
    with pytest.raises(AttributeError, match="module 'luxel' has no attribute 'Render'"):
        luxel.Render  # noqa: B018


def test_threads_of_torch_wait_without_spinning():
    """OpenMP reads its wait policy when torch loads it; what the user has set stays."""
    script = "import os, luxel; print(os.environ['OMP_WAIT_POLICY'])"
    without = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for given, expected in (({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=without | given
        )
        assert ran.stdout.strip() == expected


def test_shapes_are_checked_in_every_module_without_warp_functions(pytestconfig):
    checked = pytestconfig.getoption("jaxtyping_packages").split(",")[:-1]
    for path in SOURCES:
        module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        is_listed = any(module == name or module.startswith(name + ".") for name in checked)
        has_warp_functions = "@wp." in path.read_text()
        is_empty = path.name in ("__init__.py", "__main__.py")
        assert is_listed != has_warp_functions or is_empty, module
