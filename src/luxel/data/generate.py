"""Generating a data set: scenes traced into shards, resumable at any moment."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from pathlib import Path

from luxel import InputError
from luxel.cluster import Cluster, Task
from luxel.data.generate_settings import GenerateSettings, is_extension, same_images, scenes_a_job
from luxel.data.label_tars import label_file
from luxel.data.manifest import NAME, DataError, Manifest, ShardEntry, differences
from luxel.data.shard_parts import SUFFIX, Part, parts_of, remove_parts, write_parts
from luxel.data.shards import SCENES_A_SHARD, ShardReader, shard_file, write_shard
from luxel.data.split import SPLITS, Split, split_of
from luxel.files.atomic import LOCK, check_folder, checksum, only_one, writing
from luxel.files.partial import PARTIAL
from luxel.progress import ProgressBar
from luxel.scene.description import Scene, scene_id
from luxel.scene.distributions import Spheres
from luxel.trace.mitsuba import MitsubaTracer
from luxel.trace.mitsuba_limits import known_wrong
from luxel.trace.pool import Job, trace_jobs
from luxel.trace.tracer import InProcessTracer, Radiance

# A bar counts images, and moves within them.
SHARE = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}]"
COUNT = "{desc}: {n:.0f} [{elapsed}, {rate_fmt}]"


@dataclass(frozen=True)
class _Plan:
    """One shard to be."""

    split: Split
    number: int
    scenes: tuple[Scene, ...]


def generate(
    settings: GenerateSettings,
    out: str | Path,
    workers: int = 0,
    progress: bool = True,
    splits: Sequence[Split] = SPLITS,
    cluster: Cluster | None = None,
) -> Manifest:
    """Generate the data set, or what is missing of it, in the folder `out`; return its manifest.

    `workers` processes of Mitsuba's trace (0: one a core); the path tracer works in this one. On a `cluster` every
    shard is a task, and `out` a folder that its nodes share; the bytes are those of one machine of their kind. With
    `splits` of ("test",) the training scenes are left for another call. The call may be ended at any moment, kill -9
    included; the same call again goes on, and the folder ends up with the same bytes. So it does where a data set of
    fewer scenes is there already, with the same settings otherwise. Raises DataError if the folder holds a data set of
    other settings, or more scenes, and names them; TraceError if tracing fails; InputError for workers that the
    tracer has not.
    """
    if workers and settings.tracer != "mitsuba":
        raise InputError(
            f"workers is {workers}, but the path tracer works in one process, on all cores; leave it at 0, or take "
            "--tracer mitsuba"
        )
    root = Path(out)
    check_folder(root)
    if not is_free(root):
        raise DataError(f"{root}: neither empty nor a data set, {NAME} is missing; choose another --out")
    if (manifest := _if_finished(settings, root, splits)) is not None:
        return manifest
    if settings.scene(0) != settings.scene(0):
        name = settings.distribution.name
        raise InputError(f"distribution {name} gives another scene each time: it must depend on seed and index alone")
    with only_one(root):
        manifest = _manifest_to_continue(settings, root)
        if not manifest.is_complete:
            manifest = _complete(settings, root, manifest, workers, progress, splits, cluster)
    return manifest


def is_free(root: Path) -> bool:
    """Whether a data set may be in the folder, or come to be: nothing is there but what its first write leaves."""
    if not root.exists():
        return True
    foreign = {path.name for path in root.iterdir()} - {LOCK, NAME + PARTIAL}
    return not foreign or (root / NAME).exists()  # in this order, as another process may be writing it


def _if_finished(settings: GenerateSettings, root: Path, splits: Sequence[Split]) -> Manifest | None:
    """The manifest, if nothing of the splits is missing or damaged: runs that share them need no lock to find out."""
    try:
        manifest = Manifest.load(root)
        for split in splits:
            manifest.verify(root, split)
    except DataError:
        return None
    there = all(manifest.has_all_of(split) for split in splits)
    return manifest if there and same_images(manifest.settings, settings.flat()) else None


def _complete(
    settings: GenerateSettings,
    root: Path,
    manifest: Manifest,
    workers: int,
    progress: bool,
    splits: Sequence[Split],
    cluster: Cluster | None,
) -> Manifest:
    """Trace the splits' shards that the manifest lacks."""
    done = {shard.file for shard in manifest.shards}
    due = (plan for plan in _plans(settings) if plan.split in splits)
    due = (plan for plan in due if shard_file(plan.split, plan.number) not in done)
    there = sum(shard.scenes for split in splits for shard in manifest.of(split))
    empty = settings.shares.empty
    total = settings.count if {*splits, *empty} >= {*SPLITS} else None  # how many a split has shows at its end
    what = f"tracing {' and '.join(split for split in splits if split not in empty)} images"
    shown = SHARE if total else COUNT
    with ProgressBar(
        desc=what, total=total, initial=there, unit="image", disable=not progress, smoothing=0.1, bar_format=shown
    ) as bar:
        if cluster is None:
            shards = _written(settings, root, due, workers, bar)
        else:
            shards = _written_on(cluster, settings, root, due, workers, bar)
        for shard in shards:
            manifest = manifest.including(shard)
            manifest.save(root)
            remove_parts(root / shard.file)
    if not manifest.is_complete:
        manifest = replace(manifest, finished=tuple(splits))
        manifest.save(root)
    return manifest


def _manifest_to_continue(settings: GenerateSettings, root: Path) -> Manifest:
    """The manifest to go on from: without shards that are gone or damaged, whose scenes are due again.

    Where there are to be more scenes, also without each split's last shard unless it is full; its images are kept, and
    the manifest is saved, lest the next call take what is traced since for leftovers of the smaller set.
    """
    asked = settings.flat()
    if not (root / NAME).exists():
        manifest = Manifest(asked)
        manifest.save(root)
        return manifest
    there = Manifest.load(root)
    has_more_scenes = is_extension(there.settings, asked)
    different = [] if has_more_scenes else differences(there.settings, asked)
    if different and (there.shards or any(root.glob("*" + SUFFIX))):
        head = f"{root}: holds a data set of other settings; choose another --out, or delete it"
        if settings.tracer == "path" and str(there.settings.get("renderer")).startswith("mitsuba"):
            head += "; or go on with it by --tracer mitsuba, which was the default"
        raise DataError("\n".join([head, *different]))
    for unfinished in root.glob("*" + PARTIAL):
        unfinished.unlink()
    good = tuple(
        shard for shard in there.shards if (root / shard.file).is_file() and checksum(root / shard.file) == shard.sha256
    )
    for shard in good:
        remove_parts(root / shard.file)
    if has_more_scenes:
        for shard in there.shards:
            if shard.scenes < SCENES_A_SHARD:
                with writing(root):
                    label_file(root / shard.file).unlink(missing_ok=True)
                if shard in good:
                    _keep_images(settings, root / shard.file)
        manifest = Manifest(asked, tuple(shard for shard in good if shard.scenes == SCENES_A_SHARD))
        manifest.save(root)
        return manifest
    return Manifest(asked, good, there.finished if good == there.shards else ())


def _keep_images(settings: GenerateSettings, shard: Path) -> None:
    """Keep what is traced of a shard that is to have more scenes."""
    reader = ShardReader(shard)
    mean, variance, path_variance = (reader.tensors[name] for name in ("radiance", "variance", "path_variance"))
    scenes = [reader.scene(row) for row in range(len(mean))]
    write_parts(shard, scenes, Radiance(mean, variance, settings.spp, path_variance), scenes_a_job(settings))


def _plans(settings: GenerateSettings) -> Iterator[_Plan]:
    """All shards: each split's scenes in the order of the distribution, the last shards as they are left."""
    gathered: dict[Split, list[Scene]] = {split: [] for split in SPLITS}
    numbers = {split: count() for split in SPLITS}
    for index in range(settings.count):
        scene = settings.scene(index)
        split = split_of(scene_id(scene), settings.shares)
        gathered[split].append(scene)
        if len(gathered[split]) == SCENES_A_SHARD:
            yield _Plan(split, next(numbers[split]), tuple(gathered[split]))
            gathered[split] = []
    for split, scenes in gathered.items():
        if scenes:
            yield _Plan(split, next(numbers[split]), tuple(scenes))


def _written(
    settings: GenerateSettings, root: Path, plans: Iterator[_Plan], workers: int, bar: ProgressBar
) -> Iterator[ShardEntry]:
    """The planned shards, each in its file."""
    for plan, radiance in _traced(settings, root, plans, workers, bar):
        yield write_shard(root, plan.split, plan.number, plan.scenes, radiance)


def _written_on(
    cluster: Cluster, settings: GenerateSettings, root: Path, plans: Iterator[_Plan], workers: int, bar: ProgressBar
) -> Iterator[ShardEntry]:
    """The planned shards, traced and written by a cluster's tasks, as they end; a few wait while the others work.

    Which scenes they have is settled here, so that a plugin's distribution need not be on the nodes.
    """
    scenes_given = replace(settings, distribution=Spheres())
    renderer = settings.make_tracer().renderer
    tasks: list[Task] = []
    try:
        while True:
            for plan in islice(plans, max(0, 2 * cluster.at_once - len(tasks))):
                tasks.append(cluster.submit(_write_one, scenes_given, root, plan, workers or cluster.threads, renderer))
            if not tasks:
                return
            for task in cluster.ended(tasks):
                tasks.remove(task)
                shard: ShardEntry = cluster.result(task)
                bar.update(shard.scenes)
                yield shard
    finally:
        cluster.stop(tasks)


def _write_one(settings: GenerateSettings, root: Path, plan: _Plan, workers: int, renderer: str) -> ShardEntry:
    """A task: the shard, traced in this process. Raises InputError if that would be by another renderer."""
    mine = settings.make_tracer().renderer
    if mine != renderer:
        raise InputError(
            f"a node's renderer is {mine}, the caller's {renderer}; call Luxel on a machine of the nodes' kind, and "
            "give --cluster-gpus 1 where they have GPUs"
        )
    with ProgressBar(disable=True, total=len(plan.scenes)) as bar:
        (shard,) = _written(settings, root, iter([plan]), workers, bar)
    return shard


def _traced(
    settings: GenerateSettings, root: Path, plans: Iterator[_Plan], workers: int, bar: ProgressBar
) -> Iterator[tuple[_Plan, Radiance]]:
    """The planned shards' images, in order, from parts that an earlier call has traced and others that are kept now."""
    begun: deque[_Plan] = deque()
    done: list[Radiance] = []
    for radiance in _traced_parts(settings, root, plans, begun, workers, bar):
        done.append(radiance)
        if sum(len(part.mean) for part in done) == len(begun[0].scenes):
            yield begun.popleft(), Radiance.joined(done)
            done = []


def _traced_parts(
    settings: GenerateSettings,
    root: Path,
    plans: Iterator[_Plan],
    begun: deque[_Plan],
    workers: int,
    bar: ProgressBar,
) -> Iterator[Radiance]:
    """The images of all parts of the planned shards, in order; a plan is put into `begun` before its first one's."""
    due: deque[tuple[Part, Radiance | None]] = deque()
    size = scenes_a_job(settings)

    def there() -> Iterator[Radiance]:
        while due and (radiance := due[0][1]) is not None:
            due.popleft()
            bar.update(len(radiance.mean))
            yield radiance

    def jobs() -> Iterator[Job]:
        for plan in plans:
            begun.append(plan)
            for part in parts_of(root / shard_file(plan.split, plan.number), plan.scenes, size):
                due.append((part, part.read(settings.spp)))
                if due[-1][1] is None:
                    yield Job(part.scenes, settings.width, settings.height, settings.spp, settings.seed)

    for radiance in _radiances(settings.make_tracer(), jobs(), workers, bar):
        yield from there()
        part, _ = due.popleft()
        if len(part.scenes) < len(begun[0].scenes):
            part.write(radiance)
        yield radiance
    yield from there()


def _radiances(
    tracer: MitsubaTracer | InProcessTracer, jobs: Iterator[Job], workers: int, bar: ProgressBar
) -> Iterator[Radiance]:
    """The jobs' images, in order."""
    if isinstance(tracer, MitsubaTracer):
        for radiance in trace_jobs(tracer, _warned(jobs), workers):
            bar.update(len(radiance.mean))
            yield radiance
        return
    for job in jobs:
        done = partial(_advance, bar, job.width * job.height)
        yield tracer.trace(job.scenes, job.width, job.height, job.spp, job.seed, done)


def _advance(bar: ProgressBar, pixels_an_image: int, pixels: int) -> None:
    images = pixels / pixels_an_image
    bar.update(images if bar.total is None else min(images, bar.total - bar.n))  # of which tqdm warns, by rounding


def _warned(jobs: Iterator[Job]) -> Iterator[Job]:
    """The same jobs; the first thing that Mitsuba is known to do wrong in one of their scenes is said."""
    said = False
    for job in jobs:
        if not said and (reasons := [line for scene in job.scenes for line in known_wrong(scene)]):
            ProgressBar.write(f"Mitsuba is known to be wrong in a scene of this set: {reasons[0]}", file=sys.stderr)
            said = True
        yield job
