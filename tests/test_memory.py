import gc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import luxel.memory
from luxel import InputError
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import Experiment, with_data, with_model, with_train
from luxel.experiments.requirements import check_memory
from luxel.experiments.run import run
from luxel.experiments.scene_sizes import SceneSizes
from luxel.memory import check_fits, collection_paused, format_size, free_memory


def test_what_does_not_fit_is_told_before_it_starts(monkeypatch):
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 3 * 2**30)
    check_fits(3 * 2**30, "x is 1", "take less")
    with pytest.raises(InputError) as error:
        check_fits(5 * 2**40, "x is 9", "take less")
    assert str(error.value) == "x is 9: that takes some 5 TiB of memory, of which 3 GiB are free; take less"


def test_little_is_taken_unasked(monkeypatch):
    asked = []
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: asked.append(enough) or 2**40)
    check_fits(2**20, "x is 1", "take less", unasked=2**20)
    assert not asked
    check_fits(2**20 + 1, "x is 1", "take less", unasked=2**20)
    assert asked == [2**20 + 1]


def test_memory_in_words():
    assert [format_size(size) for size in (0, 3 * 2**19, 2**30, 1234 * 2**30)] == [
        "0 MiB",
        "1.5 MiB",
        "1 GiB",
        "1.21 TiB",
    ]


MIB = 2**20


def group(folder: Path, limit: int | str, used: int, inactive_file: int, version: int = 2) -> None:
    """A control group's files, sizes in MiB."""
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
             2: ("memory.max", "memory.current", "inactive_file")}[version]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit * MIB if isinstance(limit, int) else limit}\n")
    (folder / names[1]).write_text(f"{used * MIB}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {inactive_file * MIB}\nactive_file 7\n")


@pytest.fixture
def groups(monkeypatch, tmp_path) -> Path:
    """The root of a machine's control groups, which has none, on a machine with 1009 MiB available."""
    monkeypatch.setattr(luxel.memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(luxel.memory, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(luxel.memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=1009 * MIB))
    return tmp_path / "cgroup"


def test_without_control_groups_what_the_system_has_is_free(groups):
    assert free_memory() == 1009 * MIB
    (groups.parent / "membership").write_text("0::/\n")
    assert free_memory() == 1009 * MIB


def test_in_a_container_what_is_left_below_its_limit_is_free(groups):
    """The limit is 512 MiB, of which 401 are used, 31 by pages of files that can be dropped: 142 are left."""
    (groups.parent / "membership").write_text("0::/\n")
    group(groups, 512, 401, 31)
    assert free_memory() == 142 * MIB
    group(groups, 512, 3, 31)  # whose pages others account for
    assert free_memory() == 512 * MIB
    group(groups, 512, 700, 31)
    assert free_memory() == 0
    group(groups, "max", 401, 31)
    assert free_memory() == 1009 * MIB
    group(groups, 1 << 30, 401, 31)
    assert free_memory() == 1009 * MIB


def test_the_tightest_of_the_groups_around_a_process_counts(groups):
    (groups.parent / "membership").write_text("0::/slurm/job:1/step\n")
    group(groups / "slurm" / "job:1" / "step", "max", 90, 0)
    group(groups / "slurm" / "job:1", 300, 100, 10)
    group(groups / "slurm", 1000, 997, 0)
    assert free_memory() == 3 * MIB
    group(groups / "slurm", 1000, 500, 0)
    assert free_memory() == 210 * MIB


def test_a_container_that_knows_its_path_on_the_host_alone_is_limited_too(groups):
    (groups.parent / "membership").write_text("0::/docker/4f2a\n")
    group(groups, 64, 41, 0)
    assert free_memory() == 23 * MIB


def test_control_groups_of_the_first_version_count(groups):
    """Beside a second hierarchy without a memory controller, whose files are not there."""
    (groups.parent / "membership").write_text("9:name=systemd:/a\n4:cpu,memory:/a/b\n1:memory_migrate:/c\n0::/\n")
    group(groups / "memory" / "a" / "b", 200, 150, 20, version=1)
    group(groups / "memory", 9223372036854771712 // MIB, 5000, 0, version=1)
    group(groups / "memory" / "c", 1, 1, 0, version=1)
    assert free_memory() == 70 * MIB


def test_what_torch_holds_on_a_gpu_for_later_is_free(monkeypatch):
    held = {"mem_get_info": (100, 900), "memory_reserved": 70, "memory_allocated": 30}
    for name, value in held.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert free_memory("cuda:0") == 140


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda made: with_train(made, batch_size=100_000), r"train\.batch_size is 100000, .*GiB are free.*accumulate"),
        (
            lambda made: with_train(with_data(made, count=10**6), batch_size=10**5, accumulate=10**5),
            r"train\.batch_size is 100000, with which test pictures of 32×32 are rendered together: .*take a smaller",
        ),
        (lambda made: with_model(made, seq_width=65_536), r"its [\d,]+ parameters are to be trained.* TiB of memory"),
    ],
)
def test_a_training_that_does_not_fit_writes_nothing(change, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 100 * 2**30)
    with pytest.raises(InputError, match=message):
        run(change(EXPERIMENTS["standard_run"].make("small")), tmp_path / "run", cpu=True)
    assert not any(tmp_path.iterdir())


def test_points_that_do_not_fit_are_refused_before_they_are_measured(monkeypatch):
    """A step is of points alone: of more pictures than would fit as whole ones."""
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 2**30)
    made = with_train(with_data(EXPERIMENTS["ray_small"].make("small"), count=2000), batch_size=100, points=16)
    made = replace(made, stream=None)
    check_memory(made, torch.device("cpu"))
    with pytest.raises(InputError, match=r"train\.points is 1000, of each of 2000 pictures: .*take fewer of them"):
        check_memory(with_train(made, points=1000), torch.device("cpu"))


def needs(experiment: Experiment) -> tuple[object, ...]:
    """What its memory depends on, where that of its scenes is given: 51 of 73 experiments differ in it."""
    train = experiment.train
    return experiment.model, experiment.stream, train.batch_size, train.accumulate, experiment.data.count


def test_every_experiment_fits_into_a_machine_that_it_is_for(monkeypatch):
    """Full scale is for a GPU of 80 GiB, medium for one of 16, others for any machine. Of 12 objects at most."""
    monkeypatch.setattr(luxel.experiments.requirements, "scene_sizes", lambda experiment, data: SceneSizes(12, ()))
    for scales, size in ((("tiny",), 2), (("small", "long"), 4), (("medium",), 16), (("full",), 80)):
        monkeypatch.setattr(luxel.memory, "free_memory", lambda device, size=size: size * 2**30)
        made = [entry.make(scale) for scale in scales for entry in EXPERIMENTS.values()]
        for experiment in {needs(each): each for each in made}.values():
            check_memory(experiment, torch.device("cpu"))


def test_a_training_on_scenes_of_too_many_objects_is_refused(monkeypatch):
    made = EXPERIMENTS["standard_run"].make("small")
    monkeypatch.setattr(luxel.memory, "free_memory", lambda device, enough=None: 4 * 2**30)
    monkeypatch.setattr(luxel.experiments.requirements, "scene_sizes", lambda experiment, data: SceneSizes(20_011, ()))
    with pytest.raises(InputError, match=r"pictures of 32×32 at once \(objects in one: 20011\): that takes .* GiB"):
        check_memory(made, torch.device("cpu"))


def test_collection_is_paused_within_and_goes_on_after_unless_it_was_off():
    found = []

    @collection_paused()
    def work(depth: int) -> None:
        with suppress(KeyError):
            if depth:
                work(depth - 1)
        found.append(gc.isenabled())
        raise KeyError

    with pytest.raises(KeyError):
        work(2)
    assert (found, gc.isenabled()) == ([False, False, False], True)
