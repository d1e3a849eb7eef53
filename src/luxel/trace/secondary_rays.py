"""Rays that a picture's first surfaces scatter, traced in advance: what they find fills a cache of radiance."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from luxel.core.interactions import interact
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.shapes.kinds import ELLIPSOID, SPHERE
from luxel.trace.first_hits import Features
from luxel.trace.path import PathTracer
from luxel.trace.radiance_cache import RadianceCache, fitted_cache
from luxel.trace.surface_fit import matte

PATHS_A_RAY = 8
"""Paths of the picture for each ray that is traced in advance.

By 128 paths a pixel FLIP of 2 048 points is 0.0223 with 8 such rays a pixel, 0.0234 with 2; 37 paths have 4.6.
"""
MAX_RAY_SHARE = 0.02
"""Share of all these rays: a ball that more of them hit is too large for few harmonics to hold the shadows on it."""
MIN_CROWD = 100
"""Balls of a scene, below which none of them is a small one among many."""
CLEARANCE = 1e-3
"""From a surface to where its rays begin, in radii of its object, of those that are at most 1."""
AT_ONCE = 1 << 18
SEED = 3 << 32


def small_ball_cache(
    tracer: PathTracer, batch: SceneBatch, features: Features, spp: int, seed: int
) -> RadianceCache | None:
    """The radiance that small matte balls of a scene send out, for a picture of `spp` paths a pixel; None without such.

    By rays as the picture's own paths have them, from the surfaces seen: so what is found most often is known best, and
    right in the mean of what they find.
    """
    is_ball = matte(batch) & torch.isin(batch.kind, torch.tensor([SPHERE, ELLIPSOID], device=batch.device))
    is_ball &= (batch.emission == 0).all(1)
    if int(is_ball.sum()) < MIN_CROWD:
        return None
    seen = is_ball[features.fragments.object_id.long()].nonzero()[:, 0]
    count = len(seen) * spp // PATHS_A_RAY
    if not count:
        return None
    generator = torch.Generator().manual_seed(seed + SEED)
    is_ball = pad(is_ball, (0, 1))  # the sky's number, −1, is of none
    radius = batch.scale.amin(1, keepdim=True).clamp(max=1.0)
    after_first = replace(tracer, max_depth=max(tracer.max_depth - 1, 1))
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for part, numbers in enumerate(torch.randint(len(seen), (count,), generator=generator).split(AT_ONCE)):
        around = normalize(torch.randn(len(numbers), 3, generator=generator), dim=1).to(batch.device)
        chosen = seen[numbers.to(batch.device)]
        normal = features.facing[chosen]
        origin = features.position[chosen] + CLEARANCE * radius[features.fragments.object_id[chosen].long()] * normal
        scene = torch.zeros(len(chosen), dtype=torch.int32, device=batch.device)
        rays = Rays(origin, normalize(normal + around, dim=1), scene)
        met = interact(batch, rays)
        ends = is_ball[met.object_id].nonzero()[:, 0]
        if len(ends):
            rays = Rays(rays.origin[ends], rays.direction[ends], rays.scene[ends])
            radiance = after_first.trace_rays(batch, rays, 1, seed + SEED + part).mean
            found.append((met.object_id[ends].long(), met.normal[ends], radiance))
    if not found:
        return None
    object_id, normal, radiance = map(torch.cat, zip(*found, strict=True))
    cache = fitted_cache(object_id, normal, radiance, len(batch.kind))
    is_small = torch.bincount(object_id, minlength=len(batch.kind)) <= MAX_RAY_SHARE * count
    return cache._replace(is_known=cache.is_known & is_small)
