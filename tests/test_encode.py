"""Movies hold the pictures that were given, as far as H.264 does, and are whole or not there."""

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from luxel import InputError
from luxel.movie import encode
from luxel.movie.encode import check_even, write_mp4

COLORS = np.array([(0, 0, 0), (255, 255, 255), (200, 30, 30), (30, 160, 60), (40, 60, 200), (128, 128, 128)], np.uint8)


def decoded(path: Path, width: int, height: int) -> tuple[str, np.ndarray]:
    """What ffmpeg tells of a movie, and its frames, by Rec. 709."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", path, "-vf", "scale=in_color_matrix=bt709"]
    ran = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    return ran.stderr.decode(), np.frombuffer(ran.stdout, np.uint8).reshape(-1, height, width, 3)


def test_a_movie_has_the_frames_their_rate_and_their_colours(tmp_path: Path):
    frames = [np.broadcast_to(color, (34, 50, 3)) for color in COLORS]
    write_mp4(tmp_path / "in" / "a.mp4", frames, (50, 34), 12.5)
    told, shown = decoded(tmp_path / "in" / "a.mp4", 50, 34)
    assert re.search(r"h264 .*yuv420p\(tv, bt709/bt709/iec61966-2-1.* 50x34.* 12\.50? fps", told), told
    assert shown.shape == (6, 34, 50, 3)
    assert np.abs(shown.astype(int) - COLORS[:, None, None]).max() <= 4


@pytest.mark.parametrize(("size", "told"), [((51, 34), "width is 51"), ((50, 33), "height is 33")])
def test_odd_sides_are_refused(size, told):
    with pytest.raises(InputError, match=rf"{told}, must be even in an \.mp4; give {int(told[-2:]) + 1}, or"):
        check_even(*size)


def test_what_was_there_stays_when_a_movie_fails(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"mine")

    def frames():
        yield np.zeros((16, 16, 3), np.uint8)
        raise InputError("frame 1 is damaged")

    with pytest.raises(InputError, match="frame 1 is damaged"):
        write_mp4(tmp_path / "a.mp4", frames(), (16, 16), 24.0)
    assert (tmp_path / "a.mp4").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_movie_that_is_cut_off_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(encode.imageio_ffmpeg, "count_frames_and_secs", lambda path: (1, 0.1))
    with pytest.raises(InputError, match=r"a\.mp4: ffmpeg wrote 1 of 2 frames"):
        write_mp4(tmp_path / "a.mp4", [np.zeros((16, 16, 3), np.uint8)] * 2, (16, 16), 24.0)
    assert not any(tmp_path.iterdir())


def test_without_ffmpeg_the_remedy_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"a\.mp4: ffmpeg cannot write it"):
        write_mp4(tmp_path / "a.mp4", [np.zeros((16, 16, 3), np.uint8)], (16, 16), 24.0)
