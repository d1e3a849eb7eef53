"""The whole model: options, invariances, gradients, files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.files.typed_json import read_json
from luxel.models.attention import AttentionConfig
from luxel.models.cross_attention import ImageToSeqConfig, OverallWeight, SeqToImageConfig, StartConfig
from luxel.models.generator import GeneratorConfig
from luxel.models.image_model import ImageModel, ImageModelConfig, occurs, scaled
from luxel.models.sequence import TransformerConfig
from luxel.models.tokens import OBJECT_FEATURES, Tokens, encode
from luxel.scene.distributions import Varied

FEATURES, OBJECTS = 11, 5
HEADS = AttentionConfig(heads=2)
SMALL = ImageModelConfig(
    width=8,
    object_features=FEATURES,
    seq_width=12,
    base_transformer=TransformerConfig(layers=2, attention=HEADS),
    start=StartConfig(size=2, attention=HEADS),
    generator=GeneratorConfig(start_channels=8, max_channels=12, min_channels=4, repeats=2, expand_ratio=2),
    seq_to_image=SeqToImageConfig(channels=6, attention=HEADS),
)
TO_SEQ = ImageToSeqConfig(attention=HEADS, pool_to=2)
ADD = SeqToImageConfig(join="add", share=0.5, overall_weight=OverallWeight(0.0), attention=HEADS)
BLOCKS = TransformerConfig(layers=1, gate_bias=-3.0, attention=HEADS)


def attending(**change) -> ImageModelConfig:
    """Another kind of attention everywhere."""
    attention = replace(HEADS, **change)
    return replace(
        SMALL,
        base_transformer=replace(SMALL.base_transformer, attention=attention),
        start=replace(SMALL.start, attention=attention),
        seq_to_image=SeqToImageConfig(channels=6, attention=attention),
    )


VARIANTS = {
    "base": SMALL,
    "no_base_transformer": replace(SMALL, base_transformer=TransformerConfig(layers=0)),
    "shared_base": replace(SMALL, base_transformer=replace(SMALL.base_transformer, shared=True)),
    "start_queries": replace(SMALL, start=replace(SMALL.start, kind="queries")),
    "no_direct_start": replace(SMALL, start=replace(SMALL.start, direct=False)),
    "no_seq_to_image": replace(SMALL, seq_to_image=None),
    "seq_to_image_added": replace(SMALL, seq_to_image=ADD),
    "seq_to_image_added_to_all": replace(SMALL, seq_to_image=replace(ADD, share=1.0)),
    "image_to_seq": replace(SMALL, image_to_seq=TO_SEQ),
    "image_to_seq_one_weight": replace(SMALL, image_to_seq=replace(TO_SEQ, per_element=False)),
    "sequence_blocks": replace(SMALL, image_to_seq=TO_SEQ, sequence_blocks=BLOCKS),
    "interlaced": replace(
        SMALL, image_to_seq=TO_SEQ, image_to_seq_at=2, sequence_blocks=BLOCKS, sequence_blocks_at="level_end"
    ),
    "last_update_unread": replace(
        SMALL, image_to_seq=TO_SEQ, image_to_seq_at="level_end", seq_to_image_at="level_start"
    ),
    "added_twice": replace(SMALL, seq_to_image=replace(ADD, added_twice=True)),
    "image_to_seq_unpooled": replace(SMALL, image_to_seq=replace(TO_SEQ, pool_to=None)),
    "intersection_activation": replace(
        SMALL, base_transformer=replace(SMALL.base_transformer, activation="intersection")
    ),
    "kernel": replace(SMALL, generator=replace(SMALL.generator, kernel=5)),
    "expand_ratio": replace(SMALL, generator=replace(SMALL.generator, expand_ratio=3)),
    "tanh": attending(weighting="tanh"),
    "qk_norm_and_registers": attending(qk_norm=True, registers=3),
    "intersection": attending(intersection=True),
    "halve": replace(SMALL, generator=replace(SMALL.generator, strategy="halve")),
    "constant_then_halve": replace(SMALL, generator=replace(SMALL.generator, strategy="constant_then_halve")),
    "squeeze_excitation": replace(SMALL, generator=replace(SMALL.generator, squeeze_excitation=True)),
    "non_local": replace(SMALL, generator=replace(SMALL.generator, non_local_at=4)),
    "no_positions": replace(SMALL, generator=replace(SMALL.generator, position_frequencies=None)),
    "group_norm": replace(SMALL, generator=replace(SMALL.generator, normalisation="group")),
    "instance_norm": replace(SMALL, generator=replace(SMALL.generator, normalisation="instance")),
    "no_norm": replace(SMALL, generator=replace(SMALL.generator, normalisation="none")),
    "relu": replace(SMALL, output="relu"),
    "exp": replace(SMALL, output="exp"),
    "softplus": replace(SMALL, output="softplus"),
}


def made(name: str) -> ImageModel:
    torch.manual_seed(0)
    return ImageModel(VARIANTS[name])


def tokens_of(batch: int, seed: int = 1) -> Tokens:
    """Random ones, of 1 to 5 objects a scene."""
    generator = torch.Generator().manual_seed(seed)
    counts = torch.randint(1, OBJECTS + 1, (batch, 1), generator=generator)
    tokens = torch.randn(batch, OBJECTS, FEATURES, generator=generator)
    mask = torch.arange(OBJECTS) < counts
    camera, background = torch.rand(batch, 1, generator=generator), torch.rand(batch, 3, generator=generator)
    return Tokens(tokens, mask, camera, background)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_gradient_reaches_every_parameter(name):
    model = made(name)
    output = model.picture(tokens_of(64))
    assert output.shape == (64, 8, 8, 3)
    assert output.dtype == torch.float32
    assert output.isfinite().all()
    # A target above the output, whichever the activation: a dead ReLU pixel has no gradient of its own, and of few
    # scenes, those of a narrow layer may all be dead.
    (output - 3).square().sum().backward()
    softmax_ignores = "key.bias"
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        if not parameter_name.endswith(softmax_ignores):
            assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize("name", VARIANTS)
def test_neither_order_nor_padding_nor_the_batch_changes_an_image(name):
    model = made(name).eval()
    objects, mask, camera, background = tokens = tokens_of(3)
    order = [3, 0, 4, 2, 1]
    with torch.no_grad():
        images = model.picture(tokens)
        shuffled = model.picture(Tokens(objects[:, order], mask[:, order], camera, background))
        longer = model.picture(
            Tokens(
                torch.cat([torch.where(mask[..., None], objects, -4.0), torch.full((3, 2, FEATURES), 9.0)], dim=1),
                torch.cat([mask, torch.zeros(3, 2, dtype=torch.bool)], dim=1),
                camera,
                background,
            )
        )
        alone = model.picture(Tokens(*(values[1:2] for values in tokens)))
    # Instance norm divides rounding errors by the spread of a channel over four pixels, which may be tiny.
    tolerance = {"rtol": 1e-2, "atol": 1e-3} if name == "instance_norm" else {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(shuffled, images, **tolerance)
    torch.testing.assert_close(longer, images, **tolerance)
    torch.testing.assert_close(alone, images[1:2], **tolerance)


def test_one_object_is_enough_and_its_inputs_stay_as_they_are():
    tokens = tokens_of(2)
    tokens.mask[:, 1:] = False
    before = [value.clone() for value in tokens]
    assert made("sequence_blocks").picture(tokens).isfinite().all()
    for value, copy in zip(tokens, before, strict=True):
        assert torch.equal(value, copy)


@pytest.fixture(scope="module")
def real() -> ImageModel:
    """A model of the tokens that there are."""
    torch.manual_seed(0)
    return ImageModel(replace(SMALL, object_features=OBJECT_FEATURES)).eval()


SCENES = [Varied()(0, index) for index in range(5)]


@torch.no_grad()
def test_scenes_are_rendered_by_their_tokens_whatever_else_is_in_the_batch(real):
    """The batch has scenes of other lengths, so that a scene is padded otherwise than alone."""
    batch = SceneBatch.of(SCENES)
    assert len(set(batch.counts.tolist())) > 1
    images = real(batch)
    assert images.shape == (5, 8, 8, 3)
    torch.testing.assert_close(images, real.picture(encode(batch, 19)), rtol=1e-4, atol=1e-5)
    for row, scene in enumerate(SCENES):
        torch.testing.assert_close(images[row], real(SceneBatch.of([scene]))[0], rtol=1e-4, atol=1e-5)


def test_a_picture_has_a_derivative_by_the_scene(real):
    """Of the picture's sum by the first scene's background, against a difference."""
    batch = SceneBatch.of(SCENES)
    background = batch.background.clone().requires_grad_()
    real(replace(batch, background=background)).sum().backward()
    step = torch.zeros_like(background)
    step[0] = 1e-2
    with torch.no_grad():
        sums = [real(replace(batch, background=background + sign * step)).double().sum() for sign in (1, -1)]
    assert background.grad is not None
    assert background.grad[0].sum().item() == pytest.approx(((sums[0] - sums[1]) / 2e-2).item(), rel=0.02)


BASES = {"seq_to_image_added_to_all": "seq_to_image_added", "added_twice": "seq_to_image_added"} | dict.fromkeys(
    ("image_to_seq_one_weight", "image_to_seq_unpooled", "sequence_blocks", "interlaced", "last_update_unread"),
    "image_to_seq",
)
"""What a variant is a change of, where that is not the base."""

SAME_SHAPES = {
    "tanh", "relu", "exp", "softplus", "instance_norm", "group_norm", "added_twice", "image_to_seq_one_weight",
    "image_to_seq_unpooled",
}  # fmt: skip
"""The variants that compute something else with the same parameters."""

TOUCHES = {
    "no_base_transformer": "base_transformer.layers",
    "shared_base": "base_transformer.layers.1",
    "start_queries": "start.",
    "no_direct_start": "start.direct",
    "no_seq_to_image": (".seq_to_image.", ".block.expand."),
    "seq_to_image_added": (".seq_to_image.", ".block.expand."),
    "seq_to_image_added_to_all": ".seq_to_image.attention.",
    "image_to_seq": ".image_to_seq.",
    "sequence_blocks": ".sequence_block.",
    "interlaced": ".sequence_block.",
    "last_update_unread": (".image_to_seq.", ".seq_to_image.", ".block.expand."),
    "qk_norm_and_registers": ("_norm.weight", "registers"),
    "intersection": "value.",
    "intersection_activation": ".feed_forward.1.",
    "halve": ("stages.", "head"),
    "constant_then_halve": ("stages.", "head"),
    "kernel": ".depthwise.weight",
    "expand_ratio": ".block.",
    "squeeze_excitation": ".squeeze_excitation.",
    "non_local": ".non_local.",
    "no_positions": (".query.weight", ".block.expand."),
    "no_norm": "norm.",
}
"""The parameters that a variant adds, removes or reshapes contain one of these; all others stay."""


def shapes(name: str) -> dict[str, torch.Size]:
    return {key: parameter.shape for key, parameter in made(name).named_parameters()}


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "base"])
def test_an_option_changes_the_parameters_it_should_and_no_others(name):
    base, variant = shapes(BASES.get(name, "base")), shapes(name)
    changed = {key for key in base.keys() | variant.keys() if base.get(key) != variant.get(key)}
    if name in SAME_SHAPES:
        assert not changed
        return
    markers = (TOUCHES[name],) if isinstance(TOUCHES[name], str) else TOUCHES[name]
    assert changed
    assert all(any(marker in key for marker in markers) for key in changed), changed
    for marker in markers:
        assert any(marker in key for key in changed), f"{marker} is untouched"


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "base"])
def test_an_option_changes_the_image(name):
    """With the weights that both have in common, and gates open enough to tell."""
    base, variant = made(BASES.get(name, "base")), made(name)
    common = base.state_dict()
    own = variant.state_dict()
    variant.load_state_dict(own | {k: v for k, v in common.items() if k in own and own[k].shape == v.shape})
    for model in (base, variant):
        for key, parameter in model.named_parameters():
            if key.endswith(("weigh.bias", "gates")):
                torch.nn.init.constant_(parameter, 1.0)
            elif key.endswith("weigh.gain"):
                torch.nn.init.constant_(parameter, 3.0)
    tokens = tokens_of(5)
    with torch.no_grad():
        difference = (base.picture(tokens) - variant.picture(tokens)).abs().max()
    assert difference > 1e-5


def test_sequence_blocks_stand_where_their_frequency_says():
    at = {
        name: [i for i, stage in enumerate(made(name).stages) if stage.sequence_block is not None]
        for name in ("base", "sequence_blocks", "interlaced")
    }
    assert at == {"base": [], "sequence_blocks": [0, 2, 4], "interlaced": [1, 3, 5]}
    assert [i for i, stage in enumerate(made("interlaced").stages) if stage.image_to_seq is not None] == [0, 2, 4]


@pytest.mark.parametrize(
    ("when", "expected"),
    [("every_block", [0, 1, 2, 3, 4, 5]), ("level_start", [0, 3]), ("level_end", [2, 5]), (4, [0, 4])],
)
def test_occurrence_by_hand(when, expected):
    assert [index for index in range(6) if occurs(when, index, repeats=3)] == expected


def test_padding_stays_out_of_batch_statistics():
    model = made("sequence_blocks")
    tokens = tokens_of(5)
    model.picture(tokens)
    again = made("sequence_blocks")
    again.picture(tokens._replace(objects=torch.where(tokens.mask[..., None], tokens.objects, 50.0)))
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=1e-4, atol=1e-6)


def test_without_normalisation_the_image_is_not_overwritten():
    """The activation of a stage must not act on the residual."""
    stage = made("no_norm").stages[0]
    image = torch.randn(2, 8, 2, 2)
    before = image.clone()
    stage(image, torch.randn(2, 3, 12), torch.ones(2, 3, dtype=torch.bool))
    assert torch.equal(image, before)


def test_the_head_stays_in_float32_under_autocast():
    model = made("sequence_blocks")
    with torch.autocast("cpu", torch.bfloat16):
        output = model.picture(tokens_of(3))
    assert output.dtype == torch.float32


@pytest.mark.parametrize("name", ["sequence_blocks", "interlaced", "qk_norm_and_registers"])
def test_a_saved_model_comes_back_whole(name, tmp_path: Path):
    model = made(name).eval()
    model.save_pretrained(tmp_path)
    again = ImageModel.from_pretrained(tmp_path)
    assert again.config == model.config
    assert not again.training
    torch.testing.assert_close(again.picture(tokens_of(2)), model.picture(tokens_of(2)), rtol=0, atol=0)
    assert {"config.json", "model.safetensors"} <= {path.name for path in tmp_path.iterdir()}
    assert json.loads((tmp_path / "config.json").read_text())["seq_width"] == 12


def test_weights_that_are_not_all_there_are_refused(tmp_path: Path):
    made("base").save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["head.weight"]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"head\.weight"):
        ImageModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("part", [None, "generator"])
def test_a_configuration_with_an_unknown_field_is_refused(part, tmp_path: Path):
    made("base").save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    values = read_json(path)
    (values if part is None else values[part])["expnd"] = 3
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match="expnd"):
        ImageModel.from_pretrained(tmp_path)


def test_a_pickle_is_never_read():
    with pytest.raises(InputError, match=r"model\.safetensors only"):
        ImageModel._load_as_pickle(made("base"), "pytorch_model.bin", "cpu", True)


@pytest.mark.parametrize("change", [{"image_to_seq": TO_SEQ}, {"sequence_blocks": BLOCKS}])
def test_a_sequence_that_nothing_reads_is_not_updated(change):
    with pytest.raises(InputError, match="need seq_to_image"):
        ImageModel(replace(SMALL, seq_to_image=None, **change))


def test_a_non_local_block_at_no_level_is_refused():
    with pytest.raises(InputError, match=r"non_local_at is 16, not one of the widths \[2, 4, 8\]"):
        ImageModel(replace(SMALL, generator=replace(SMALL.generator, non_local_at=16)))


def test_every_zeroth_block_is_refused():
    with pytest.raises(InputError, match="every 0 blocks"):
        occurs(0, 3, repeats=2)


def test_a_width_out_of_reach_is_refused():
    with pytest.raises(InputError, match=r"width 24 is not start\.size 4 times a power of two"):
        ImageModel(ImageModelConfig(width=24))


def millions(config: ImageModelConfig) -> float:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in ImageModel(config).parameters()) / 1e6


def test_the_reference_sizes_of_the_2020_network():
    """1.27 M at 32², 5.2 M at 64² and 21 M at 128², doubling channels and sequence width."""
    base = ImageModelConfig()
    sizes = {32: 1.27, 64: 5.2, 128: 21.0}
    for width, expected in sizes.items():
        config = replace(scaled(base, width=width / 32, sequence=width / 32), width=width)
        assert millions(config) == pytest.approx(expected, rel=0.08)


def test_the_three_multipliers_each_scale_their_own():
    base = ImageModelConfig()
    assert scaled(base, width=1.5).generator.start_channels == 96
    assert scaled(base, depth=2.0).generator.repeats == 4
    assert scaled(base, sequence=0.5).seq_width == 64
    assert scaled(base) == base
