from dataclasses import replace

import pytest
import torch

from luxel.models.cross_attention import (
    AttentionGate,
    ImageToSeq,
    ImageToSeqConfig,
    OverallWeight,
    SeqToImage,
    SeqToImageConfig,
    Start,
    StartConfig,
    to_image,
    to_pixels,
)

CHANNELS, WIDTH, OBJECTS = 10, 8, 5
ADD = SeqToImageConfig(join="add", share=0.5, overall_weight=OverallWeight(0.0))
MASK = torch.tensor([[True, True, True, False, False], [True] * 5, [True, False, False, False, False]])


def seq_to_image(config: SeqToImageConfig) -> SeqToImage:
    torch.manual_seed(0)
    return SeqToImage(CHANNELS, CHANNELS, WIDTH, config)


def image_to_seq(config: ImageToSeqConfig) -> ImageToSeq:
    torch.manual_seed(0)
    return ImageToSeq(CHANNELS, WIDTH, config)


def inputs():
    torch.manual_seed(1)
    return torch.randn(3, CHANNELS, 4, 6), torch.randn(3, OBJECTS, WIDTH)


def test_pixels_and_back():
    image, _ = inputs()
    assert torch.equal(to_image(to_pixels(image)), image)
    assert torch.equal(to_pixels(image)[:, 1, 1], image[:, :, 1, 1])


@pytest.mark.parametrize("kind", ["pooled", "queries"])
@pytest.mark.parametrize("direct", [True, False])
def test_the_start_image_depends_on_objects_their_count_and_nothing_else(kind, direct):
    torch.manual_seed(0)
    start = Start(WIDTH, CHANNELS, StartConfig(kind, size=3, direct=direct))
    _, sequence = inputs()
    image = start(sequence, MASK)
    assert image.shape == (3, CHANNELS, 3, 3)
    torch.testing.assert_close(start(torch.where(MASK[..., None], sequence, 9.0), MASK), image)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(start(sequence[:, order], MASK[:, order]), image)
    pair = sequence[:, :2]
    twice = torch.cat([pair, pair], dim=1)
    images = [start(objects, torch.ones(objects.shape[:2], dtype=torch.bool)) for objects in (pair, twice)]
    assert not torch.allclose(*images), "the same pooled features, another count"
    assert ("direct.weight" in dict(start.named_parameters())) == direct


def test_concatenated_channels_come_after_the_untouched_image():
    image, sequence = inputs()
    module = seq_to_image(SeqToImageConfig(channels=6))
    joined = module(image, sequence, MASK)
    assert module.extra_channels == 6
    assert joined.shape == (3, CHANNELS + 6, 4, 6)
    assert torch.equal(joined[:, :CHANNELS], image)


@pytest.mark.parametrize(("share", "touched"), [(0.5, 5), (1.0, 10)])
def test_adding_touches_its_share_of_the_channels(share, touched):
    image, sequence = inputs()
    module = seq_to_image(replace(ADD, share=share))
    difference = module(image, sequence, MASK) - image
    assert module.extra_channels == 0
    assert (difference[:, :touched].flatten(2).abs().amax(-1) > 0).all()
    assert difference[:, touched:].abs().max() == 0 if touched < CHANNELS else True


def test_a_mix_bias_of_minus_ten_adds_almost_nothing_and_zero_adds_half():
    image, sequence = inputs()
    full, half, none = (
        seq_to_image(replace(ADD, overall_weight=weight))(image, sequence, MASK) - image
        for weight in (None, OverallWeight(0.0, gain=0.0), OverallWeight(-10.0, gain=0.0))
    )
    torch.testing.assert_close(half, full / 2)
    torch.testing.assert_close(none, full * 4.5398e-5, rtol=1e-2, atol=1e-6)


def test_the_bug_adds_twice():
    image, sequence = inputs()
    once, twice = (seq_to_image(replace(ADD, added_twice=bug))(image, sequence, MASK) - image for bug in (False, True))
    torch.testing.assert_close(twice, 2 * once)


def test_the_overall_weight_is_the_mean_logit():
    """Against logits that are formed one by one."""
    torch.manual_seed(0)
    module = image_to_seq(ImageToSeqConfig())
    image, sequence = inputs()
    projected = module.attention.project(sequence, to_pixels(image), None)
    logits = projected.query @ projected.key.transpose(-1, -2) / projected.query.shape[-1] ** 0.5
    weigh = AttentionGate(OverallWeight(mix_bias=0.3, gain=1.7))
    expected = torch.sigmoid(1.7 * logits.mean(dim=(1, 3)) + 0.3)[..., None]
    torch.testing.assert_close(weigh(projected, per_query=True), expected)
    real = [torch.sigmoid(1.7 * logits[b][:, MASK[b]].mean() + 0.3) for b in range(3)]
    torch.testing.assert_close(weigh(projected, per_query=False, query_mask=MASK).flatten(), torch.stack(real))


def test_the_sequence_ignores_the_image_at_first_and_hears_it_with_an_open_gate():
    image, sequence = inputs()
    silent, open_ = (
        image_to_seq(ImageToSeqConfig(overall_weight=OverallWeight(bias, gain=0.0)))(sequence, MASK, image) - sequence
        for bias in (-30.0, 30.0)
    )
    assert silent.abs().max() < 1e-6
    assert open_.abs().max() > 1e-2


@pytest.mark.parametrize("per_element", [True, False])
def test_padding_never_reaches_a_real_object(per_element):
    image, sequence = inputs()
    module = image_to_seq(ImageToSeqConfig(OverallWeight(0.0), per_element=per_element))
    changed = torch.where(MASK[..., None], sequence, 9.0)
    torch.testing.assert_close(module(changed, MASK, image)[MASK], module(sequence, MASK, image)[MASK])


def test_a_weight_for_every_element_or_one_for_all():
    """The ratio to what an open gate adds is the weight."""
    image, sequence = inputs()
    mask = torch.ones(3, OBJECTS, dtype=torch.bool)
    whole = image_to_seq(ImageToSeqConfig(OverallWeight(40.0, gain=0.0)))(sequence, mask, image) - sequence
    for per_element in (True, False):
        module = image_to_seq(ImageToSeqConfig(OverallWeight(0.0, gain=5.0), per_element=per_element))
        weights = ((module(sequence, mask, image) - sequence) / whole).median(dim=-1).values
        assert (weights.std(dim=1) > 1e-3).all() == per_element


def test_pooling_shrinks_large_images_only():
    _, sequence = inputs()
    pooled, whole = (image_to_seq(ImageToSeqConfig(OverallWeight(0.0), pool_to=size)) for size in (4, None))
    small, large = torch.randn(3, CHANNELS, 4, 4), torch.randn(3, CHANNELS, 8, 8)
    torch.testing.assert_close(pooled(sequence, MASK, small), whole(sequence, MASK, small))
    average = large.unflatten(3, (4, 2)).unflatten(2, (4, 2)).mean(dim=(3, 5))
    torch.testing.assert_close(pooled(sequence, MASK, large), whole(sequence, MASK, average))
