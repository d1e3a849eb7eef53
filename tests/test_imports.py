"""The import rule: packages import downwards only, and Mitsuba is imported lazily in one place."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import luxel

ROOT = Path(luxel.__file__).parent
ALLOWED = {
    "geometry": set(),
    "scene": set(),
    "image": set(),
    "models": {"geometry", "scene"},
    "trace": {"geometry", "scene"},
    "data": {"geometry", "scene", "trace", "image"},
    "train": {"models", "data", "image"},
    "experiments": {"train", "models", "data", "image", "scene", "trace"},
    "evaluation": {"models", "data", "image"},
    "pipeline": {"scene", "models", "image"},
    "ledger": {"experiments", "train", "evaluation", "pipeline", "data", "image"},
}
"""What each package may import beside itself; `cli` and `demo`, at the top, may import everything."""


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(dotted module, whether at module level) of every import in a file."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or "", node in tree.body


def siblings(path: Path) -> set[str]:
    """The packages of luxel that a file imports."""
    return {module.split(".")[1] for module, _ in imports(path) if module.startswith("luxel.")}


def owner(path: Path) -> str:
    """The package, or the module at the top, that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


SOURCES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path):
    if owner(path) in ("cli", "demo", "__init__"):
        return
    beyond = siblings(path) - ALLOWED[owner(path)] - {owner(path)}
    assert not beyond, f"{path.name} may not import {beyond}"


def test_the_rule_knows_every_package():
    packages = {owner(path) for path in SOURCES} - {"cli", "demo", "__init__"}
    assert packages == set(ALLOWED)


def test_only_the_reference_tracer_imports_mitsuba_and_lazily():
    for path in SOURCES:
        for module, at_module_level in imports(path):
            if module.split(".")[0] in ("mitsuba", "drjit"):
                assert path == ROOT / "trace" / "mitsuba.py"
                assert not at_module_level


@pytest.mark.parametrize("module", ["luxel", "luxel.scene.tokens", "luxel.trace.mitsuba"])
def test_what_render_workers_import_stays_light(module):
    script = f"import sys, {module}; print([name for name in ('torch', 'mitsuba') if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
