import math

import torch

from luxel.image.metrics import LOWER_IS_BETTER, equivalent_spp, image_metrics, per_image, psnr

GENERATOR = torch.Generator().manual_seed(0)
TARGET = torch.rand(3, 17, 13, 3, generator=GENERATOR) * 2
VARIANCE, OF_A_PATH = torch.full_like(TARGET, 1e-3), torch.full((3,), 64e-3)


def test_a_perfect_prediction_has_the_best_value_of_every_metric():
    metrics = image_metrics(TARGET, TARGET, VARIANCE, OF_A_PATH)
    best = {name: 0.0 for name, lower in LOWER_IS_BETTER.items() if lower}
    best |= {"psnr": 100.0, "ssim": 1.0, "equivalent_spp": 64.0}
    assert set(metrics) == set(best)
    for name, values in metrics.items():
        torch.testing.assert_close(values, torch.full((3,), best[name]), atol=1e-5, rtol=1e-5)


def test_a_worse_prediction_is_worse_by_every_metric():
    noise = torch.randn(TARGET.shape, generator=GENERATOR)
    near, far = (image_metrics(TARGET + scale * noise, TARGET, VARIANCE, OF_A_PATH) for scale in (0.1, 0.4))
    for name, lower in LOWER_IS_BETTER.items():
        worse = far[name] > near[name] if lower else far[name] < near[name]
        assert worse.all(), name


def test_images_smaller_than_its_window_have_no_ssim():
    for height, width in ((1, 1), (4, 4), (10, 17), (17, 10)):
        images = torch.rand((2, 3, height, width, 3), generator=torch.Generator().manual_seed(0))
        metrics = image_metrics(*images, torch.full_like(images[0], 1e-3), OF_A_PATH)
        assert set(metrics) == set(LOWER_IS_BETTER) - {"ssim"}
        assert all(values.isfinite().all() for values in metrics.values())
    assert "ssim" in image_metrics(*torch.rand(2, 1, 11, 11, 3), torch.ones(1, 11, 11, 3), torch.ones(1))


def test_psnr_of_a_known_error():
    torch.testing.assert_close(psnr(torch.zeros(1, 2, 2, 3), torch.full((1, 2, 2, 3), 0.1)), torch.tensor([20.0]))


def test_equivalent_spp_of_path_tracing_is_its_spp():
    """An estimate of 16 paths against a reference of 4096 paths of the same unit-variance pixels."""
    generator = torch.Generator().manual_seed(1)
    shape = (2, 101, 103, 3)
    reference = 1 + torch.randn(shape, generator=generator) / math.sqrt(4096)
    estimate = 1 + torch.randn(shape, generator=generator) / math.sqrt(16)
    mse = per_image((estimate - reference) ** 2)
    measured = equivalent_spp(mse, torch.full((2,), 1 / 4096), torch.ones(2))
    # 62 418 squared normals: a standard error of 0.6 %
    torch.testing.assert_close(measured, torch.full((2,), 16.0), rtol=0.04, atol=0)
