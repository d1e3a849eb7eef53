"""Files of what a tab shows."""

from pathlib import Path

from luxel.image.formats import is_display, save_image, save_pixels
from luxel.viewer.compose import Look, composed, errors_of
from luxel.viewer.render_loop import Frame


def saved(path: Path, frame: Frame, look: Look) -> str:
    """Save a frame, and say what of it: in a display format its pixels as shown, in an EXR the blended radiance.

    Raises InputError if the file cannot be written.
    """
    if not is_display(path):
        save_image(path, frame.best)
        return "the picture's linear radiance"
    save_pixels(path, composed(frame, look, errors_of(frame, look) if look.compares else None))
    return "as shown, " + " | ".join(look.layers)
