"""The command line whatever the verb: mistakes, help, and what becomes of its output."""

import errno
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import SCENE, call
from pydantic import BaseModel, model_serializer

from luxel import InputError
from luxel.cli.command import VERBS, handlers
from luxel.scene.description import Scene


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["generate", "marbles"], 2, "lists them); give the module that registers it with --plugin"),
        (["generate", "clver"], 2, "'clver' is not a known DISTRIBUTION (`luxel generate --help` lists them); did you"),
        (["train", "standar_run"], 2, "(`luxel train --help` lists them); did you mean standard_run"),
        (["experiments", "show", "dmo"], 2, "(`luxel experiments show --help` lists them); did you mean demo?"),
        (["experiments", "shwo"], 2, "luxel experiments: 'shwo' is not a known ACTION"),
        (["paint"], 2, "'paint' is not a known VERB"),
        (
            ["generate", "spheres", "--out", "x", "--max-objects", "0"],
            1,
            "--max-objects is 0, must be an integer in [1, 1000000]",
        ),
        (["generate", "spheres", "--out", "x", "--spp", "1"], 1, "--spp is 1, must be an integer in [2, 16777216]"),
        (["train", "demo", "--train.loss", "hubr"], 1, "loss 'hubr' is unknown"),
        (["train", "demo", "--model.width", "24"], 1, "width 24 is not start.size 4 times a power of two"),
        (["train", "demo", "--data.width", "64"], 1, "images are 64×32, the model's 32×32"),
        (["train", "demo", "--data", "stream:cubes"], 1, "distribution 'cubes' is unknown"),
        (["train", "demo", "--data", "stream:spheres", "--stream.spp", "0"], 1, "--stream.spp is 0"),
        (["train", "demo", "--data", "stream:spheres", "--stream.rays", "9"], 1, "the network makes whole images"),
        (["generate", "spheres", "--out", "x", "--workers", "2"], 1, "workers is 2, but the path tracer works in one"),
        (["generate", "spheres", "--out", "x", "--tracer", "torch"], 1, "--tracer is torch, which is path now"),
        (["train", "demo", "--data.tracer=torch_compiled"], 1, "--data.tracer is torch_compiled, which is path now"),
        (["train", "demo", "--data", "stream:spheres", "--stream.compiled"], 1, "--stream.compiled: the path tracer"),
        (["generate", "spheres", "--out", "x", "--tracer", "pov"], 2, "'pov'"),
        (["train", "demo", "--train.precision", "tf32", "--cpu"], 1, "tf32, which NVIDIA GPUs"),
        (["experiments", "compare", "demmo"], 1, "'demmo' is neither an experiment nor a group"),
        (["experiments", "compare", "demo", "--seeds", "0"], 1, "--seeds is 0, must be an integer in [1, 1000]"),
        (["experiments", "compare"], 1, "no experiments to compare"),
        (["experiments", "findings"], 1, "docs/ledger holds no records"),
        (["cooldown", "nowhere", "--samples", "9", "--out", "x"], 1, "nowhere/config.json: cannot be read"),
        (["evaluate", "nowhere"], 1, "nowhere is neither a folder nor a model that comes with Luxel"),
        (["render", str(SCENE), "--model", "nowhere", "--out", "x.gif"], 1, "--out is x.gif, must end in .exr"),
        (["render", "gone.json", "--out", "x.png"], 1, "gone.json: cannot be read as a scene: No such file"),
        (
            ["render", str(SCENE), "--truth", "0"],
            1,
            "--truth is 0, must be an integer in [1, 16777216]",
        ),
        (["evaluate", "."], 1, ". has no model.safetensors"),
        (["evaluate", "ray-small", "--data", "scenes:gone"], 1, "gone: is no folder; scenes:DIR is one of scenes"),
        (["evaluate", "ray-small", "--data", "gone"], 1, "gone: not a data set, manifest.json is missing"),
        (["evaluate", "ray-small", "--data", "gone", "--width", "9"], 1, "width is 9, but gone is traced already"),
        (
            ["evaluate", "ray-small", "--spp", "1"],
            1,
            "--spp is 1, must be an integer in [2, 16777216]",
        ),
        (["generate", "scenes:.", "--out", "x"], 1, ".: has no scenes, which are files that end in .json"),
        (["generate", "--plugin", "gone", "spheres"], 1, "--plugin gone: cannot be imported: ModuleNotFoundError"),
        (["experiments", "list", "--runs", "gone"], 1, "runs is gone, which is no folder"),
        (["train", "demo", "--lr-multiplier", "-1"], 1, "--lr-multiplier is -1.0, must be a number in (0, 1e+06]"),
        (["train", "demo", "--lr-multiplier", "nan"], 1, "--lr-multiplier is nan, must be a number in (0, 1e+06]"),
        (
            ["train", "demo", "--train.optim.ema-decay", "nan"],
            1,
            "--train.optim.ema-decay is nan, must be a number in",
        ),
        (
            ["train", "demo", "--train.optim.ema-decay", "2"],
            1,
            "--train.optim.ema-decay is 2.0, must be a number in",
        ),
        (
            ["train", "demo", "--train.optim.clip-norm", "0"],
            1,
            "--train.optim.clip-norm is 0.0, must be a number in",
        ),
        (
            ["train", "demo", "--train.optim.weight-decay", "-1"],
            1,
            "--train.optim.weight-decay is -1.0, must be a number in",
        ),
        (
            ["train", "demo", "--train.guard.spike", "nan"],
            1,
            "--train.guard.spike is nan, must be a number in",
        ),
        (["train", "demo", "--train.seed", "-1"], 1, "--train.seed is -1, must be an integer in [0, 4294967295]"),
        (["train", "demo", "--train.batch-size", "100000"], 1, "train.batch_size is 100000, 100000 pictures of 32×32"),
        (
            ["generate", "spheres", "--out", "x", "--workers", "-1"],
            1,
            "--workers is -1, must be an integer in",
        ),
        (
            ["render", str(SCENE), "--width", "100000"],
            1,
            "--width is 100000, must be an integer in [1, 65536]",
        ),
        (
            ["render", str(SCENE), "--height", "0"],
            1,
            "--height is 0, must be an integer in [1, 65536]",
        ),
        (["render", str(SCENE), "--exposure", "nan"], 1, "--exposure is nan, must be a number in [-64, 64]"),
        (["render", str(SCENE), "--exposure", "1", "--out", "x.exr"], 1, "--exposure is 1.0, but x.exr holds radiance"),
        (["cooldown", "x", "--samples", "0", "--out", "y"], 1, "--samples is 0, must be an integer in [1, 10995116277"),
    ],
)
def test_a_mistake_is_one_message(arguments, code, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == code
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
    assert code != 1 or printed.splitlines()[-1].startswith(f"luxel {arguments[0]}: "), "one line, as long as it is"
    assert not any(tmp_path.iterdir())


def test_help_names_every_verb(capsys):
    assert call("--help") == 0
    printed = capsys.readouterr().out
    for verb in VERBS:
        assert f"luxel {verb}" in printed


LIST = [sys.executable, "-m", "luxel.cli", "experiments", "list"]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_any_output_encoding_prints(encoding, tmp_path, monkeypatch, capsys):
    (tmp_path / "runs" / "2020-05-30" / "tanh-small").mkdir(parents=True)
    (tmp_path / "runs" / "2020-05-30" / "tanh-small" / "result.json").write_text("{")  # told with an arrow
    monkeypatch.chdir(tmp_path)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))  # strict, as an interpreter's is
    assert call("experiments", "list") == 0
    assert capsys.readouterr().err == ""
    assert ("→" if encoding == "utf-8" else "?") + " small: runs" in written.getvalue().decode(encoding)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    with subprocess.Popen(LIST, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_run_whose_messages_nobody_reads_does_not_end_well(tmp_path):
    """As of `luxel train … 2>&1 | head`."""
    command = [*LIST[:3], "render", SCENE, "--width", "13"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path) as process:
        process.stdout.close()
        assert process.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        *((words, mode) for words in (["--help"], ["--version"], ["completion", "--help"]) for mode in ("", "1")),
        (["experiments", "list"], ""),
        (["train", "demo", "--help"], "1"),
    ],
)
def test_an_output_that_is_full_is_one_line(arguments, unbuffered, tmp_path):
    """Whether printing says so or the end; what a verb prints, and its help, need seconds of imports each."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        command = [*LIST[:3], *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert done.stderr == f"luxel {arguments[0]}: standard output: No space left on device\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", SCENE, "--width", "8", "--out", "kept/a.png"],
        ["render", SCENE, SCENE.with_name("six_objects.json"), "--width", "8", "--out", "kept"],
        ["fit", "a.exr", "--scene", SCENE, "--free", "objects[0].center", "--out", "kept"],
        ["evaluate", "ray-small", "--data", f"scenes:{SCENE.parent}", "--width", "8", "--spp", "2"],
        ["generate", "spheres", "--count", "1", "--out", "kept/data"],
        ["generate", "cater", "--count", "1", "--out", "kept/videos"],
        ["movie", SCENE, "--turntable", "2", "--width", "8", "--out", "kept/a.mp4"],
        ["movie", SCENE, "--turntable", "2", "--width", "8", "--pictures", "png", "--out", "kept"],
        ["convert", SCENE, "kept/a.glb"],
        ["train", "demo", "--scale", "tiny", "--cpu", "--out", "kept/run"],
        ["experiments", "compare", "demo", "--scale", "tiny", "--cpu", "--out", "kept"],
        ["experiments", "findings", "--out", "kept/findings.md"],
        ["demo", "--out", "kept"],
    ],
    ids=lambda words: " ".join(map(str, words[:2])),
)
def test_a_place_that_cannot_be_written_is_told_before_any_work(arguments, tmp_path, monkeypatch, capsys):
    def work(*arguments, **options):
        raise AssertionError("work, though what comes of it can't be kept")

    def read_only(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("luxel.files.atomic.NamedTemporaryFile", read_only)
    monkeypatch.setattr(Path, "mkdir", read_only)
    reads = [] if arguments[0] == "evaluate" else ["scene.description.Scene.load"]  # whose scenes name the data set
    for place in ("pipeline.Renderer.network", "pipeline.Renderer.render", "trace.path.PathTracer.trace", *reads):
        monkeypatch.setattr(f"luxel.{place}", work)
    assert call(*arguments) == 1
    told = capsys.readouterr().err
    assert "cannot be written: Read-only file system; make room, or allow it" in told
    assert "kept" in told or arguments[0] == "evaluate"


class Interrupted:
    """What Ctrl-C meets while it is destroyed."""

    def __del__(self) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_in_a_destructor_is_not_lost():
    """Python drops what a destructor raises: a run that was to stop would go on."""

    def run() -> None:
        with handlers():
            Interrupted()
            for _ in range(1000):
                time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        run()


class Serialized(BaseModel):
    """What Ctrl-C meets while a scene is written."""

    @model_serializer
    def values(self) -> dict[str, int]:
        raise KeyboardInterrupt


def write_or_tell() -> None:
    try:
        Serialized().model_dump()
    except ValueError as error:
        raise InputError("the file cannot be written") from error


@pytest.mark.parametrize("write", [Serialized().model_dump, write_or_tell])
def test_an_interrupt_in_a_serializer_is_no_error(write):
    with pytest.raises(KeyboardInterrupt), handlers():
        write()


def test_another_error_stays_what_it_is():
    with pytest.raises(InputError, match="not valid JSON"), handlers():
        Scene.from_json(b"{", "a.json")


def test_other_errors_in_a_destructor_are_printed(capsys):
    class Faulty:
        def __del__(self) -> None:
            raise ValueError("a fault")

    with handlers():
        Faulty()
    assert "ValueError: a fault" in capsys.readouterr().err
