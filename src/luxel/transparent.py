"""Pictures without their background: `cut_out(scene, radiance).save("figure.png")`.

A pixel shows L = Σ cᵢ Lᵢ + (1 − Σ cᵢ) B of objects that cover the shares cᵢ of it, and of the background B. Shares are
found as those of masks are, and B is the sky's radiance; so what objects give, Σ cᵢ Lᵢ, is L less the rest: colour
times alpha, α = Σ cᵢ, as Porter and Duff have it ("Compositing digital images", SIGGRAPH 1984).

A shadow catcher, the ground of the look `paper`, is no object. White is taken out of it: alpha is the least with which
it looks as it did over white, 1 − min(r, g, b), and a grey shadow is black with that alpha.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from scipy.ndimage import distance_transform_edt, uniform_filter

from luxel import InputError
from luxel.core.fragments import PIXEL_RAYS, visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.files.atomic import make_folder_of, replacing
from luxel.image.formats import (
    as_radiance,
    check_image_file,
    display_values,
    has_alpha,
    is_display,
    save_pixels,
    write_exr,
)
from luxel.models.open_sky import sky_of_pixels
from luxel.scene.arguments import check_scene
from luxel.scene.description import Scene


@dataclass(frozen=True)
class Cutout:
    """What a picture shows of its objects, and of its shadow catcher."""

    objects: Float32[np.ndarray, "height width 3"]
    """Linear radiance, times `coverage`."""
    coverage: Float32[np.ndarray, "height width"]
    """Share of the pixel that objects cover, 0 … 1."""
    ground: Float32[np.ndarray, "height width 3"]
    """Linear radiance of the shadow catcher, where it covers something; 1 is white."""
    ground_coverage: Float32[np.ndarray, "height width"]
    """Share of the pixel that the shadow catcher covers, 0 … 1."""

    def linear(self) -> Float32[np.ndarray, "height width 4"]:
        """Linear radiance, times alpha, and alpha, as OpenEXR has them: over a background B, RGB + (1 − α) B."""
        return self._over(self.objects, self.ground.clip(0, 1))

    def display(self, tone: str = "clamp", exposure: float = 0.0) -> UInt8[np.ndarray, "height width 4"]:
        """Display values 0–255, not multiplied by alpha, and alpha, as PNG and WebP have them.

        As programs put such files over others' display values, shadows are reckoned in display values.
        """
        covered = self.coverage[..., None]
        objects = display_values(self.objects / np.maximum(covered, 1e-6), tone, exposure)
        image = self._over(covered * objects, display_values(self.ground, tone, exposure))
        alpha = image[..., 3:]
        straight = np.concatenate([image[..., :3] / np.maximum(alpha, 1e-6), alpha], 2)
        return (straight.clip(0, 1) * 255 + 0.5).astype(np.uint8)

    def save(self, path: str | Path, tone: str = "clamp", exposure: float = 0.0) -> None:
        """Write an `.exr` of `linear`, or a `.png` or `.webp` of `display`. Raises InputError on another suffix."""
        path = Path(path)
        check_alpha_file(path)
        check_image_file(path, exposure)
        if is_display(path):
            save_pixels(path, self.display(tone, exposure))
            return
        make_folder_of(path)
        with replacing(path) as partial:
            write_exr(partial, self.linear())

    def _over(
        self, objects: Float32[np.ndarray, "height width 3"], ground: Float32[np.ndarray, "height width 3"]
    ) -> Float32[np.ndarray, "height width 4"]:
        """Objects, times their coverage, beside the ground, of which white is taken out; times alpha, and alpha."""
        darkening = 1 - ground.min(2)
        alpha = self.coverage + self.ground_coverage * darkening
        left = self.ground_coverage[..., None] * (ground - (1 - darkening)[..., None])
        return np.concatenate([objects + left, alpha[..., None]], 2)


def check_alpha_file(path: Path) -> None:
    """Raise InputError for the name of a file that has no alpha channel."""
    if not has_alpha(path):
        raise InputError(f"{path}: {path.suffix or 'its format'} has no alpha channel; write a .png, .webp or .exr")


@torch.no_grad()
def cut_out(scene: Scene, radiance: Any, shadow_catcher: int | None = None, device: str = "cpu") -> Cutout:
    """The scene's picture, linear radiance [height, width, 3], without the background.

    `shadow_catcher` is the index of an object of which only shadows stay: 0, the ground, of a figure in the look
    `paper`. Raises InputError for an index that no object has, and for what is not radiance.
    """
    check_scene("scene", scene)
    if shadow_catcher is not None and not 0 <= shadow_catcher < len(scene.objects):
        raise InputError(f"shadow_catcher is {shadow_catcher}, must be an object's: 0 to {len(scene.objects) - 1}")
    radiance = as_radiance(radiance, "radiance")
    height, width, _ = radiance.shape
    batch = SceneBatch.of([scene], device)
    found = visible_fragments(batch, width, height, PIXEL_RAYS)
    is_ground = found.object_number == (-1 if shadow_catcher is None else shadow_catcher)
    shares = torch.zeros(height * width, 2, device=batch.device)
    shares.index_put_((found.pixel.long(), is_ground.long()), found.coverage, accumulate=True)
    coverage, ground_coverage = shares.clamp(0, 1).reshape(height, width, 2).cpu().numpy().transpose(2, 0, 1)
    sky = sky_of_pixels(batch, found).reshape(height, width, 3).cpu().numpy()
    ground = spread(radiance, ground_coverage >= 1)
    left = (1 - coverage - ground_coverage).clip(0, 1)
    objects = radiance - ground_coverage[..., None] * ground - left[..., None] * sky
    objects = trusted_by_coverage(np.where(coverage[..., None] > 0, objects, 0).clip(0), coverage)
    return Cutout(objects, coverage, ground, ground_coverage)


def trusted_by_coverage(
    objects: Float32[np.ndarray, "height width 3"], coverage: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width 3"]:
    """Objects' radiance, times coverage; where that is less than 1, in part by the mean colour of 3 × 3 pixels.

    The difference to what is behind, divided by a small coverage, is a colour with the paths' noise many times over,
    which a background of another brightness shows as a fringe. (Two clouds of 100 balls by 32 paths, denoised, beside
    4 096: over black the edges' error in sRGB is 0.096 and 0.069 so, without 0.112 and 0.092; over white the same.)
    """
    share = coverage[..., None]
    sums = [uniform_filter(values, (3, 3, 0)) for values in (objects, share)]
    return np.where(share < 1, share * (objects + (1 - share) * sums[0] / np.maximum(sums[1], 1e-6)), objects)


def spread(
    image: Float32[np.ndarray, "height width 3"], is_known: Bool[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width 3"]:
    """The image where it is known, elsewhere the nearest known pixel's; white if none is."""
    if not is_known.any():
        return np.ones_like(image)
    rows, columns = distance_transform_edt(~is_known, return_distances=False, return_indices=True)
    return image[rows, columns]
