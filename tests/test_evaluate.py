from dataclasses import replace

import numpy as np
import pytest
import torch
from data_folder import SETTINGS, write_data_folder

from luxel.core.scene_batch import SceneBatch
from luxel.data.dataset import Batch, ShardDataset
from luxel.evaluation.evaluate import Background, EvaluationProtocol, bootstrap, evaluate
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.scene import Spheres

PROTOCOL = EvaluationProtocol(reference_spp=64, test_set="abc")


def model() -> Background:
    return Background(13)


def batch_of(images: int, generator: torch.Generator) -> Batch:
    radiance = torch.rand(images, 13, 13, 3, generator=generator)
    background = torch.rand(images, 3, generator=generator)
    scenes = replace(SceneBatch.of([Spheres()(0, index) for index in range(images)]), background=background)
    return Batch(scenes, radiance, torch.full_like(radiance, 1e-3))


def test_the_batches_do_not_matter():
    whole = batch_of(7, torch.Generator().manual_seed(0))
    parts = [whole.rows(part) for part in (slice(0, 3), slice(3, 4), slice(4, 7))]
    one_model = model().train()
    one = evaluate(one_model, [whole], PROTOCOL, progress=False)
    several = evaluate(model(), parts, PROTOCOL, progress=False)
    assert one.images == several.images == 7
    assert not one_model.training
    for name in one.per_image:
        np.testing.assert_allclose(several.per_image[name], one.per_image[name], rtol=1e-5)


def test_a_model_renders_each_image_once_and_shows_what_it_rendered():
    whole, shown, rendered = batch_of(5, torch.Generator().manual_seed(0)), [], []
    network = model()
    network.register_forward_hook(lambda module, inputs, output: rendered.append(output))
    evaluate(
        network, [whole.rows(slice(0, 3)), whole.rows(slice(3, 5))], PROTOCOL, progress=False, on_radiance=shown.append
    )
    assert [len(images) for images in shown] == [3, 2]
    assert all((one == other).all() for one, other in zip(shown, rendered, strict=True))


def test_means_and_provenance():
    batch = batch_of(5, torch.Generator().manual_seed(1))
    result = evaluate(model(), [batch], replace(PROTOCOL, tone_map="reinhard"), progress=False)
    assert (result.tone_map, result.reference_spp, result.test_set) == ("reinhard", 64, "abc")
    squared = evaluate(model(), [batch], replace(PROTOCOL, loss="mse"), progress=False).metrics
    assert squared["loss"] == squared["mse"]
    error = batch.scenes.background[:, None, None] - batch.radiance
    assert result.metrics["l1"].mean == pytest.approx(error.abs().mean().item(), rel=1e-5)
    mse = error.square().mean().item()
    assert result.metrics["equivalent_spp"].mean == pytest.approx(64 * 1e-3 / (mse - 1e-3), rel=1e-4)
    for summary in result.metrics.values():
        assert summary.low <= summary.mean <= summary.high


def test_the_protocol_of_a_data_set_is_its_manifests(tmp_path):
    test = ShardDataset(write_data_folder(tmp_path / "data"), "test")
    protocol = EvaluationProtocol.of(test, "mse")
    assert protocol == EvaluationProtocol(SETTINGS.spp, test.manifest.content_hash("test"), "mse", "clamp")
    result = evaluate(model(), [batch_of(2, torch.Generator().manual_seed(4))], protocol, progress=False)
    assert (result.reference_spp, result.test_set) == (SETTINGS.spp, test.content_hash)
    assert (result.loss, result.tone_map) == ("mse", "clamp")


def test_what_is_left_out_is_said():
    whole = batch_of(2, torch.Generator().manual_seed(2))
    assert evaluate(model(), [whole], PROTOCOL, progress=False).left_out == ""
    small = Batch(whole.scenes, whole.radiance[:, :4, :4], whole.variance[:, :4, :4])
    result = evaluate(Background(4), [small], PROTOCOL, progress=False)
    assert result.left_out == "ssim is left out: images are smaller than its window of 11×11"
    assert np.isfinite([summary.mean for summary in result.metrics.values()]).all()


def test_a_ray_model_renders_the_size_of_the_images():
    whole = batch_of(2, torch.Generator().manual_seed(3))
    wide = Batch(whole.scenes, whole.radiance[:, :5], whole.variance[:, :5])
    one = RayModel(RayModelConfig(width=8)).eval()
    result = evaluate(one, [wide], PROTOCOL, progress=False)
    with torch.no_grad():
        error = one(wide.scenes, width=13, height=5) - wide.radiance
    assert result.metrics["l1"].mean == pytest.approx(error.abs().mean().item(), rel=1e-5)


def test_bootstrap_interval_of_a_known_distribution():
    """The mean of 400 normals has a 95 % interval of ±1.96 / 20 around it."""
    values = np.random.default_rng(0).normal(3.0, 1.0, 400)
    summary = bootstrap(values)
    half = 1.96 * values.std() / 20
    assert summary.mean == pytest.approx(values.mean())
    assert summary.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert summary.high == pytest.approx(values.mean() + half, abs=0.15 * half)
