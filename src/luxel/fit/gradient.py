"""Derivatives of pictures by the numbers of their scenes.

A picture shows visibility by samples, so that its own derivative, path by path, lacks what moving edges change:
outlines, shadows, reflections. Central differences have it all, over steps (`luxel.fit.steps`) that average the
samples. Scenes are rendered together, so k numbers cost 2 k pictures and few launches; for tens of numbers, as scenes
of solids have, that is seconds on a CPU, and none of the renderer's parts has to know of it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Float64
from pydantic import Field
from torch import Tensor

from luxel import InputError
from luxel.configuration import Configuration, PathCount, Seed, shortened
from luxel.fit.jumps import ROUNDING, on_jump, smooth_range
from luxel.fit.parameters import Parameters, Vector, Views
from luxel.fit.steps import MATERIAL_STEPS, steps
from luxel.image.formats import Radiance
from luxel.pipeline import PathNoise, Renderer
from luxel.scene.arguments import check_scene
from luxel.scene.description import Scene

Lengths: TypeAlias = Float64[np.ndarray, " lengths"]
Offsets: TypeAlias = Float64[np.ndarray, " offsets"]
PixelsMoved: TypeAlias = Annotated[float, Field(ge=0.01, le=100)]
Pairs: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
SPREAD, SMOOTH_SPREAD = (0.5, 1.5), (0.12, 0.8)
"""The shortest and the longest of several pairs of steps, over the usual one: of geometry, and of materials.

Pictures are smooth in materials, where a polynomial follows what a line would not. Over up to two steps its slopes were
8 % off those of small differences by `specular`, over these 2 to 3 %; over less there is more noise by roughness.
"""
MIN_OFFSETS = 4
"""Offsets from which on a polynomial is fitted; to fewer a line is."""
NARROW = 0.25
"""Steps are taken on one side alone if a bound is nearer on the other than this share of the longest step."""
PIXELS_AT_ONCE = 1 << 20
"""Of scenes that are rendered together."""
NOT_VALUES = 3
"""Arguments of `_Picture` that have no gradient."""


@dataclass(frozen=True)
class Stepping(Configuration):
    """How far numbers are moved to take differences of pictures, and how often."""

    pixels: PixelsMoved = 0.5
    """How far geometry moves, seen by a camera; see `luxel.fit.steps`."""
    pairs: Pairs = 1
    """Pairs of pictures for each number, over steps about that one."""
    widening: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """What all steps are multiplied by, those of materials and lights, too."""


@dataclass(frozen=True)
class Blending(Configuration):
    """The paths that pictures are blended with, as `Renderer.render` has them."""

    spp: PathCount = 0
    seed: Seed = 0


class Pictured(NamedTuple):
    """How views are rendered: of what size, and with which paths, whose noise is the same wherever leaves move."""

    renderer: Renderer
    width: int | None
    height: int | None
    blending: Blending = Blending()
    noise: PathNoise | None = None
    """A scene a view; None without paths."""

    @staticmethod
    def of(renderer: Renderer, views: Views, width: int | None, height: int | None, blending: Blending) -> "Pictured":
        """With the noise that pictures of these views have."""
        noise = None
        if blending.spp > 0:
            noise = renderer.path_noise(views.scenes, width, height, blending.spp)
        return Pictured(renderer, width, height, blending, noise)

    def render(self, scenes: Sequence[Scene], views: Sequence[int]) -> Float32[np.ndarray, "scenes height width 3"]:
        """The scenes, each as the view of this number."""
        if self.noise is None:
            return self.renderer.render(scenes, self.width, self.height)
        network = self.renderer.network(scenes, self.width, self.height)
        noise = self.noise.of_scenes(views)
        return self.renderer.blended(network, self.blending.spp, self.blending.seed, noise=noise)


class Differences(NamedTuple):
    """Pictures of views, and how they change with each free number."""

    pictures: Float32[np.ndarray, "views height width 3"]
    jacobian: Float32[np.ndarray, "numbers views height width 3"]


def picture_and_jacobian(
    renderer: Renderer,
    scene: Scene,
    names: Sequence[str],
    width: int | None = None,
    height: int | None = None,
    *,
    pixels: float = 0.5,
    pairs: int = 8,
    spp: int = 0,
    seed: int = 0,
) -> tuple[Radiance, dict[str, Float32[np.ndarray, "*leaf height width 3"]]]:
    """The picture, and its derivative by each leaf, radiance over the leaf's unit.

    Central differences over steps of `pixels` (see `luxel.fit.steps`), one-sided at a leaf's bounds. Of several `pairs`
    it is the slope of a line through pictures at that many steps, from half to one and a half as long; for materials,
    in which pictures are smooth, of a polynomial. Costs 1 + 2 · pairs pictures a free number. With `spp` they are
    blended with paths, as `Renderer.render` does, of the same random numbers at all steps. Raises InputError for a name
    that there is not.
    """
    check_scene("scene", scene)
    parameters = Parameters.of(Views.of(scene), names)
    pictured = Pictured.of(renderer, parameters.start, width, height, Blending(spp, seed))
    found = differences(pictured, parameters, parameters.start, Stepping(pixels, pairs))
    by_leaf, begin = {}, 0
    for leaf in parameters.leaves:
        rows = found.jacobian[begin : begin + leaf.size, 0]
        by_leaf[leaf.name] = rows.reshape(*leaf.shape, *rows.shape[1:])
        begin += leaf.size
    return found.pictures[0], by_leaf


def differences(
    pictured: Pictured, parameters: Parameters, views: Views, stepping: Stepping | None = None
) -> Differences:
    """The views' pictures and their derivatives by the free numbers; see `picture_and_jacobian`."""
    stepping = stepping or Stepping()
    pictures = pictured.render(views.scenes, range(len(views.scenes)))
    jacobian = np.zeros((len(parameters.names), *pictures.shape), np.float32)
    at_once = max(1, PIXELS_AT_ONCE // (pictures.shape[1] * pictures.shape[2]))
    step = stepping.widening * steps(parameters, views, pictures.shape[1], stepping.pixels)
    moved = _moved(parameters, views, step, stepping.pairs)
    for batch in _batches(moved, at_once):
        rendered = pictured.render([item.scene for item in batch], [item.view for item in batch])
        for item, picture in zip(batch, rendered, strict=True):
            jacobian[item.number, item.view] += np.float32(item.weight) * (picture - pictures[item.view])
    return Differences(pictures, jacobian)


class _Moved(NamedTuple):
    """A view of a scene with one number moved, and how much its picture's change counts in the derivative."""

    number: int
    view: int
    weight: float
    scene: Scene


def _moved(parameters: Parameters, views: Views, step: Vector, pairs: int) -> Iterator[_Moved]:
    """Every free number, up and down by each of the steps, as far as its bounds allow.

    Where the picture of a number itself is apart (`on_jump`), that right beside it takes its place.
    """
    vector = parameters.read(views)
    low, high = smooth_range(parameters, vector)
    is_apart = on_jump(parameters, vector)
    of_materials = [not MATERIAL_STEPS.keys().isdisjoint(leaf.path) for leaf in parameters.leaves]
    is_smooth = np.repeat(of_materials, [leaf.size for leaf in parameters.leaves])
    for number, seen in enumerate(parameters.views_seen()):
        lengths = step_factors(pairs, bool(is_smooth[number])) * step[number]
        offsets = offsets_within(lengths, vector[number] - low[number], high[number] - vector[number])
        moves = []
        for offset in offsets:
            there = vector.copy()
            there[number] += offset
            changed = parameters.at_if_any(there.clip(low, high))
            if changed is not None:
                moves.append((offset, changed))
        weights = slope_weights(np.array([offset for offset, _ in moves]), bool(is_smooth[number])).tolist()
        if is_apart[number] and moves:
            there = vector.copy()
            there[number] += math.copysign(ROUNDING, moves[0][0])
            moves.append((0.0, parameters.at(there)))
            weights.append(-sum(weights))
        for weight, (_, changed) in zip(weights, moves, strict=True):
            yield from (_Moved(number, view, weight, changed.scenes[view]) for view in seen)


def step_factors(pairs: int, is_smooth: bool) -> Lengths:
    """What a step is multiplied by, for each of several pairs; see SPREAD and SMOOTH_SPREAD."""
    return np.linspace(*(SMOOTH_SPREAD if is_smooth else SPREAD), pairs) if pairs > 1 else np.ones(1)


def offsets_within(lengths: Lengths, below: float, above: float) -> Offsets:
    """Up and down by these lengths, all shortened alike to what bounds so far below and above allow.

    Equal on both sides, so that curvature cancels; if there is hardly room on one side (NARROW), on the other alone.
    """
    longest, both = lengths[-1], min(below, above)
    if both < NARROW * longest:
        return lengths * min(1.0, max(below, above) / longest) * (1 if above > below else -1)
    lengths = lengths * min(1.0, both / longest)
    return np.concatenate([lengths, -lengths])


def slope_weights(offsets: Offsets, is_smooth: bool) -> Offsets:
    """Weights of f(x + offset) − f(x) whose sum is f'(x): by least squares, of a line or, if f is smooth, a polynomial.

    Of degree 3, or 2 on one side alone: noise grows with the degree. Where a number cannot move, all are 0.
    """
    if not offsets.any():
        return np.zeros_like(offsets)
    is_one_sided = offsets.min() > 0 or offsets.max() < 0
    degree = (2 if is_one_sided else 3) if is_smooth and len(offsets) >= MIN_OFFSETS else 1
    longest = np.abs(offsets).max()
    powers = (offsets[:, None] / longest) ** np.arange(1, degree + 1)
    weights: Offsets = np.linalg.pinv(powers)[0] / longest
    return weights


def _batches(items: Iterator[_Moved], size: int) -> Iterator[list[_Moved]]:
    batch: list[_Moved] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def differentiable_picture(
    renderer: Renderer,
    scene: Scene,
    leaves: Mapping[str, Tensor],
    width: int | None = None,
    height: int | None = None,
    *,
    pixels: float = 0.5,
    pairs: int = 8,
    spp: int = 0,
    seed: int = 0,
) -> Float32[Tensor, "height width 3"]:
    """The picture of the scene with these leaves, as a function of them to torch: `backward` gives their gradients.

        color = torch.tensor([0.7, 0.5, 0.3], requires_grad=True)
        picture = differentiable_picture(renderer, scene, {"objects[1].material.base_color": color}, 64)
        (picture - target).square().mean().backward()

    Derivatives are those of `picture_and_jacobian`, taken of the leaves that require gradients, on the way forward;
    they have none of their own. With `spp` the picture is blended with paths, as `Renderer.render` does, whose noise is
    that of `scene` as it is given: pictures of two values of a leaf differ by that alone. Raises InputError for a name
    that there is not, or a tensor of another shape.
    """
    check_scene("scene", scene)
    parameters = Parameters.of(Views.of(scene), list(leaves))
    for leaf in parameters.leaves:
        if tuple(leaves[leaf.name].shape) != leaf.shape:
            raise InputError(
                f"{leaf.name} is of shape {tuple(leaves[leaf.name].shape)}, must be {shortened(leaf.shape)}"
            )
    values = [leaves[leaf.name] for leaf in parameters.leaves]
    pictured = Pictured.of(renderer, parameters.start, width, height, Blending(spp, seed))
    picture: Tensor = _Picture.apply(pictured, parameters, Stepping(pixels, pairs), *values)
    return picture


class _Picture(torch.autograd.Function):
    """Forward takes the picture and its Jacobian, backward multiplies by that."""

    @staticmethod
    def forward(
        ctx: Any,
        pictured: Pictured,
        parameters: Parameters,
        stepping: Stepping,
        *values: Tensor,
    ) -> Any:
        vector = torch.cat([value.detach().double().cpu().reshape(-1) for value in values]).numpy()
        views, device = parameters.at(vector), values[0].device
        wanted = [leaf for leaf, value in zip(parameters.leaves, values, strict=True) if value.requires_grad]
        if not wanted:
            picture = pictured.render(views.scenes, [0])[0]
            return torch.from_numpy(picture).to(device)
        found = differences(pictured, Parameters(views, tuple(wanted)), views, stepping)
        ctx.save_for_backward(torch.from_numpy(found.jacobian[:, 0]).to(device), *values)
        return torch.from_numpy(found.pictures[0]).to(device)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        jacobian, *values = ctx.saved_tensors
        numbers = (jacobian * gradient).double().sum((1, 2, 3))
        gradients: list[Tensor | None] = []
        for value, needed in zip(values, ctx.needs_input_grad[NOT_VALUES:], strict=True):
            gradients.append(None)
            if needed:
                own, numbers = numbers[: value.numel()], numbers[value.numel() :]
                gradients[-1] = own.reshape(value.shape).to(value)
        return *[None] * NOT_VALUES, *gradients
