"""What is blended with paths in tests: a scene of one ball, its surfaces and paths, residuals and a blender."""

import torch

from luxel.core.fragments import FragmentPaths
from luxel.core.scene_batch import SceneBatch
from luxel.models.blender import Blender, BlenderConfig
from luxel.models.residual_bands import Residual
from luxel.models.residual_features import FEATURES
from luxel.models.residual_filter import DETAILS
from luxel.models.traced_paths import Paths
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces, visible_surfaces
from luxel.scene import Camera, Scene, Sphere
from luxel.trace.path import PathTracer

HEIGHT, WIDTH = 7, 11
ONE = Scene(
    objects=(Sphere(center=(0, 0, 0), radius=1.0),),
    camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)),
    background=(0.2, 0.3, 0.4),
)


def blender(seed: int = 0) -> Blender:
    """With random weights everywhere."""
    torch.manual_seed(seed)
    result = Blender(BlenderConfig(hidden=8)).eval()
    for last in (result.head, result.judge[2]):
        torch.nn.init.normal_(last.weight, std=0.3 if last is result.judge[2] else 1.0)
    return result


def surfaces_of(*scenes: Scene) -> Surfaces:
    return visible_surfaces(SceneBatch.of(scenes), WIDTH, HEIGHT)


def traced(scenes: Scene | list[Scene], spp: int, seed: int = 0) -> Paths:
    scenes = scenes if isinstance(scenes, list) else [scenes]
    paths = torch.full((len(scenes) * WIDTH * HEIGHT,), spp)
    found, of_fragments = PathTracer().sample_fragments(scenes, surfaces_of(*scenes).fragments, paths, seed)
    return Paths(found.mean, found.path_variance / spp, torch.full((len(found.mean),), float(spp)), of_fragments)


def paths_of(surfaces: Surfaces, mean: torch.Tensor, variance: torch.Tensor, spp: int) -> Paths:
    """Of pixels whose fragments all have found the same, each as often as it covers."""
    scatter = (variance * spp * (spp - 1)).nan_to_num(0)
    of_fragments = FragmentPaths(mean[surfaces.pixel], spp * surfaces.fragments.coverage, scatter)
    return Paths(mean, variance, torch.full((len(mean),), float(spp)), of_fragments)


def without_rare_light(radiance: torch.Tensor) -> FragmentRadiance:
    """Of fragments, none of whose light is rare."""
    return FragmentRadiance(radiance, torch.zeros(len(radiance)))


def residual_of(bands: torch.Tensor, variance: torch.Tensor, scale: float, noise: float) -> Residual:
    pixels = len(bands)
    return Residual(
        bands=bands,
        variance=variance,
        scale=torch.full((pixels,), scale),
        paths_variance=torch.full((pixels,), noise),
        noisy=torch.ones(pixels),
        details=torch.zeros(pixels, DETAILS, 3),
        mottle=torch.zeros(pixels, DETAILS),
        mottle_variance=torch.zeros(pixels, DETAILS),
        features=torch.zeros(pixels, FEATURES),
    )
