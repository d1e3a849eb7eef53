"""A self-contained HTML page about models: pictures beside their truth, curves and numbers, links to files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import Evaluation
from luxel.evaluation.page import Line, links, plot, scene_row, write_page
from luxel.image.metrics import LOWER_IS_BETTER
from luxel.image.side_by_side import Images, SideBySide


@dataclass(frozen=True)
class Section:
    """Scenes beside their truth, what to know of them, and each one's files, if there are any."""

    heading: str
    scenes: Sequence[SideBySide]
    facts: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Sequence[Path]] = ()


def of_test_set(test: ShardDataset, outputs: Mapping[str, Images]) -> list[SideBySide]:
    """The first scenes of a test set, those that every model of `outputs` has rendered, beside their truth."""
    numbers = range(min(len(images) for images in outputs.values()))
    batch = test.batch(numbers)
    return SideBySide.each(
        [f"scene {number}, objects: {len(test.scene(number).objects)}" for number in numbers],
        batch.radiance.numpy(),
        outputs,
        batch.variance.numpy(),
        None if batch.path_variance is None else batch.path_variance.numpy(),
        int(test.manifest.settings["spp"]),
    )


def write_report(
    path: Path,
    title: str,
    sections: Sequence[Section],
    evaluation: Evaluation | None = None,
    curves: Sequence[Line] = (),
    folders: Mapping[Path, Sequence[Path]] | None = None,
) -> None:
    """Write the page. The curves are losses over training images; `folders` are linked at the end, with their files."""
    tone = "clamp" if evaluation is None else evaluation.tone_map
    write_page(
        path,
        "report.html.j2",
        title=title,
        facts={},
        sections=[
            {
                "heading": section.heading,
                "facts": section.facts,
                "scenes": [
                    scene_row(scene, tone, links(files, path))
                    for scene, files in zip(section.scenes, section.files or [()] * len(section.scenes), strict=True)
                ],
            }
            for section in sections
        ],
        tone_map=tone,
        plot=curves and plot(curves, "training images", f"loss ({evaluation.loss})" if evaluation else "loss"),
        evaluation=evaluation,
        lower_is_better=LOWER_IS_BETTER,
        folders=[
            (str(folder), *links([folder], path).values(), links(files, path))
            for folder, files in (folders or {}).items()
        ],
    )
