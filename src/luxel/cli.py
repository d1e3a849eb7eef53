"""The command line: `luxel <verb>`, each verb a thin layer over the package.

Heavy imports stay inside the verbs, so that `luxel --help` is quick.
"""

import difflib
import io
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import tyro
from pydantic import Field

from luxel import InputError, __version__
from luxel.configuration import BatchSize, Configuration, PathCount, Pixels, Samples, Seed

if TYPE_CHECKING:
    from luxel.data.generate import GenerateSettings
    from luxel.scene.description import Scene
    from luxel.trace.tracer import Radiance
    from luxel.train.run_folder import Result

Parsed = TypeVar("Parsed", bound=Configuration)

DIVERGED = 3
"""Exit code of a training run that diverged."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
GALLERY = 12
"""Scenes on the page of `luxel evaluate`."""


def generate(arguments: list[str]) -> int:
    """Path-trace a data set: luxel generate DISTRIBUTION --out DIR, or scenes:DIR for a folder of scenes."""
    from luxel.data.generate import GenerateSettings, of_folder
    from luxel.data.generate import generate as run
    from luxel.scene.folder import PREFIX
    from luxel.scene.registry import known_distributions

    if arguments and arguments[0].startswith(PREFIX):
        name, rest = arguments[0], arguments[1:]
        default = of_folder(name.removeprefix(PREFIX))
    else:
        known = known_distributions()
        name, rest = first_word(arguments, "generate", "DISTRIBUTION", known)
        default = GenerateSettings(known[name]())
    refuse_former(rest)

    @dataclass(frozen=True)
    class Options(Configuration):
        out: Path
        """Folder of the data set; the same command again completes it."""
        settings: tyro.conf.OmitArgPrefixes[tyro.conf.AvoidSubcommands[GenerateSettings]] = default
        workers: Annotated[int, Field(ge=0, le=1024)] = 0
        """Processes of `--tracer mitsuba`, one thread each; 0: one a core."""

    options = parsed(Options, f"luxel generate {name}", rest)
    manifest = run(options.settings, options.out, options.workers)
    print(f"{manifest.scenes} scenes in {options.out}")
    return 0


def train(arguments: list[str]) -> int:
    """Train an experiment, or go on with it: luxel train EXPERIMENT."""
    from luxel.experiments import EXPERIMENTS, Experiment, Scale
    from luxel.experiments.data_sets import training_set
    from luxel.experiments.experiment import with_distribution, with_optim, with_stream
    from luxel.experiments.run import run, run_folder
    from luxel.train.optim import LrMultiplier

    name, rest = first_word(arguments, "train", "EXPERIMENT", EXPERIMENTS)
    refuse_former(rest)

    @dataclass(frozen=True)
    class Basis(Configuration):
        scale: Scale = "small"
        """tiny: 16², seconds; small: 32², for CPUs; full: the log's 128²."""
        data: str | None = None
        """A folder of `luxel generate`; or scenes:DIR for a folder of scenes, which are traced as --data.spp and so on
        say; or stream:DISTRIBUTION for fresh scenes, traced while the network trains (paths and rays: --stream.spp,
        --stream.rays). Without it the experiment's own data set is generated below data/."""

    basis, _ = tyro.cli(Basis, args=rest, return_unknown_args=True, add_help=False)
    default = EXPERIMENTS[name].make(basis.scale)
    kind, colon, distribution = (basis.data or "").partition(":")
    streams = kind == "stream" and bool(colon)
    if streams:
        default = with_stream(with_distribution(default, distribution))
    elif basis.data is not None:
        default = replace(default, stream=None)

    @dataclass(frozen=True)
    class Options(Basis):
        experiment: Annotated[tyro.conf.AvoidSubcommands[Experiment], tyro.conf.arg(name="")] = default
        lr_multiplier: LrMultiplier = default.train.optim.lr_multiplier
        """Short for --train.optim.lr-multiplier."""
        out: Path | None = None
        """Run folder; runs/<group>/<name>-<scale> unless given."""
        cpu: bool = False
        """Stay on the CPU even where there is a GPU."""

    options = parsed(Options, f"luxel train {name}", rest)
    experiment = options.experiment
    if options.lr_multiplier != default.train.optim.lr_multiplier:
        experiment = with_optim(experiment, lr_multiplier=options.lr_multiplier)
    out = options.out or run_folder(name, options.scale, experiment)
    print(f"{name}, {options.scale}: {out}", file=sys.stderr)
    folder = None if options.data is None or streams else training_set(options.data, experiment.data)
    return report_run(run(experiment, out, folder, options.cpu), out)


def cooldown(arguments: list[str]) -> int:
    """Branch off a run at its stable rate and let the rate decay: luxel cooldown RUN --samples N --out DIR."""
    from luxel.experiments.run import cooldown as run

    @dataclass(frozen=True)
    class Options(Configuration):
        run: tyro.conf.Positional[Path]
        """Run folder whose schedule is constant, or stable_decay."""
        samples: Samples
        """Images over which the rate falls to 0."""
        out: Path
        """Run folder of the branch."""
        data: Path | None = None
        """The data set, if it is not the one that the experiment generated."""
        cpu: bool = False

    options = parsed(Options, "luxel cooldown", arguments)
    return report_run(run(options.run, options.samples, options.out, options.data, options.cpu), options.out)


def parsed(options: type[Parsed], program: str, arguments: list[str]) -> Parsed:
    """The options that the arguments give. Raises InputError, one line, where tyro would draw a box around it."""
    drawn = io.StringIO()
    try:
        with redirect_stderr(drawn):
            return tyro.cli(options, prog=program, args=arguments)
    except SystemExit as exit_:
        cause = exit_.__context__
        while cause is not None and not isinstance(cause, InputError):
            cause = cause.__context__
        if cause is not None:
            raise cause from None
        sys.stderr.write(drawn.getvalue())
        raise


def refuse_former(arguments: list[str]) -> None:
    """Raise InputError for an option of earlier versions, saying what to give now."""
    from luxel.data.generate import FORMER_TRACERS, tracer_to_take

    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, value in pairwise([*words, ""]):
        if option in ("--tracer", "--data.tracer") and value in FORMER_TRACERS:
            raise InputError(f"{option} is {value}, {tracer_to_take(value)}")
        if option in ("--stream.compiled", "--stream.no-compiled"):
            raise InputError(f"{option}: the path tracer has one form now, which is the fast one; leave it out")


def report_run(result: "Result", out: Path) -> int:
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
    """Metrics of a model over a test set: luxel evaluate MODEL."""
    from luxel.data.batches import evaluation_batches
    from luxel.data.dataset import ShardDataset
    from luxel.evaluation.evaluate import evaluate as run
    from luxel.evaluation.report import Section, of_test_set, write_report
    from luxel.experiments.data_sets import evaluation_set, is_run
    from luxel.experiments.run import check_size, experiment_of
    from luxel.files.typed_json import write_json
    from luxel.image.tonemap import tone_map
    from luxel.models.ray_model import RayModel
    from luxel.pipeline import Renderer, check_shapes

    @dataclass(frozen=True)
    class Options(Configuration):
        model: tyro.conf.Positional[str]
        """A model that Luxel comes with, a run folder, a folder that `save_pretrained` wrote, or hf-hub:OWNER/NAME."""
        data: str | None = None
        """Data set whose test split to use; or scenes:DIR for a folder of scenes, which are traced beside it. Unless
        given, a run's own; for other ray models 32 unseen scenes of `mixed`, traced below data/."""
        width: Pixels | None = None
        """Of the pictures, where they are traced for this; any for a ray model. Width or height alone makes a square;
        neither, the model's own size, or 128 of the unseen scenes."""
        height: Pixels | None = None
        spp: Annotated[int, Field(ge=2, le=1 << 24)] | None = None
        """Paths a pixel of the truth, where it is traced for this; 256 unless given, or a run's own."""
        tone_map: str = "clamp"
        """For PSNR, SSIM and FLIP: clamp or reinhard."""
        batch_size: BatchSize = 64
        device: str = "cpu"

    options = parsed(Options, "luxel evaluate", arguments)
    tone_map(options.tone_map)
    renderer, folder = Renderer.from_pretrained(options.model, options.device), Path(options.model)
    model, tone, device = renderer.model, options.tone_map, options.device
    data = evaluation_set(
        folder, model.config, options.data, width=options.width, height=options.height, spp=options.spp
    )
    print(f"test set: {data}", file=sys.stderr)
    test = ShardDataset(data, "test")
    settings = test.manifest.settings
    if not isinstance(model, RayModel):
        check_size(model.config.width, int(settings["width"]), int(settings["height"]), str(data))
        check_shapes([test.scene(index) for index in range(len(test))])
    loss = experiment_of(folder).train.loss if is_run(folder) else "perceptual"
    batches = evaluation_batches(test, options.batch_size)
    evaluation = run(model, batches, int(settings["spp"]), test.content_hash, loss, tone, device)
    path = folder / evaluation.file if is_run(folder) else Path(f"{folder.name}-{evaluation.file}")
    write_json(path, asdict(evaluation))
    print(f"{evaluation.provenance}; mean and 95 % bootstrap interval")
    for name, summary in evaluation.metrics.items():
        print(f"{name:>15}  {summary.mean:10.4g}   {summary.low:.4g} – {summary.high:.4g}")
    if evaluation.left_out:
        print(evaluation.left_out)
    page, scenes = path.with_suffix(".html"), [test.scene(index) for index in range(min(GALLERY, len(test)))]
    outputs = renderer.render(scenes, int(settings["width"]), int(settings["height"]))
    gallery = Section("The first test scenes", of_test_set(test, {folder.resolve().name: outputs}))
    write_report(page, f"Luxel: {options.model}", [gallery], evaluation)
    print(f"{evaluation.images_per_s:.1f} images/s; per image in {path}, pictures in {page}")
    return 0


def render(arguments: list[str]) -> int:
    """Render a scene with a trained model: luxel render SCENE.json."""
    import numpy as np
    from tqdm import tqdm

    from luxel.data.generate import GenerateSettings, TracerName
    from luxel.image.formats import Stops, check_suffix, save_image, save_pixels
    from luxel.image.side_by_side import SideBySide, sheet
    from luxel.image.tonemap import tone_map
    from luxel.pipeline import Renderer
    from luxel.scene.description import Scene

    @dataclass(frozen=True)
    class Options(Configuration):
        scene: tyro.conf.Positional[Path]
        """Scene description, JSON."""
        out: Path | None = None
        """.exr for linear radiance, .png for a tone-mapped picture; SCENE.png in the current folder unless given."""
        model: Path = Path("ray-small")
        """The model that Luxel comes with, or a run folder, or a folder that `save_pretrained` wrote."""
        width: Pixels | None = None
        """In pixels; only a ray model can be asked for a size. Width or height alone makes a square."""
        height: Pixels | None = None
        spp: PathCount = 0
        """Paths a pixel that the picture is blended with: the more, the nearer to the truth. 0: the model's alone."""
        seed: Seed = 0
        """Of those paths."""
        tone_map: str = "clamp"
        """Of a .png: clamp or reinhard."""
        exposure: Stops = 0.0
        """Stops by which a .png is brighter: 1 doubles radiance before the tone map, -1 halves it."""
        truth: Annotated[int, Field(ge=1, le=1 << 24)] | None = None
        """Path trace the scene, too, with so many samples a pixel, and put that at the left of the model's picture.
        A .png is labelled, with PSNR, FLIP and equivalent spp."""
        tracer: TracerName = "path"
        """Of --truth: path, Luxel's own, or mitsuba, the reference."""
        device: str = "cpu"

    options = parsed(Options, "luxel render", arguments)
    out = options.out or Path(options.scene.stem + ".png")
    check_suffix(out, options.exposure)
    tone_map(options.tone_map)
    scene = Scene.load(options.scene)
    if not scene.is_lit:
        print(
            f"warning: {options.scene}: nothing gives light, so that the picture is black; give the background, or an "
            "object's material.emission, some radiance",
            file=sys.stderr,
        )
    renderer = Renderer.from_pretrained(options.model, options.device)
    started = time.perf_counter()
    image = renderer(scene, options.width, options.height)
    height, width, _ = image.shape
    print(f"{width}×{height} by {options.model} in {time.perf_counter() - started:.2f} s", file=sys.stderr)
    save_image(out, image, options.tone_map, options.exposure)
    if options.spp:
        print(f"{out}: {options.model} alone, until {options.spp} paths a pixel are traced", file=sys.stderr)
        with tqdm(desc=f"path tracing, {options.spp} spp", total=width * height, unit="pixel", leave=False) as bar:
            image = renderer.refined([scene], image[None], options.spp, options.seed, bar.update)[0]
        save_image(out, image, options.tone_map, options.exposure)
    if options.truth is None:
        print(out)
        return 0
    print(f"{out}: {options.model} alone, until the truth is traced", file=sys.stderr)
    truth = traced(GenerateSettings(tracer=options.tracer), scene, width, height, options.truth)
    pair = SideBySide.of(
        str(options.scene),
        truth.mean[0],
        {Path(options.model).resolve().name: image},
        truth.spp,
        truth.variance[0],
        float(truth.variance_of_a_path[0]),
    )
    if out.suffix.lower() == ".png":
        save_pixels(out, sheet([pair], tone=options.tone_map, exposure=options.exposure))
    else:
        save_image(out, np.concatenate(pair.images, axis=1))
    print(f"{out}, from left to right: {pair.summary}")
    return 0


def traced(settings: "GenerateSettings", scene: "Scene", width: int, height: int, spp: int) -> "Radiance":
    """The scene as the settings' tracer sees it, with a progress bar."""
    from tqdm import tqdm

    from luxel.trace.mitsuba import MitsubaTracer
    from luxel.trace.mitsuba_limits import known_wrong

    tracer = settings.make_tracer()
    if isinstance(tracer, MitsubaTracer):
        for line in known_wrong(scene):
            print(f"warning: {line}", file=sys.stderr)
    with tqdm(desc=f"path tracing, {spp} spp", total=width * height, unit="pixel", leave=False) as bar:
        return tracer.trace([scene], width, height, spp, seed=0, progress=bar.update)


def experiments(arguments: list[str]) -> int:
    """The experiments there are, one in full, several compared, the log's findings: luxel experiments ACTION."""
    name, rest = first_word(arguments, "experiments", "ACTION", ACTIONS)
    return ACTIONS[name](rest)


def list_(arguments: list[str]) -> int:
    """Every experiment with its group, date and one line, and what came of its runs."""
    from luxel.experiments.show import list_experiments

    @dataclass(frozen=True)
    class Options(Configuration):
        runs: tuple[Path, ...] = (Path("runs"),)
        """Where to look for runs: folders of them, at any depth, or runs themselves."""

    places = parsed(Options, "luxel experiments list", arguments).runs
    for place in places:
        if place != Path("runs") and not place.is_dir():
            raise InputError(f"runs is {place}, which is no folder")
    print(list_experiments(*places))
    return 0


def show(arguments: list[str]) -> int:
    """One experiment: configuration, what differs from its base, learning rate, parameters and operations."""
    from luxel.experiments import EXPERIMENTS, Scale
    from luxel.experiments.show import show_experiment

    name, rest = first_word(arguments, "experiments show", "EXPERIMENT", EXPERIMENTS)

    @dataclass(frozen=True)
    class Options(Configuration):
        scale: Scale = "small"

    print(show_experiment(EXPERIMENTS[name], parsed(Options, f"luxel experiments show {name}", rest).scale))
    return 0


def compare(arguments: list[str]) -> int:
    """Run what is missing of these experiments or groups, and set all, and your own runs, side by side on one page."""
    from luxel.experiments import EXPERIMENTS, GROUPS, Scale
    from luxel.experiments.data_sets import is_run
    from luxel.experiments.experiment import group_of
    from luxel.ledger.comparison import compare as run

    @dataclass(frozen=True)
    class Options(Configuration):
        names: tyro.conf.Positional[tuple[str, ...]]
        """Experiments, or groups of them, and folders of runs that have ended, which are taken as they are."""
        scale: Scale = "small"
        seeds: Annotated[int, Field(ge=1, le=1000)] = 1
        """Runs an experiment; from 2 on there are intervals."""
        out: Path | None = None
        """Folder of the page; runs/compare/<names>-<scale> unless given."""
        cpu: bool = False

    options = parsed(Options, "luxel experiments compare", arguments)
    names: list[str | Path] = []
    for given in options.names:
        is_folder = given not in (*EXPERIMENTS, *GROUPS) and is_run(Path(given))
        names += [Path(given)] if is_folder else group_of(given)
    if not names:
        raise InputError("no experiments to compare: name one, or a group; `luxel experiments list` shows all")
    called = [Path(given).name for given in options.names]
    several = f"{called[0]}+{len(called) - 1}" if len(called) > 3 else "+".join(called)
    out = options.out or Path("runs/compare") / f"{several}-{options.scale}"
    page, text = run(names, options.scale, options.seeds, out, options.cpu)
    print(text)
    print(f"open {page.resolve()}")
    return 0


def findings(arguments: list[str]) -> int:
    """What the log found, and whether it holds in the runs whose records are in a folder: docs/findings.md."""
    from luxel.ledger.findings import write_findings

    @dataclass(frozen=True)
    class Options(Configuration):
        records: Path = Path("docs/ledger")
        """Folder of records, as `compare` leaves in <out>/records."""
        out: Path = Path("docs/findings.md")

    options = parsed(Options, "luxel experiments findings", arguments)
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
    class Options(Configuration):
        out: Path = Path("runs/demo")
        """Run folder of the demo."""

    options = parsed(Options, "luxel demo", arguments)
    page, status = run(options.out)
    print(f"open {page.resolve()}")
    return DIVERGED if status == "diverged" else 0


VERBS: dict[str, Callable[[list[str]], int]] = {
    verb.__name__: verb for verb in (generate, train, cooldown, evaluate, render, experiments, demo)
}


def main(arguments: list[str] | None = None) -> None:
    """Run the verb and exit with its code; an error that a user can mend is one message, not a traceback.

    SIGTERM, a scheduler's way to stop a job, is taken as Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    modules, words = plugins_of(arguments)
    called = " ".join(["luxel", *words[:1]])
    sys.stdout = sys.stdout or io.StringIO()  # if it is closed
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # whatever characters the terminal has not
    try:
        with handlers():
            try:
                load_plugins(modules)
                code = dispatch(words)
            finally:
                flush_output()
    except KeyboardInterrupt:
        goes_on = f"; `luxel {shlex.join(arguments)}` goes on from here" if resumable(words) else ""
        print(f"interrupted{goes_on}", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        code = 0
    except InputError as error:
        print(f"{called}: {error}", file=sys.stderr)
        code = 1
    except OSError as error:  # of files, all of which have names, or from printing
        print(f"{called}: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        code = 1
    sys.exit(code)


def plugins_of(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The modules that `--plugin MODULE` names, anywhere, and the other arguments."""
    modules, others = [], []
    words = iter(arguments)
    for word in words:
        option, equals, module = word.partition("=")
        if option == "--plugin":
            modules.append(module if equals else next(words, ""))
        else:
            others.append(word)
    return modules, others


def load_plugins(modules: list[str]) -> None:
    """Import modules that register distributions of scenes."""
    if modules:
        from luxel.scene.registry import load_plugin

        for module in modules:
            load_plugin(module)


def dispatch(arguments: list[str]) -> int:
    """Run the verb; return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(__version__)
        return 0
    verb, rest = first_word(arguments, "", "VERB", VERBS)
    return VERBS[verb](rest)


def flush_output() -> None:
    """Write out what was printed, while an error can still be told: at the interpreter's end it would be a traceback.

    What can't be written, as a disk is full or a pipe broken, is dropped, and OSError raised.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def leave_to_the_main_thread(arguments: threading.ExceptHookArgs) -> None:
    """Print what ended a thread, unless it is an OSError: TensorBoard's thread hands that on, and `main` tells it."""
    if not issubclass(arguments.exc_type, OSError):
        threading.__excepthook__(arguments)


@contextmanager
def handlers() -> Iterator[None]:
    """Within, SIGTERM raises KeyboardInterrupt, unless it is already somebody's to handle, and `main` tells errors."""
    hook, threading.excepthook = threading.excepthook, leave_to_the_main_thread
    is_main = threading.current_thread() is threading.main_thread()
    stops = is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if stops:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        threading.excepthook = hook
        if stops:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def resumable(arguments: list[str]) -> bool:
    """Whether the same command again goes on where it was interrupted."""
    return arguments[0] in ("generate", "train", "cooldown", "demo") or arguments[:2] == ["experiments", "compare"]


def usage() -> str:
    """The verbs, a line each."""
    lines = [f"  luxel {name:<12} {first_line(verb)}" for name, verb in VERBS.items()]
    plugin = "  --plugin MODULE, for any verb: a Python module that registers distributions of scenes"
    return "\n".join(["usage: luxel VERB [options]      (luxel VERB --help for each)", "", *lines, "", plugin])


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
