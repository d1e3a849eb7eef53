"""The documentation site is whole: every page is in its navigation, and what pages link to is there.

Without building it, which `make docs` does; commands and pieces of Python in the tutorial and the recipes are run.
"""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from data_folder import write_data_folder

from luxel.cli import main
from luxel.data.generate_settings import GenerateSettings
from luxel.data.label_files import ALL_LABELS
from luxel.data.labelling import write_labels
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_train
from luxel.scene import Animation, Scene
from luxel.scene.clevr import Clevr

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def nav_pages(entries: Any) -> Iterator[str]:
    """The files of a navigation, from top to bottom."""
    for entry in entries:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from nav_pages(value)


def anchors(page: Path) -> set[str]:
    """Those of headings, as GitHub and MkDocs make them of plain words."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_the_navigation_has_every_page_once():
    listed = list(nav_pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    of_docs = [page for page in listed if (DOCS / page).exists()]
    assert sorted(of_docs) == [str(page.relative_to(DOCS)) for page in PAGES]
    for page in set(listed) - set(of_docs):  # the site takes them from elsewhere in the repository
        assert (ROOT / page).exists(), page


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_links_lead_somewhere(page):
    for target, anchor in LINK.findall(CODE.sub("", page.read_text())):
        path = page.parent / target if target else page
        assert path.exists(), target
        if anchor:
            assert anchor.removeprefix("#") in anchors(path), target + anchor


def test_every_picture_is_shown():
    shown = {Path(target).name for page in TEXTS for target, _ in LINK.findall(page.read_text())}
    assert {path.name for path in (DOCS / "images").iterdir()} <= shown


def test_scripts_make_the_pages_pictures(tmp_path: Path):
    for name in ("gallery", "limits", "tutorial"):
        settings = {"size": 16, "spp": 1} if name == "limits" else {"width": 16}
        runpy.run_path(str(DOCS / f"{name}.py"))["main"](**settings, images=tmp_path)
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {path.name for path in (DOCS / "images").glob("*.webp")}


def test_reference_names_what_there_is():
    """Each module can be found, and defines the members that its page lists."""
    for page in (DOCS / "reference").glob("*.md"):
        for module, members in re.findall(
            r"^::: (\S+)(?:\n    options:\n      members: \[(.*)\])?", page.read_text(), re.M
        ):
            path = ROOT / "src" / module.replace(".", "/")
            source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
            for member in filter(None, members.split(", ")):
                assert re.search(rf"^(class |def |){member}\b", source, re.M), f"{module}.{member}"


def blocks(page: str, language: str) -> list[str]:
    """The code of a page in this language; "" is for commands."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def commands(page: str) -> Iterator[tuple[str, list[str]]]:
    """Verb and arguments of a page's `luxel` commands."""
    for line in "".join(blocks(page, "")).splitlines():
        if line.startswith("luxel "):
            _, verb, *arguments = line.split("#")[0].split()
            yield verb, arguments


def call(verb: str, *arguments: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([verb, *arguments])
    assert exit_.value.code in (None, 0), arguments


@pytest.fixture
def own_experiments():
    """What a page registers is forgotten after its test."""
    before = dict(EXPERIMENTS)
    yield
    EXPERIMENTS.clear()
    EXPERIMENTS.update(before)


@pytest.mark.usefixtures("own_experiments")
def test_the_tutorial_runs(tmp_path: Path, monkeypatch):
    """Its commands and its Python, in order; a smaller network's training stands for both."""
    monkeypatch.chdir(tmp_path)
    Path("first.json").write_text(blocks("tutorial.md", "json")[0])
    edits, experiment = blocks("tutorial.md", "python")
    for verb, arguments in commands("tutorial.md"):
        if verb == "experiments":
            exec(experiment.replace("samples=256", "samples=16"), {})
        call(verb, *(argument.replace("256", "16") for argument in arguments))
    exec(edits, {})
    for made in ("first.png", "beside.png", "glass.png", "low.exr", "by_mine.png", "runs/compared/index.html"):
        assert Path(made).stat().st_size > 0, made


@pytest.mark.usefixtures("own_experiments")
def test_the_recipes_run(tmp_path: Path, monkeypatch):
    """Those of lights, animation, data sets and experiments, the last trained by 32 pictures."""
    monkeypatch.chdir(tmp_path)
    softbox, orbit = blocks("howto.md", "json")
    Path("softbox.json").write_text(softbox)
    Path("orbit.json").write_text(orbit)
    Path("my_scenes").mkdir()
    Scene.load("softbox.json").save("my_scenes/one.json")
    assert Animation.load("orbit.json").duration == 2
    annotate, variant, run = blocks("howto.md", "python")
    for verb, arguments in list(commands("howto.md"))[:4]:
        call(verb, *arguments)
    assert [Path(made).exists() for made in ("softbox.png", "orbit.mp4", "data/mine")] == [True] * 3
    exec(annotate, {})
    monkeypatch.syspath_prepend(tmp_path)
    Path("my_experiments.py").write_text(variant)
    made = 'EXPERIMENTS["ray_two_bounces"].make("tiny")'
    assert made in run
    exec(run.replace(made, f"with_train({made}, samples=32)"), {"with_train": with_train})


def test_the_data_sets_page_reads_and_projects_labels(tmp_path: Path, monkeypatch, capsys):
    """Its Python, on pictures of noise: an object's pixels, taken back to the world, lie on its box."""
    monkeypatch.chdir(tmp_path)
    settings = GenerateSettings(Clevr(max_objects=3), count=2, width=160, height=120, spp=2, test_share=0.0)
    write_labels(write_data_folder(tmp_path / "data" / "clevr", settings), ALL_LABELS, progress=False)
    exec("".join(blocks("datasets.md", "python")), {})
    *_, farthest = capsys.readouterr().out.split()
    assert float(farthest) == pytest.approx(1, abs=0.06), "at edges the nearest face's depth is not the pixel centre's"
