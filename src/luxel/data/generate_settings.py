"""What decides every byte of a data set: which scenes, and how they are traced."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, TypeAlias, get_args

import torch
from pydantic import Field

from luxel import InputError
from luxel.configuration import Configuration, PathDepth, Paths, Pixels, Seed, Share, check_fields, shortened
from luxel.data.label_files import LabelChoice
from luxel.data.manifest import Setting
from luxel.data.split import Shares, check_shares
from luxel.scene.description import Scene
from luxel.scene.distributions import Spheres
from luxel.scene.folder import SceneFolder
from luxel.scene.registry import Distribution, parameters
from luxel.trace.mitsuba import MitsubaTracer
from luxel.trace.path import PathTracer
from luxel.trace.tracer import InProcessTracer

PATHS_A_JOB = 1 << 21  # handed to a process at once: small for a smooth progress bar, and for all to have work
SCENES_A_JOB = 16
PIXELS_A_JOB = 1 << 22  # of the path tracer: 100 MB of images; it divides a job into launches of a second by itself
CPU_PATHS_A_JOB, CUDA_PATHS_A_JOB = 1 << 25, 1 << 33
"""Of the path tracer: some 15 s of a core's work, which an interruption may lose, and some seconds of a GPU's."""

TracerName: TypeAlias = Literal["path", "mitsuba"]
FORMER_TRACERS = ("torch", "torch_compiled")
"""What the path tracer was called when it was two."""


@dataclass(frozen=True)
class GenerateSettings(Configuration):
    """What decides every byte of a data set."""

    distribution: Distribution = field(default_factory=Spheres)
    count: Annotated[int, Field(ge=1, le=1_000_000_000)] = 4096
    """Scenes, in all splits: numbers 0..count-1 of the distribution."""
    seed: Seed = 0
    """Of the scenes and of the paths."""
    width: Pixels = 32
    height: Pixels = 32
    spp: Paths = 128
    """Paths a pixel; at least 2, so that the images' variance is known."""
    max_depth: PathDepth = PathTracer.max_depth
    """Path segments up to the light."""
    variant: str = MitsubaTracer.variant
    """Mitsuba's."""
    tracer: TracerName = "path"
    """path: Luxel's own, in this process, on a GPU where there is one. mitsuba: the reference, in processes."""
    test_share: Share = 0.1
    """Share of the scenes that are for testing."""
    val_share: Share = 0.0
    """Share of the scenes that are for validation, beside those for testing; Luxel's own training reads none."""

    def __post_init__(self) -> None:
        if self.tracer in FORMER_TRACERS:
            raise InputError(f"tracer is {self.tracer}, {tracer_to_take(self.tracer)}")
        super().__post_init__()
        if Configuration not in type(self.distribution).__mro__:  # a registered class, which does not check its own
            check_fields(self.distribution)
        check_shares(self.shares)
        if isinstance(self.distribution, SceneFolder) and self.count > (there := len(self.distribution)):
            raise InputError(
                f"count is {self.count}, must be at most {there}, the scenes of {self.distribution.folder}"
            )
        names = {field.name for field in (*fields(self), *fields(LabelChoice))}
        if twice := set(parameters(self.distribution)) & names:
            raise InputError(f"distribution {self.distribution.name} has a field {min(twice)}, as a data set has")

    def scene(self, index: int) -> Scene:
        """Scene number `index` of the distribution. Raises InputError if what it gives is none."""
        scene: object = self.distribution(self.seed, index)
        if not isinstance(scene, Scene):
            what = f"{self.distribution.name}({self.seed}, {index}) is {shortened(scene)}"
            raise InputError(f"distribution {what}, must be a Scene")
        return scene

    @property
    def shares(self) -> Shares:
        """Of the scenes, by split."""
        return Shares(self.test_share, self.val_share)

    def make_tracer(self) -> MitsubaTracer | InProcessTracer:
        """The tracer that these settings describe."""
        if self.tracer == "mitsuba":
            return MitsubaTracer(self.max_depth, self.variant)
        return PathTracer(self.max_depth, "cuda" if torch.cuda.is_available() else "cpu")

    def flat(self) -> dict[str, Setting]:
        """Everything that another folder of the same bytes would share, by name, for the manifest.

        The tracer is there as `renderer`, with its version.
        """
        absent = {"distribution", "tracer"} | (set() if self.tracer == "mitsuba" else {"variant"})
        absent |= set() if self.val_share else {"val_share"}  # which folders from before there was one lack
        names = [field.name for field in fields(self) if field.name not in absent]
        distribution = parameters(self.distribution)
        return {
            "distribution": distribution.pop("name"),
            **distribution,
            **{name: getattr(self, name) for name in names},
            "renderer": self.make_tracer().renderer,
        }


def of_folder(folder: str, **settings: Any) -> GenerateSettings:
    """The settings of a data set of all scenes of a folder. Raises as SceneFolder does."""
    scenes = SceneFolder(folder)
    return GenerateSettings(**{**settings, "distribution": scenes, "count": len(scenes)})


def tracer_to_take(name: str) -> str:
    """The end of a message about a tracer that there is not."""
    return "which is path now" if name in FORMER_TRACERS else f"must be one of {', '.join(get_args(TracerName))}"


def scenes_a_job(settings: GenerateSettings) -> int:
    """How many are traced at once, and kept together if the call is ended."""
    pixels = settings.width * settings.height
    if settings.tracer == "path":
        paths = CUDA_PATHS_A_JOB if torch.cuda.is_available() else CPU_PATHS_A_JOB
        return max(1, min(PIXELS_A_JOB // pixels, paths // (pixels * settings.spp)))
    return min(SCENES_A_JOB, max(1, PATHS_A_JOB // (pixels * settings.spp)))


def same_images(there: Mapping[str, Setting], asked: Mapping[str, Setting]) -> bool:
    """Whether the settings are those of the same images: the path tracer's differ by rounding between devices."""

    def but_for_device(settings: Mapping[str, Setting]) -> dict[str, Setting]:
        renderer = str(settings.get("renderer"))
        return {**settings, "renderer": renderer.rpartition(" ")[0] if renderer.startswith("luxel ") else renderer}

    return but_for_device(there) == but_for_device(asked)


def is_extension(there: Mapping[str, Setting], asked: Mapping[str, Setting]) -> bool:
    """Whether a data set of the settings `asked` is one of the settings `there` and more scenes."""
    return int(asked["count"]) > int(there["count"]) and {**there, "count": asked["count"]} == asked
