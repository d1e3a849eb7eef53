"""Reading OpenEXR files."""

from pathlib import Path

import numpy as np
import OpenEXR
from jaxtyping import Float32

from luxel import InputError


def load_exr(path: Path) -> Float32[np.ndarray, "height width 3"]:
    """The RGB channels of an OpenEXR file as float32, row 0 at the top.

    Raises InputError, naming the file, for one that is not there, is no OpenEXR or has no such channels.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        with OpenEXR.File(str(path)) as file:
            channels = file.channels()
            joined = next((channels[name] for name in ("RGB", "RGBA") if name in channels), None)
            if joined is None:
                raise InputError(f"{path}: has the channels {', '.join(channels) or 'none'}, must have R, G and B")
            return np.asarray(joined.pixels, dtype=np.float32)[..., :3]
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        remedy = "give a picture of linear radiance, as `luxel render --out NAME.exr` writes it"
        raise InputError(f"{path}: cannot be read as an OpenEXR file: {error}; {remedy}") from error
