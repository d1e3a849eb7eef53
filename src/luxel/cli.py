"""The command line: `luxel <verb>`, each verb a thin layer over the package.

Heavy imports stay inside the verbs, so that `luxel --help` is quick.
"""

import difflib
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from luxel import InputError, __version__

if TYPE_CHECKING:
    import numpy as np

    from luxel.data.generate import GenerateSettings
    from luxel.scene.description import Scene

DIVERGED = 3
"""Exit code of a training run that diverged."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def generate(arguments: list[str]) -> int:
    """Path-trace a data set: luxel generate DISTRIBUTION --out DIR."""
    from luxel.data.generate import GenerateSettings
    from luxel.data.generate import generate as run
    from luxel.scene.distributions import DISTRIBUTIONS

    name, rest = first_word(arguments, "generate", "DISTRIBUTION", DISTRIBUTIONS)
    refuse_former(rest)
    default = GenerateSettings(DISTRIBUTIONS[name]())

    @dataclass(frozen=True)
    class Options:
        out: Path
        """Folder of the data set; the same command again completes it."""
        settings: tyro.conf.OmitArgPrefixes[tyro.conf.AvoidSubcommands[GenerateSettings]] = default
        workers: int = 0
        """Processes of `--tracer mitsuba`, one thread each; 0: one a core."""

    options = tyro.cli(Options, prog=f"luxel generate {name}", args=rest)
    manifest = run(options.settings, options.out, options.workers)
    print(f"{manifest.scenes} scenes in {options.out}")
    return 0


def train(arguments: list[str]) -> int:
    """Train an experiment, or go on with it: luxel train EXPERIMENT."""
    from luxel.experiments import EXPERIMENTS, Experiment, Scale
    from luxel.experiments.experiment import with_distribution, with_optim, with_stream
    from luxel.experiments.run import run, run_folder

    name, rest = first_word(arguments, "train", "EXPERIMENT", EXPERIMENTS)
    refuse_former(rest)

    @dataclass(frozen=True)
    class Basis:
        scale: Scale = "small"
        """tiny: 16², seconds; small: 32², for CPUs; full: the log's 128²."""
        data: str | None = None
        """A folder of `luxel generate`, or stream:DISTRIBUTION for fresh scenes, traced while the network trains (paths
        and rays: --stream.spp, --stream.rays). Without it the experiment's own data set is generated below data/."""

    basis, _ = tyro.cli(Basis, args=rest, return_unknown_args=True, add_help=False)
    default = EXPERIMENTS[name].make(basis.scale)
    kind, colon, distribution = (basis.data or "").partition(":")
    if kind == "stream" and colon:
        default, folder = with_stream(with_distribution(default, distribution)), None
    elif basis.data is not None:
        default, folder = replace(default, stream=None), Path(basis.data)
    else:
        folder = None

    @dataclass(frozen=True)
    class Options(Basis):
        experiment: Annotated[tyro.conf.AvoidSubcommands[Experiment], tyro.conf.arg(name="")] = default
        lr_multiplier: float = default.train.optim.lr_multiplier
        """Short for --train.optim.lr-multiplier."""
        out: Path | None = None
        """Run folder; runs/<group>/<name>-<scale> unless given."""
        cpu: bool = False
        """Stay on the CPU even where there is a GPU."""

    options = tyro.cli(Options, prog=f"luxel train {name}", args=rest)
    experiment = options.experiment
    if options.lr_multiplier != default.train.optim.lr_multiplier:
        experiment = with_optim(experiment, lr_multiplier=options.lr_multiplier)
    out = options.out or run_folder(name, options.scale, experiment)
    print(f"{name}, {options.scale}: {out}", file=sys.stderr)
    return report_run(run(experiment, out, folder, options.cpu), out)


def cooldown(arguments: list[str]) -> int:
    """Branch off a run at its stable rate and let the rate decay: luxel cooldown RUN --samples N --out DIR."""
    from luxel.experiments.run import cooldown as run

    @dataclass(frozen=True)
    class Options:
        run: tyro.conf.Positional[Path]
        """Run folder whose schedule is constant, or stable_decay."""
        samples: int
        """Images over which the rate falls to 0."""
        out: Path
        """Run folder of the branch."""
        data: Path | None = None
        """The data set, if it is not the one that the experiment generated."""
        cpu: bool = False

    options = tyro.cli(Options, prog="luxel cooldown", args=arguments)
    return report_run(run(options.run, options.samples, options.out, options.data, options.cpu), options.out)


def refuse_former(arguments: list[str]) -> None:
    """Raise InputError for an option of earlier versions, saying what to give now."""
    from luxel.data.generate import FORMER_TRACERS, tracer_to_take

    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, value in pairwise([*words, ""]):
        if option in ("--tracer", "--data.tracer") and value in FORMER_TRACERS:
            raise InputError(f"{option} is {value}, {tracer_to_take(value)}")
        if option in ("--stream.compiled", "--stream.no-compiled"):
            raise InputError(f"{option}: the path tracer has one form now, which is the fast one; leave it out")


def report_run(result: dict[str, Any], out: Path) -> int:
    """Print a training's result, say if it diverged, and return the exit code."""
    from luxel.train.runtime import leave

    leave()
    print(json.dumps(result, indent=2))
    print(f"run folder: {out}")
    if result["status"] == "diverged":
        print(f"diverged at step {result['steps']}: {result['diagnosis']}", file=sys.stderr)
        return DIVERGED
    return 0


def evaluate(arguments: list[str]) -> int:
    """Metrics of a run over a test set: luxel evaluate RUN."""
    from luxel.data.batches import evaluation_batches
    from luxel.data.dataset import ShardDataset
    from luxel.evaluation.evaluate import evaluate as run
    from luxel.experiments.run import check_size, data_folder, experiment_of
    from luxel.image.tonemap import tone_map
    from luxel.pipeline import Renderer
    from luxel.train.run_folder import write_json

    @dataclass(frozen=True)
    class Options:
        run: tyro.conf.Positional[Path]
        """Run folder."""
        data: Path | None = None
        """Data set whose test split to use; the one that the experiment generated unless given."""
        tone_map: str = "clamp"
        """For PSNR, SSIM and FLIP: clamp or reinhard."""
        batch_size: int = 64
        device: str = "cpu"

    options = tyro.cli(Options, prog="luxel evaluate", args=arguments)
    tone_map(options.tone_map)
    if options.batch_size < 1:
        raise InputError(f"batch-size is {options.batch_size}, must be at least 1")
    renderer = Renderer.from_pretrained(options.run, options.device)
    experiment = experiment_of(options.run)
    data = options.data or data_folder(experiment.data)
    test = ShardDataset(data, "test")
    settings = test.manifest.settings
    check_size(renderer.model.config.width, int(settings["width"]), int(settings["height"]), str(data))
    spp = int(settings["spp"])
    batches = evaluation_batches(test, options.batch_size)
    loss, tone, device = experiment.train.loss, options.tone_map, options.device
    evaluation = run(renderer.model, batches, spp, test.content_hash, loss, tone, device)
    path = options.run / evaluation.file
    write_json(path, asdict(evaluation))
    print(f"{evaluation.provenance}; mean and 95 % bootstrap interval")
    for name, summary in evaluation.metrics.items():
        print(f"{name:>15}  {summary.mean:10.4g}   {summary.low:.4g} – {summary.high:.4g}")
    print(f"{evaluation.images_per_s:.1f} images/s; per image in {path}")
    return 0


def render(arguments: list[str]) -> int:
    """Render a scene with a trained model: luxel render SCENE.json."""
    import numpy as np

    from luxel.data.generate import GenerateSettings, TracerName
    from luxel.image.formats import check_suffix, save_image
    from luxel.image.tonemap import tone_map
    from luxel.pipeline import Renderer
    from luxel.scene.description import Scene

    @dataclass(frozen=True)
    class Options:
        scene: tyro.conf.Positional[Path]
        """Scene description, JSON."""
        out: Path | None = None
        """.exr for linear radiance, .png for a tone-mapped picture; SCENE.png in the current folder unless given."""
        model: Path = Path("ray-small")
        """The model that Luxel comes with, or a run folder, or a folder that `save_pretrained` wrote."""
        width: int | None = None
        """In pixels; only a ray model can be asked for a size. Width or height alone makes a square."""
        height: int | None = None
        tone_map: str = "clamp"
        """Of a .png: clamp or reinhard."""
        truth: int | None = None
        """Put the image path traced with so many samples a pixel at its right."""
        tracer: TracerName = "path"
        """Of --truth: path, Luxel's own, or mitsuba, the reference."""
        device: str = "cpu"

    options = tyro.cli(Options, prog="luxel render", args=arguments)
    out = options.out or Path(options.scene.stem + ".png")
    check_suffix(out)
    if options.truth is not None and options.truth < 1:
        raise InputError(f"truth is {options.truth}, must be at least 1 sample a pixel, or left out")
    tone_map(options.tone_map)
    scene = Scene.load(options.scene)
    renderer = Renderer.from_pretrained(options.model, options.device)
    started = time.perf_counter()
    image = renderer(scene, options.width, options.height)
    height, width, _ = image.shape
    print(f"{width}×{height} by {options.model} in {time.perf_counter() - started:.2f} s", file=sys.stderr)
    if options.truth:
        truth = true_image(GenerateSettings(tracer=options.tracer), scene, width, height, options.truth)
        image = np.concatenate([image, truth], axis=1)
    save_image(out, image, options.tone_map)
    print(out if not options.truth else f"{out}: left {options.model}, right path traced, {options.truth} spp")
    return 0


def true_image(settings: "GenerateSettings", scene: "Scene", width: int, height: int, spp: int) -> "np.ndarray":
    """The scene as the settings' tracer sees it, float32 [height, width, 3], with a progress bar."""
    from tqdm import tqdm

    from luxel.trace.mitsuba import MitsubaTracer
    from luxel.trace.mitsuba_limits import known_wrong

    tracer = settings.make_tracer()
    if isinstance(tracer, MitsubaTracer):
        for line in known_wrong(scene):
            print(f"warning: {line}", file=sys.stderr)
        print(f"path tracing {spp} samples a pixel by Mitsuba …", file=sys.stderr)
        return tracer.trace([scene], width, height, spp, seed=0).mean[0]
    with tqdm(desc=f"path tracing, {spp} samples a pixel", total=width * height, unit="pixel", leave=False) as bar:
        return tracer.trace([scene], width, height, spp, seed=0, progress=bar.update).mean[0]


def experiments(arguments: list[str]) -> int:
    """The experiments there are, one in full, several compared, the log's findings: luxel experiments ACTION."""
    name, rest = first_word(arguments, "experiments", "ACTION", ACTIONS)
    return ACTIONS[name](rest)


def list_(arguments: list[str]) -> int:
    """Every experiment with its group, date and one line, and what came of its runs."""
    from luxel.experiments.show import list_experiments

    @dataclass(frozen=True)
    class Options:
        runs: Path = Path("runs")
        """Where to look for runs."""

    print(list_experiments(tyro.cli(Options, prog="luxel experiments list", args=arguments).runs))
    return 0


def show(arguments: list[str]) -> int:
    """One experiment: configuration, what differs from its base, learning rate, parameters and operations."""
    from luxel.experiments import EXPERIMENTS, Scale
    from luxel.experiments.show import show_experiment

    name, rest = first_word(arguments, "experiments show", "EXPERIMENT", EXPERIMENTS)

    @dataclass(frozen=True)
    class Options:
        scale: Scale = "small"

    print(show_experiment(EXPERIMENTS[name], tyro.cli(Options, prog=f"luxel experiments show {name}", args=rest).scale))
    return 0


def compare(arguments: list[str]) -> int:
    """Run what is missing of these experiments or groups, and set all side by side on one page."""
    from luxel.experiments import Scale
    from luxel.experiments.experiment import group_of
    from luxel.ledger.comparison import compare as run

    @dataclass(frozen=True)
    class Options:
        names: tyro.conf.Positional[tuple[str, ...]]
        """Experiments, or groups of them."""
        scale: Scale = "small"
        seeds: int = 1
        """Runs an experiment; from 2 on there are intervals."""
        out: Path | None = None
        """Folder of the page; runs/compare/<names>-<scale> unless given."""
        cpu: bool = False

    options = tyro.cli(Options, prog="luxel experiments compare", args=arguments)
    names = [name for given in options.names for name in group_of(given)]
    if not names or options.seeds < 1:
        raise InputError(f"{len(names)} experiments and {options.seeds} seeds: give at least one of each")
    several = f"{options.names[0]}+{len(options.names) - 1}" if len(options.names) > 3 else "+".join(options.names)
    out = options.out or Path("runs/compare") / f"{several}-{options.scale}"
    page, text = run(names, options.scale, options.seeds, out, options.cpu)
    print(text)
    print(f"open {page.resolve()}")
    return 0


def findings(arguments: list[str]) -> int:
    """What the log found, and whether it holds in the runs whose records are in a folder: docs/findings.md."""
    from luxel.ledger.findings import write_findings

    @dataclass(frozen=True)
    class Options:
        records: Path = Path("docs/ledger")
        """Folder of records, as `compare` leaves in <out>/records."""
        out: Path = Path("docs/findings.md")

    options = tyro.cli(Options, prog="luxel experiments findings", args=arguments)
    write_findings(options.records, options.out)
    print(options.out)
    return 0


ACTIONS: dict[str, Callable[[list[str]], int]] = {
    action.__name__.rstrip("_"): action for action in (list_, show, compare, findings)
}


def demo(arguments: list[str]) -> int:
    """Generate, train, evaluate, render, and show it all on one page."""
    from luxel.demo import demo as run

    @dataclass(frozen=True)
    class Options:
        out: Path = Path("runs/demo")
        """Run folder of the demo."""

    options = tyro.cli(Options, prog="luxel demo", args=arguments)
    page, status = run(options.out)
    print(f"open {page.resolve()}")
    return DIVERGED if status == "diverged" else 0


VERBS: dict[str, Callable[[list[str]], int]] = {
    verb.__name__: verb for verb in (generate, train, cooldown, evaluate, render, experiments, demo)
}


def main(arguments: list[str] | None = None) -> None:
    """Run the verb and exit with its code; an error that a user can mend is one message, not a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        sys.exit(0 if arguments else 2)
    if arguments[0] == "--version":
        print(__version__)
        sys.exit(0)
    verb, rest = first_word(arguments, "", "VERB", VERBS)
    try:
        sys.exit(VERBS[verb](rest))
    except KeyboardInterrupt:
        goes_on = f"; `luxel {shlex.join(arguments)}` goes on from here" if resumable(arguments) else ""
        print(f"interrupted{goes_on}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` has seen enough
    except (InputError, OSError) as error:
        print(f"luxel {verb}: {error}", file=sys.stderr)
        sys.exit(1)


def resumable(arguments: list[str]) -> bool:
    """Whether the same command again goes on where it was interrupted."""
    return arguments[0] in ("generate", "train", "cooldown", "demo") or arguments[:2] == ["experiments", "compare"]


def usage() -> str:
    """The verbs, a line each."""
    lines = [f"  luxel {name:<12} {first_line(verb)}" for name, verb in VERBS.items()]
    return "\n".join(["usage: luxel VERB [options]      (luxel VERB --help for each)", "", *lines])


def first_line(documented: Any) -> str:
    """The first line of a docstring, or of an experiment's summary."""
    text: str = getattr(documented, "summary", None) or documented.__doc__ or ""
    return text.splitlines()[0]


def first_word(arguments: list[str], verb: str, what: str, known: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The first argument, which must be one of `known`, and the others; else say what there is and exit 2."""
    if arguments and arguments[0] in known:
        return arguments[0], arguments[1:]
    asked_for_help = bool(arguments) and arguments[0] in ("-h", "--help")
    given = "" if not arguments or asked_for_help else f"{arguments[0]!r} is not a known {what}"
    if given and (near := difflib.get_close_matches(arguments[0], known, 3)):
        print(f"{given}; did you mean {' or '.join(near)}?", file=sys.stderr)
        sys.exit(2)
    width = max(map(len, known)) + 2
    lines = [
        f"usage: luxel {verb} {what} [options]".replace("  ", " "),
        f"{what}:",
        *(f"  {name:<{width}}{first_line(thing)}" for name, thing in known.items()),
        *([given] if given else []),
    ]
    print("\n".join(lines), file=sys.stdout if asked_for_help else sys.stderr)
    sys.exit(0 if asked_for_help else 2)


if __name__ == "__main__":
    main()
