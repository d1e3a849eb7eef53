"""What path tracing says of pictures: of their pixels, and of each fragment that these show."""

from typing import Any, NamedTuple

import torch
import warp as wp
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from luxel.core.fragments import FragmentPaths
from luxel.core.launch import launch, to_warp
from luxel.models.path_statistics import LAMP_SHARE_ERROR, PathTable, weigh_fragments
from luxel.models.visible_surfaces import Surfaces


class Paths(NamedTuple):
    """What path tracing says of pictures: pixels of all, row by row, scene by scene."""

    mean: Float[Tensor, "pixels 3"]
    variance: Float[Tensor, " pixels"]
    """Of that mean, the mean over channels; infinite if there is one path."""
    spp: Float[Tensor, " pixels"]
    """How many there are."""
    of_fragments: FragmentPaths

    @staticmethod
    def of(
        mean: Float[Tensor, "pixels 3"],
        path_variance: Float[Tensor, " pixels"],
        spp: Int64[Tensor, " pixels"],
        of_fragments: FragmentPaths,
    ) -> "Paths":
        """So many, of a mean and with the variance of a single one."""
        return Paths(mean, path_variance / spp, spp.float(), of_fragments)


class Shares(NamedTuple):
    """How pixels are made of their fragments, as far as rays and paths tell."""

    pixel: Int64[Tensor, " fragments"]
    coverage: Float[Tensor, " fragments"]
    unknown: Float[Tensor, " pixels"]
    """What none of a pixel's fragments covers, as far as paths have met other things first."""
    from_unknown: Float[Tensor, "pixels 3"]
    """What that adds to the pixel's radiance."""
    certainty: Float[Tensor, " pixels"]
    """What variance of a pixel's radiance among its parts is to be divided by for that of its mean."""

    def part(self, pixels: slice, fragments: slice) -> "Shares":
        """Of some of the pixels, and their fragments."""
        own = self.pixel[fragments] - pixels.start
        return Shares(own, self.coverage[fragments], *(values[pixels] for values in self[2:]))

    def of(self, fragments: Int64[Tensor, " some"]) -> "Shares":
        """Of the pixels with some of their fragments alone."""
        return self._replace(pixel=self.pixel[fragments], coverage=self.coverage[fragments])

    def pixels(
        self, radiance: Float[Tensor, "fragments 3"], error: Float[Tensor, " fragments"]
    ) -> tuple[Float[Tensor, "pixels 3"], Float[Tensor, " pixels"]]:
        """Of fragments' radiance, and their expected squared error; that of what they cover is added."""
        mean = self._sums(radiance) + self.from_unknown
        among = self._sums(self._squared_distance(radiance, mean))[:, 0]
        among += (self.from_unknown - self.unknown[:, None] * mean).square().mean(1) / self.unknown.clamp(min=1e-12)
        return mean, self._sums(error[:, None])[:, 0] + among / self.certainty

    def lamps_error(
        self,
        is_lamp: Bool[Tensor, " fragments"],
        radiance: Float[Tensor, "fragments 3"],
        mean: Float[Tensor, "pixels 3"],
    ) -> Float[Tensor, " pixels"]:
        """Squared error of pixels' `mean` by what their lamps cover."""
        lamps = is_lamp[:, None].float()
        others = (1 - self._sums(lamps)[:, 0]).clamp(min=LAMP_SHARE_ERROR)
        return self._sums(lamps * self._squared_distance(radiance, mean))[:, 0] / (self.certainty * others)

    def _squared_distance(
        self, radiance: Float[Tensor, "fragments 3"], mean: Float[Tensor, "pixels 3"]
    ) -> Float[Tensor, "fragments 1"]:
        return ((radiance - mean.index_select(0, self.pixel)) ** 2).mean(1, keepdim=True)

    def _sums(self, values: Float[Tensor, "fragments channels"]) -> Float[Tensor, "pixels channels"]:
        empty = values.new_zeros(len(self.unknown), values.shape[1])
        return empty.index_add(0, self.pixel, values * self.coverage[:, None])

    def largest(self) -> Int64[Tensor, " pixels"]:
        """The fragment that covers most of each pixel, the last of several."""
        most = torch.zeros_like(self.unknown).scatter_reduce(0, self.pixel, self.coverage, "amax")
        is_largest = self.coverage == most[self.pixel]
        found = self.pixel.new_zeros(len(most))
        return found.scatter_reduce(0, self.pixel[is_largest], is_largest.nonzero()[:, 0], "amax")


def pooled(pixel: Int64[Tensor, " fragments"], a: Paths, b: Paths) -> Paths:
    """All of them (Chan, Golub & LeVeque 1979), of the same pixels and fragments, each of which is in this `pixel`."""
    spp = a.spp + b.spp
    share = b.spp / spp
    step = b.mean - a.mean
    between = (step**2).mean(1) * a.spp * share
    # Σ (x − mean)² of each, from its mean's variance σ² / n.
    spread = [torch.where(paths.spp > 1, paths.variance * paths.spp * (paths.spp - 1), 0.0) for paths in (a, b)]
    variance = (spread[0] + spread[1] + between) / (spp * (spp - 1))
    of_fragments = pooled_fragments(pixel, a.of_fragments, b.of_fragments)
    return Paths(a.mean + step * share[:, None], variance, spp, of_fragments)


def pooled_fragments(pixel: Int64[Tensor, " fragments"], a: FragmentPaths, b: FragmentPaths) -> FragmentPaths:
    """All of them, of the same fragments."""
    counts = a.counts + b.counts
    step, share = b.mean - a.mean, b.counts / counts.clamp(min=1)
    between = (step**2).mean(1) * a.counts * share
    scatter = (a.scatter + b.scatter).index_add(0, pixel, between)
    return FragmentPaths(a.mean + step * share[:, None], counts, scatter)


def shares_of_pixels(surfaces: Surfaces, paths: Paths) -> Shares:
    """By the rays that have found the fragments, and by the paths; see `weigh_fragments`."""
    seen, device = surfaces.fragments, paths.mean.device
    shares = Shares(
        pixel=surfaces.pixel,
        coverage=torch.empty_like(seen.coverage),
        unknown=torch.empty(surfaces.pixels, device=device),
        from_unknown=torch.empty(surfaces.pixels, 3, device=device),
        certainty=torch.empty(surfaces.pixels, device=device),
    )
    inputs = [path_table(surfaces, paths), seen.coverage, surfaces.is_lamp]
    outputs = [shares.coverage, shares.unknown, to_warp(shares.from_unknown, wp.vec3), shares.certainty]
    launch(weigh_fragments, surfaces.pixels, inputs, outputs, device, sliced=True)
    return shares


def path_table(surfaces: Surfaces, paths: Paths) -> Any:
    """A PathTable, which keeps the tensors alive."""
    found, table = paths.of_fragments, PathTable()
    table.offsets, table.count = to_warp(surfaces.fragments.offsets), to_warp(found.counts)
    table.variance, table.spp, table.scatter = (to_warp(v) for v in (paths.variance, paths.spp, found.scatter))
    table.mean, table.fragment_mean = (to_warp(values, wp.vec3) for values in (paths.mean, found.mean))
    return table
