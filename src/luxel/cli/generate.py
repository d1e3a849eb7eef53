"""`luxel generate`: a data set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from luxel.cli.options import first_word, on_cluster, parsed, refuse_former
from luxel.cluster import Cores, Gpus
from luxel.configuration import Configuration


def generate(arguments: list[str]) -> int:
    """Path-trace a data set: luxel generate DISTRIBUTION --out DIR, or scenes:DIR for a folder; cater, of videos."""
    from luxel.data.generate import generate as run
    from luxel.data.generate_settings import GenerateSettings, of_folder
    from luxel.data.label_files import LabelChoice
    from luxel.data.labelling import check_labels, write_labels
    from luxel.network_tracer import NetworkSettings
    from luxel.scene.cater.video import Cater
    from luxel.scene.folder import PREFIX
    from luxel.scene.registry import NAME_ITS_MODULE, known_distributions

    if arguments and arguments[0].startswith(PREFIX):
        name, rest = arguments[0], arguments[1:]
        default = of_folder(name.removeprefix(PREFIX))
    else:
        known = known_distributions()
        own = f"; {NAME_ITS_MODULE}"
        name, rest = first_word(arguments, "generate", "DISTRIBUTION", {**known, Cater.name: Cater}, own)
        if name == Cater.name:
            return generate_cater(rest)
        default = GenerateSettings(known[name]())
    refuse_former(rest)

    @dataclass(frozen=True)
    class Options(Configuration):
        out: Path
        """Folder of the data set; the same command again completes it, and one with a larger --count adds scenes."""
        settings: tyro.conf.OmitArgPrefixes[tyro.conf.AvoidSubcommands[GenerateSettings]] = default
        labels: tyro.conf.OmitArgPrefixes[LabelChoice] = LabelChoice()
        """Written beside the pictures, in labels/, now or when the command is repeated with them."""
        model: str | None = None
        """Instead of tracing alone, pictures by this model, blended with --spp paths a pixel: docs/datasets.md."""
        workers: Annotated[int, Field(ge=0, le=1024)] = 0
        """Processes of `--tracer mitsuba`, one thread each; 0: one a core."""
        cluster: str | None = None
        """Trace on a cluster of Ray's, at HOST:PORT, or auto; --out must be on storage that all its nodes share."""
        cluster_cpus: Cores = 1.0
        """That each shard on the cluster takes, and its threads unless OMP_NUM_THREADS is set."""
        cluster_gpus: Gpus = 0.0
        """That each shard on the cluster takes: 1 for one on each GPU, 0 for none."""

    options = parsed(Options, f"luxel generate {name}", rest)
    settings = options.settings
    if options.model is not None:
        settings = NetworkSettings(**vars(settings), model=options.model)
        settings.make_tracer()  # which tells a wrong name before there is a folder
    check_labels(options.out, options.labels)
    with on_cluster(options.cluster, options.cluster_cpus, options.cluster_gpus) as nodes:
        manifest = run(settings, options.out, options.workers, cluster=nodes)
        if options.labels.chosen:
            write_labels(options.out, options.labels, cluster=nodes)
    labelled = f", labelled: {', '.join(options.labels.chosen)}" if options.labels.chosen else ""
    print(f"{manifest.scenes} scenes in {options.out}{labelled}")
    return 0


def generate_cater(arguments: list[str]) -> int:
    """The videos of `luxel generate cater`."""
    from luxel.pipeline import Renderer
    from luxel.videos import VideoSettings, generate_videos

    @dataclass(frozen=True)
    class Options(Configuration):
        out: Path
        """Folder of the videos; the same command again completes it."""
        settings: tyro.conf.OmitArgPrefixes[VideoSettings] = VideoSettings()
        model: str = "ray-small"
        """That renders: one that Luxel comes with, a run folder, or a folder that `save_pretrained` wrote."""
        device: str = "cpu"

    options = parsed(Options, "luxel generate cater", arguments)
    renderer = Renderer.from_pretrained(options.model, options.device)
    generate_videos(options.settings, renderer, options.out)
    print(f"videos in {options.out}: {options.settings.count}")
    return 0
