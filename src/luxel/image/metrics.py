"""Image metrics, one number an image.

Shapes: prediction, target and variance are `[batch, height, width, 3]`, linear radiance, float32. `variance`
is that of the target's mean over `spp` paths. PSNR, SSIM and FLIP see tone-mapped sRGB; the others see
radiance. FLIP: Andersson et al. 2020, by NVIDIA's flip-evaluator.
"""

from importlib.util import find_spec

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from luxel.image.losses import Loss, perceptual
from luxel.image.tonemap import tone_map

Images = Float32[Tensor, "batch height width 3"]
PerImage = Float[Tensor, " batch"]

LOWER_IS_BETTER = {
    "loss": True,
    "perceptual": True,
    "l1": True,
    "mse": True,
    "relative_mse": True,
    "smape": True,
    "psnr": False,
    "ssim": False,
    "flip": True,
    "equivalent_spp": False,
}

SSIM_WINDOW = 11
"""Pixels, along both sides."""


def image_metrics(
    prediction: Images,
    target: Images,
    variance: Images,
    path_variance: PerImage,
    tone: str = "clamp",
    loss: Loss = perceptual,
) -> dict[str, PerImage]:
    """Every metric of `LOWER_IS_BETTER` for each image of the batch; `loss` is the one that was trained with.

    `variance` is that of the target, `path_variance` that of a single path; see `equivalent_spp`. Images smaller than
    SSIM's window have no SSIM.
    """
    error = prediction - target
    display_prediction, display_target = (tone_map(tone)(image) for image in (prediction, target))
    has_window = min(target.shape[1:3]) >= SSIM_WINDOW
    return {
        "loss": per_image(loss(prediction, target)),
        "perceptual": per_image(perceptual(prediction, target)),
        "l1": per_image(error.abs()),
        "mse": per_image(error**2),
        "relative_mse": per_image(error**2 / (target**2 + 0.01)),
        "smape": per_image(2 * error.abs() / (prediction.abs() + target.abs() + 0.01)),
        "psnr": psnr(display_prediction, display_target),
        **({"ssim": ssim(display_prediction, display_target)} if has_window else {}),
        "flip": flip(display_prediction, display_target),
        "equivalent_spp": equivalent_spp(per_image(error**2), per_image(variance), path_variance),
    }


def per_image(values: Images) -> PerImage:
    """The mean over an image's pixels and channels."""
    return values.mean(dim=(1, 2, 3))


def psnr(prediction: Images, target: Images) -> PerImage:
    """Peak signal-to-noise ratio in dB of display values in [0, 1], at most 100."""
    return -10 * per_image((prediction - target) ** 2).clamp(min=1e-10).log10()


def ssim(prediction: Images, target: Images) -> PerImage:
    """Structural similarity of display values (Wang et al. 2004): 11×11 Gaussian window, σ = 1.5."""
    from torchmetrics.functional.image import structural_similarity_index_measure  # a second, with all of torchmetrics

    return structural_similarity_index_measure(  # torchmetrics wants channels first
        prediction.movedim(-1, 1), target.movedim(-1, 1), data_range=1.0, reduction="none"
    )


def flip(prediction: Images, target: Images) -> PerImage:
    """Mean LDR-FLIP error of display values, 0 to 1, at flip-evaluator's default 67 pixels a degree.

    NaN where flip-evaluator is not installed: training, as on a machine lent for it, can do without.
    """
    if find_spec("flip_evaluator") is None:
        return torch.full((len(target),), torch.nan)
    import flip_evaluator

    values = [
        flip_evaluator.evaluate(reference.numpy(), test.numpy(), "LDR", inputsRGB=True)[1]
        for reference, test in zip(target.cpu(), prediction.cpu(), strict=True)
    ]
    return torch.tensor(values, dtype=torch.float32)


def equivalent_spp(mse: PerImage, noise: PerImage, path_variance: PerImage) -> PerImage:
    """Independent paths a pixel whose variance equals the squared error `mse`, at most as many as the target is worth.

    `noise` is the mean variance of the target, `path_variance` that of one path. The measured `mse` contains `noise`
    once, which is taken off it. A prediction as near as the noise allows gets `path_variance / noise`, which is the
    target's spp or, where its paths were stratified, more: the reference cannot tell. For a whole set, give the means
    over it.
    """
    return path_variance / torch.maximum(mse - noise, noise).clamp(min=1e-20)
