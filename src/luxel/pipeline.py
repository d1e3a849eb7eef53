"""From a scene to its picture: `Renderer.from_pretrained("ray-small")(scene)`."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64
from safetensors import SafetensorError
from torch import Tensor

from luxel import InputError
from luxel.configuration import PathCount, PathDepth, Pixels, Seed, checker, shortened
from luxel.core.fragments import PIXEL_RAYS, Fragments, visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.files.tensors import digest
from luxel.memory import check_fits
from luxel.models.blender import Blender
from luxel.models.blending import blend, blended_picture
from luxel.models.cost import blending_memory, rendering_memory
from luxel.models.cross_check import TRAINED_PRIOR, UNTRAINED_PRIOR, ErrorFactor, ratio_to_expected, squared_errors
from luxel.models.frame_graphs import FrameGraphs, FrameSize
from luxel.models.model_types import Model, load_model
from luxel.models.path_allocation import allocated_paths
from luxel.models.ray_model import PIXELS_AT_ONCE, RayModel
from luxel.models.traced_paths import Paths, pooled
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces, visible_surfaces, with_radiance_of_sky
from luxel.near_words import naming_near_words
from luxel.scene.arguments import check_scene, check_scenes
from luxel.scene.description import Camera, Scene
from luxel.scene.lighting import warn_of_black_pictures
from luxel.trace.path import PathTracer
from luxel.trained_models import BLENDER, find_weights

check_side = checker(Pixels | None)
check_spp, check_seed, check_depth = checker(PathCount), checker(Seed), checker(PathDepth)
UNCHECKED_BYTES = 1 << 26
"""That a picture takes without asking what is free: one of 192²."""
FIRST_PASS_SPP, MAX_PASS_SPP = 4, 64
"""Paths a pixel between the first pictures of `Renderer.progress`, and at most: each pass doubles what there is."""


class Progress(NamedTuple):
    """One of ever better pictures of a scene."""

    radiance: Float32[np.ndarray, "height width 3"]
    spp: int
    """Paths a pixel so far; 0 for the network's picture."""
    error: float
    """Estimated root mean square error of the radiance; NaN without paths, as nothing tells it then.

    Over pixels and channels. What is expected of such a picture, corrected by what each pass said of the picture before
    it, of which it is independent (`luxel.models.cross_check`): to be within a factor of 2 of the truth for nine scenes
    of ten from 16 paths on, for two of three with 4, where it is more often too high (docs/measurements/blending.md).
    """
    paths: Float32[np.ndarray, "height width 3"] | None = None
    """The mean of those paths alone, which is right in the mean, but noisy."""


class Estimate(NamedTuple):
    """A picture of a scene, blended with paths."""

    radiance: Float32[np.ndarray, "height width 3"]
    error: Float32[np.ndarray, "height width"]
    """Expected squared error of its pixels, the mean over channels."""
    path_variance: np.float32
    """Of one path, the mean over the picture."""


class NetworkPicture(NamedTuple):
    """Pictures by a network alone."""

    radiance: Float32[Tensor, "batch height width 3"]
    scenes: SceneBatch
    fragments: Fragments | None = None
    """Of the pictures, if they were found for these as `visible_surfaces` finds them."""
    of_fragments: FragmentRadiance | None = None
    """Of these, or of those that `visible_surfaces` finds, the sky being none.

    None of an image model, which knows of no fragments, nor of ray models that find others.
    """


class PathNoise(NamedTuple):
    """What decides the noise of paths, beside their seed; of one scene it holds still while that changes a little."""

    key: Int32[Tensor, "scenes 2"]
    """Of random numbers, SceneBatch's."""
    paths: Int64[Tensor, "scenes pixels"]
    """How many each pixel gets."""

    def of_scenes(self, numbers: Sequence[int]) -> "PathNoise":
        """That of some of the scenes, each as often as its number is there."""
        return PathNoise(*(values[list(numbers)] for values in self))


class Renderer:
    """A trained model and the way in and out of it. The model is left in evaluation mode.

    `blender` decides what is believed of paths (`luxel.models.blending`); without one it is estimated. Paths have at
    most `max_depth` segments from the camera to the light. The models that Luxel comes with have learned 6, and are
    taken to other depths by paths alone (docs/blending.md).
    """

    @naming_near_words
    def __init__(
        self,
        model: Model,
        device: str | torch.device = "cpu",
        blender: Blender | None = None,
        max_depth: int = PathTracer.max_depth,
    ) -> None:
        if not isinstance(model, Model):
            raise InputError(
                f"model is {shortened(model)}, must be a model of luxel.models; a trained one, by its folder or name, "
                'is Renderer.from_pretrained("ray-small")'
            )
        self.name = type(model).__name__
        self.tracer = PathTracer(check_depth("max_depth", max_depth), str(device))
        try:
            self.model = model.to(device).eval()
            self.blender = None if blender is None else blender.to(device).eval()
        except (RuntimeError, AssertionError) as error:  # torch says so in either way
            raise InputError(f"device {str(device)!r} is not to be had here: {error}") from error
        self.device = device
        on_cuda = torch.device(device).type == "cuda"
        self._graphs = FrameGraphs(model, device) if on_cuda and isinstance(model, RayModel) else None

    def __repr__(self) -> str:
        count = sum(weights.numel() for weights in self.model.parameters())
        side = self.model.config.width
        size = "any size" if isinstance(self.model, RayModel) else f"{side}×{side}"
        return f"Renderer({self.name}: {count:,} parameters, {size}, on {self.device})"

    @classmethod
    @naming_near_words
    def from_pretrained(
        cls, folder: str | Path, device: str | torch.device = "cpu", max_depth: int = PathTracer.max_depth
    ) -> "Renderer":
        """The renderer of a run folder (`runs/<group>/<name>`), of a folder that `save_pretrained` wrote, or by name.

        The package comes with `ray-small` and `ray-base`; `hf-hub:OWNER/NAME` is downloaded. Raises InputError, naming
        the folder, if it is none of these or of another version.
        """
        if not isinstance(folder, str | Path):
            raise InputError(f"folder is {shortened(folder)}, must be the name of a model, or the folder of one")
        weights = find_weights(str(folder))
        try:
            model = load_model(weights)
            trained = weights / BLENDER
            blender = Blender.from_pretrained(trained) if (trained / "model.safetensors").exists() else None
        except InputError:
            raise
        except (ValueError, RuntimeError, TypeError, OSError, SafetensorError) as error:
            raise InputError(f"{weights}: not a model of this version of Luxel: {error}") from error
        renderer = cls(model, device, blender, max_depth)
        renderer.name = str(folder)
        return renderer

    def fingerprint(self) -> str:
        """SHA-256 of the weights and configurations of model, blender and paths: where it is the same, pictures are."""
        networks: list[tuple[str, Any]] = [("model", self.model)]
        if self.blender is not None:
            networks.append(("blender", self.blender))
        weights = {
            f"{name}.{key}": value.cpu() for name, network in networks for key, value in network.state_dict().items()
        }
        configurations = {name: repr(network.config) for name, network in networks}
        return digest(weights, {**configurations, "max_depth": str(self.tracer.max_depth)})

    @naming_near_words
    @torch.inference_mode()
    def render(
        self,
        scenes: Sequence[Scene],
        width: int | None = None,
        height: int | None = None,
        spp: int = 0,
        seed: int = 0,
    ) -> Float32[np.ndarray, "batch height width 3"]:
        """Linear radiance of the scenes in one pass. Row 0 is the top.

        A ray model renders any size, `width` or `height` alone a square, without both that of its configuration. The
        image model has one size, and knows spheres and ellipsoids alone. With `spp` the picture is `refined` by about
        so many paths a pixel. Raises InputError if it is asked for other ones, or there are no scenes; warns of scenes
        without light, and of cameras inside of what is opaque, with InputWarning.
        """
        check_spp("spp", spp)
        check_seed("seed", seed)
        picture = self._network(scenes, width, height, for_paths=spp > 0)
        return in_numpy(picture.radiance) if spp == 0 else self.blended(picture, spp, seed)

    @naming_near_words
    @torch.inference_mode()
    def refined(
        self,
        scenes: Sequence[Scene],
        radiance: Float32[np.ndarray, "batch height width 3"],
        spp: int,
        seed: int = 0,
        progress: Callable[[int], object] | None = None,
        same_noise: bool = False,
    ) -> Float32[np.ndarray, "batch height width 3"]:
        """Pictures of the scenes, blended with `spp` paths a pixel: nearer to the truth, the more.

        Of a model's own pictures `render` makes a little better ones, as it knows what these are made of. Paths are
        fewer on average, a quarter to half as many in most pixels and four to eight times as many where the picture has
        most contrast (`luxel.models.path_allocation`). The squared error falls like 1/spp in the end
        (`luxel.models.blending`). A picture depends on its scene, its size, `spp` and `seed` alone. With `same_noise` a
        pixel's random numbers are the same in all scenes, so that in frames of a movie noise holds still
        (docs/movie.md). `progress` is called with every number of pixels whose paths are traced. Raises InputError for
        paths that are out of range or don't fit into memory.
        """
        check_spp("spp", spp)
        check_seed("seed", seed)
        check_scenes(scenes)
        expected = f"must be what render(scenes) returns: float32 [{len(scenes)}, height, width, 3]"
        if not isinstance(radiance, np.ndarray) or radiance.dtype != np.float32:
            what = f"an array of {radiance.dtype}" if isinstance(radiance, np.ndarray) else shortened(radiance)
            raise InputError(f"radiance is {what}, {expected}")
        if radiance.ndim != 4 or radiance.shape[-1] != 3 or len(radiance) != len(scenes):
            raise InputError(f"radiance has the shape {radiance.shape}, {expected}")
        if spp == 0:
            return radiance.copy()
        picture = NetworkPicture(torch.from_numpy(radiance).to(self.device), SceneBatch.of(scenes, self.device))
        return self.blended(picture, spp, seed, progress, same_noise)

    @naming_near_words
    @torch.inference_mode()
    def blended(
        self,
        picture: NetworkPicture,
        spp: int,
        seed: int = 0,
        progress: Callable[[int], object] | None = None,
        same_noise: bool = False,
        noise: PathNoise | None = None,
    ) -> Float32[np.ndarray, "batch height width 3"]:
        """What `render` returns with `spp` paths a pixel, from what `network` returned.

        `progress` and `same_noise` are as `refined` has them; `noise` is that of other scenes, for these to have, too.
        Raises InputError as that does.
        """
        check_spp("spp", spp)
        check_seed("seed", seed)
        if not isinstance(picture, NetworkPicture):
            raise InputError(
                f"picture is {shortened(picture)}, must be what network(scenes) returns; an array is refined(scenes, "
                "radiance, spp)"
            )
        if spp == 0:
            return in_numpy(picture.radiance)
        batch, surfaces, of_fragments = self._surfaces(picture, spp)
        if same_noise:
            batch = replace(batch, key=torch.zeros_like(batch.key))
        spp_of_pixels = allocated_paths(picture.radiance, spp)
        if noise is not None:
            batch, spp_of_pixels = replace(batch, key=noise.key), noise.paths.flatten()
        paths = self._paths(batch, surfaces, spp_of_pixels, seed, progress)
        return blended_picture(batch, surfaces, picture.radiance, paths, self.blender, of_fragments).cpu().numpy()

    @torch.inference_mode()
    def path_noise(self, scenes: Sequence[Scene], width: int | None, height: int | None, spp: int) -> PathNoise:
        """That of `render`'s pictures of scenes, for `blended` to give it to others. Raises InputError as that does."""
        picture = self.network(scenes, width, height)
        paths = allocated_paths(picture.radiance, spp).unflatten(0, (len(scenes), -1))
        return PathNoise(picture.scenes.key.to(self.device), paths)

    def _surfaces(self, picture: NetworkPicture, spp: int) -> tuple[SceneBatch, Surfaces, FragmentRadiance | None]:
        """The scenes on the device, what the pictures show, and what the network knows of that, if it does.

        Raises InputError for more than fits into memory.
        """
        batch, (height, width) = picture.scenes.to(self.device), picture.radiance.shape[1:3]
        check_fits(
            blending_memory(len(batch), width, height),
            f"spp is {spp}, for {len(batch)} pictures of {width}×{height}",
            "render less at once",
            str(self.device),
            unasked=UNCHECKED_BYTES,
        )
        surfaces = visible_surfaces(batch, width, height, picture.fragments)
        of_objects = picture.of_fragments
        return batch, surfaces, None if of_objects is None else with_radiance_of_sky(batch, surfaces, of_objects)

    def _paths(
        self,
        batch: SceneBatch,
        surfaces: Surfaces,
        spp_of_pixels: Int64[Tensor, " pixels"],
        seed: int = 0,
        progress: Callable[[int], object] | None = None,
    ) -> Paths:
        """So many paths for each pixel of the pictures, placed by what these show."""
        found, of_fragments = self.tracer.sample_fragments(batch, surfaces.fragments, spp_of_pixels, seed, progress)
        return Paths.of(found.mean, found.path_variance, spp_of_pixels, of_fragments)

    @naming_near_words
    @torch.inference_mode()
    def estimate(
        self,
        scene: Scene,
        width: int,
        height: int,
        spp: int,
        seed: int = 0,
        progress: Callable[[int], object] | None = None,
    ) -> Estimate:
        """What `render` returns of one scene with paths, and how far it may be off. Raises InputError as that does."""
        check_spp("spp", spp)
        check_seed("seed", seed)
        picture = self.network([scene], width, height)
        batch, surfaces, of_fragments = self._surfaces(picture, spp)
        paths = self._paths(batch, surfaces, allocated_paths(picture.radiance, spp), seed, progress)
        blended, error = blend(batch, surfaces, picture.radiance, paths, self.blender, of_fragments)
        path_variance = (paths.spp * paths.variance).mean()
        return Estimate(blended[0].cpu().numpy(), error[0].cpu().numpy(), np.float32(path_variance.item()))

    @naming_near_words
    def progress(
        self,
        scene: Scene,
        width: int | None = None,
        height: int | None = None,
        seed: int = 0,
        traced: Callable[[int], object] | None = None,
    ) -> Iterator[Progress]:
        """Ever better pictures of one scene, without end: stop when one is good enough.

        The first is the network's; those after it have 4, 8, 16, 32, 64, 128, 192 … paths a pixel. `traced` is called
        with every number of pixels whose paths of a pass are traced; what it raises ends the work there. Raises
        InputError as `render` does.
        """
        check_scene("scene", scene)
        check_seed("seed", seed)
        with torch.inference_mode():
            network = self.network([scene], width, height)
        picture, part, spp = network.radiance, count(), 0
        yield Progress(picture[0].cpu().numpy(), 0, float("nan"))
        factor = ErrorFactor(UNTRAINED_PRIOR if self.blender is None else TRAINED_PRIOR)
        with torch.inference_mode():
            batch, surfaces, of_fragments = self._surfaces(network, FIRST_PASS_SPP)
        paths: Paths | None = None
        blended = error = picture
        while True:
            with torch.inference_mode():
                numbers = next_pass(spp)
                more = [
                    self._paths(batch, surfaces, allocated_paths(picture, number), seed + (next(part) << 32), traced)
                    for number in numbers
                ]
                spp += sum(numbers)
                if paths is not None:
                    alike = [paths.mean] if len(more) == 1 else []
                    found = squared_errors(blended.reshape(-1, 3), [half.mean for half in more], alike)
                    factor.observe(*ratio_to_expected(found, error.flatten()))
                    factor.drift()
                paths = reduce(partial(pooled, surfaces.pixel), more if paths is None else [paths, *more])
                blended, error = blend(batch, surfaces, picture, paths, self.blender, of_fragments)
            alone = paths.mean.reshape(picture.shape)[0].cpu().numpy()
            mean_square = factor.value() * float(error.mean())
            yield Progress(blended[0].cpu().numpy(), spp, math.sqrt(mean_square), alone)

    @naming_near_words
    @torch.inference_mode()
    def network(self, scenes: Sequence[Scene], width: int | None = None, height: int | None = None) -> NetworkPicture:
        """The network's pictures alone, on its device, and what it knows of them for `blended`; see `render`."""
        return self._network(scenes, width, height, for_paths=True)

    def _network(
        self, scenes: Sequence[Scene], width: int | None, height: int | None, for_paths: bool
    ) -> NetworkPicture:
        check_scenes(scenes)
        warn_of_black_pictures(scenes)
        sides = {"width": width, "height": height}
        asked = [f"{name} is {side}" for name, side in sides.items() if check_side(name, side) is not None]
        size, is_ray_model = self.model.config.width, isinstance(self.model, RayModel)
        side = width or height or size
        width, height = width or side, height or side
        if not is_ray_model:
            if (width, height) != (size, size):
                raise InputError(
                    f"{' and '.join(asked)}, but this model renders {size}×{size} alone; "
                    f"leave {'it' if len(asked) == 1 else 'both'} out, or take a ray model"
                )
            check_shapes(scenes)
        host = SceneBatch.of(scenes)
        frame = FrameSize.of(host, width, height) if self._graphs is not None else None
        if self._graphs is None or frame not in self._graphs:
            most = int(host.counts.max())
            check_fits(
                rendering_memory(self.model, len(scenes), width, height, most, self.device)
                + (host.map_texels.nbytes if torch.device(self.device).type == "cuda" else 0),
                f"width is {width} and height is {height} (scenes: {len(scenes)}, objects in one: {most})",
                "render less at once",
                str(self.device),
                unasked=UNCHECKED_BYTES,
            )
        if not isinstance(self.model, RayModel):
            batch = host.to(self.device)
            return NetworkPicture(self.model(batch).clamp(min=0), batch)  # whose last unit may go below 0
        sees_alike, fragments = self.model.config.pixel_rays == PIXEL_RAYS, None
        if self._graphs is not None and frame is not None:
            batch, shaded = host, self._graphs.render(host, frame, for_paths)
        elif sees_alike and len(host) * width * height <= PIXELS_AT_ONCE:
            batch = host.to(self.device)
            fragments = visible_fragments(batch, width, height, PIXEL_RAYS)
            shaded = self.model.shaded(batch, fragments)
        else:
            batch = host.to(self.device)
            shaded = self.model.pictures(batch, width, height, for_paths)
        of_fragments = shaded.of_fragments if sees_alike and for_paths else None
        return NetworkPicture(shaded.radiance, batch, fragments, of_fragments)

    @naming_near_words
    def views(
        self,
        scene: Scene,
        cameras: Sequence[Camera],
        width: int | None = None,
        height: int | None = None,
        spp: int = 0,
        seed: int = 0,
    ) -> Float32[np.ndarray, "cameras height width 3"]:
        """Linear radiance of one scene from several cameras; see `render`."""
        check_scene("scene", scene)
        if not isinstance(cameras, Sequence):
            raise InputError(f"cameras is {shortened(cameras)}, must be a list of Camera")
        if not cameras:
            raise InputError("cameras is empty, must have at least one; the scene's own is [scene.camera]")
        return self.render(
            [scene.model_copy(update={"camera": camera}) for camera in cameras], width, height, spp, seed
        )

    @naming_near_words
    def __call__(
        self, scene: Scene, width: int | None = None, height: int | None = None, spp: int = 0, seed: int = 0
    ) -> Float32[np.ndarray, "height width 3"]:
        """Linear radiance of one scene; see `render`."""
        check_scene("scene", scene)
        return self.render([scene], width, height, spp, seed)[0]


def next_pass(spp: int) -> list[int]:
    """Paths a pixel of the pass that follows so many, in two halves that tell its noise, but for the first two."""
    if spp <= FIRST_PASS_SPP:
        return [FIRST_PASS_SPP]
    return [min(spp, MAX_PASS_SPP) // 2] * 2


def in_numpy(values: Tensor) -> Any:
    """A tensor's values on the CPU; from a GPU by way of memory that it may write to itself, which is faster."""
    if not values.is_cuda:
        return values.numpy()
    return torch.empty_like(values, device="cpu", pin_memory=True).copy_(values).numpy()


def check_shapes(scenes: Sequence[Scene]) -> None:
    """Raise InputError for what an image model would take for something else: see `luxel.models.tokens`."""
    for number, scene in enumerate(scenes):
        which = "" if len(scenes) == 1 else f"scene {number}: "
        for field, value in (("sky", scene.sky), ("sun", scene.sun)):
            if value is not None:
                raise InputError(
                    f"{which}{field} is {shortened(value)}, but an image model knows no light from outside but the "
                    "background; take a ray model"
                )
        if scene.camera.is_orthographic:
            raise InputError(
                f"{which}camera.projection is orthographic, but an image model has a pinhole; take a ray model"
            )
        for index, item in enumerate(scene.objects):
            if item.shape not in ("sphere", "ellipsoid"):
                raise InputError(
                    f"{which}objects[{index}].shape is {item.shape}, but an image model knows spheres and ellipsoids "
                    "alone; take a ray model"
                )
