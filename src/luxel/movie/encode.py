"""H.264 in an .mp4, by the ffmpeg that imageio-ffmpeg brings."""

from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8

from luxel import InputError
from luxel.files.atomic import make_folder_of, replacing

QUALITY = 8
"""Of imageio-ffmpeg's 1 to 10: x264's constant rate factor 10, at which nothing of the compression is seen."""
COLORS = (
    "scale=out_color_matrix=bt709:out_range=tv,"
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=iec61966-2-1:range=tv"
)
"""RGB to YCbCr by Rec. 709, not ffmpeg's own Rec. 601, and told to players, as is that the picture is sRGB."""
CONTAINER = ("-f", "mp4", "-movflags", "+faststart")
"""Faststart: a browser shows the beginning before it has the end."""


def check_even(width: int, height: int) -> None:
    """Raise InputError for an odd side: 4:2:0, which all players know, has one colour for 2 × 2 pixels."""
    for name, side in (("width", width), ("height", height)):
        if side % 2:
            raise InputError(
                f"{name} is {side}, must be even in an .mp4; give {side + 1}, or take --pictures png or exr"
            )


def write_mp4(
    path: Path, frames: Iterable[UInt8[np.ndarray, "height width 3"]], size: tuple[int, int], fps: float
) -> None:
    """Write display values as a movie, whole or not at all; `size` is width and height, both even.

    Raises InputError, naming the file, if it cannot be written.
    """
    check_even(*size)
    make_folder_of(path)
    with replacing(path) as partial:
        writer = imageio_ffmpeg.write_frames(
            str(partial),
            size,
            fps=fps,
            codec="libx264",
            quality=QUALITY,
            macro_block_size=1,
            ffmpeg_log_level="error",
            output_params=["-vf", COLORS, *CONTAINER],
        )
        count = 0
        try:
            writer.send(None)
            for count, frame in enumerate(frames, start=1):  # noqa: B007 (counted)
                writer.send(np.ascontiguousarray(frame))
            writer.close()
            written = imageio_ffmpeg.count_frames_and_secs(str(partial))[0] if partial.exists() else 0
        except InputError:
            raise
        except (OSError, RuntimeError) as error:  # as ffmpeg is not there, or has ended
            raise InputError(f"{path}: ffmpeg cannot write it: {str(error).splitlines()[0]}") from error
        finally:
            writer.close()
        if written != count:  # the end of a full disk is told on the error stream alone
            raise InputError(f"{path}: ffmpeg wrote {written} of {count} frames; make room, and repeat the command")
