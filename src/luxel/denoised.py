"""Pictures by path tracing and a denoiser, without a network: how figures of points and particles are made.

A network's rays see what surrounds a point; among thousands of small objects that costs more than the paths that a
denoiser needs for the same error (docs/particles.md).
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32
from torch.nn.functional import pad

from luxel.core.scene_batch import SceneBatch
from luxel.image.denoise import denoise
from luxel.memory import check_fits
from luxel.scene.arguments import check_scene
from luxel.scene.description import Scene
from luxel.scene.lighting import warn_of_black_pictures
from luxel.trace.adaptive import sample_adaptively
from luxel.trace.path import PathTracer, check_size
from luxel.trace.secondary_rays import small_ball_cache
from luxel.trace.surface_fit import flat_and_matte, surface_fit

DEFAULT_SPP = 37
"""Paths a pixel: by FLIP as near to the truth as 256 of Mitsuba's, in a tenth of their time (docs/particles.md)."""
BYTES_A_PIXEL = 1050
"""Of paths, guides, fit and denoiser together: 1 000 to 1 013 at 960 × 540 and 1920 × 1080, up to 100 000 points."""
FLAT_FIT_WEIGHT, ROUND_FIT_WEIGHT, SHARED_FIT_WEIGHT = 0.75, 0.5, 0.25
"""The fit's part of the denoisers' picture: on flat faces, on round ones, and where a pixel shows several.

OIDN leaves noise of several pixels' width; the fit bias where light changes fast, and at edges what it is off between
a pixel's middle and its parts.
"""
HALF_TRUST_SPP = 256
"""Paths of a pixel with which its picture is a quarter those paths', the rest the denoisers'; half with very many."""


@torch.inference_mode()
def denoised(
    scene: Scene,
    width: int,
    height: int,
    spp: int = DEFAULT_SPP,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int], object] | None = None,
    max_depth: int = PathTracer.max_depth,
) -> Float32[np.ndarray, "height width 3"]:
    """Linear radiance of one scene, by `spp` paths a pixel on average, more where there is more noise, denoised.

    By OIDN, guided by albedo and normal, and on matte surfaces in part by a fit to places on them. Row 0 is the top.

    `progress` is called with every number of pixels whose paths are traced. Raises InputError for a size, `spp` or
    `max_depth` less than 1, a picture that does not fit into memory, and where pyoidn is missing; warns of a scene
    without light, and of a camera inside of what is opaque, with InputWarning.
    """
    check_scene("scene", scene)
    check_size(width, height)
    check_fits(
        BYTES_A_PIXEL * width * height, f"width is {width} and height is {height}", "render less at once", device
    )
    warn_of_black_pictures([scene])
    tracer, batch = PathTracer(max_depth, device), SceneBatch.of([scene], device)
    features = tracer.features(batch, width, height)
    # The only scene's sky has the number −1, of no object: a false one is added behind the last.
    is_flat = pad(flat_and_matte(batch), (0, 1))[features.object_number[0]]
    cache = small_ball_cache(tracer, batch, features, spp, seed)
    radiance, paths = sample_adaptively(tracer, batch, width, height, spp, seed, is_flat, progress, cache)
    fit = surface_fit(batch, features, radiance)
    clean = denoise(*(image.cpu() for image in (radiance, features.albedo[0], features.normal[0]))).to(radiance.device)
    weight = torch.where(fit.is_whole, torch.where(is_flat, FLAT_FIT_WEIGHT, ROUND_FIT_WEIGHT), SHARED_FIT_WEIGHT)
    clean += torch.where(fit.is_known, weight, 0.0)[..., None] * (fit.radiance - clean)
    share = (0.5 * paths / (paths + HALF_TRUST_SPP))[..., None].float()
    blended: Float32[np.ndarray, "height width 3"] = (clean + share * (radiance - clean)).cpu().numpy()
    return blended
