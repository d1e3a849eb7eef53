"""What the lab log's lists mean to try, and it did not compare so: each idea tied to the run with it and that without.

What the log did find of its ideas is among its claims (`luxel.ledger.log_claims`).
"""

from luxel.ledger.claims import Better

MAY_30, JUNE_1, JUNE_2 = "2020-05-30", "2020-06-01", "2020-06-02"
BASELINE, BLOCKS = "big_new_run", "new_improve_seq"

IDEAS: tuple[Better, ...] = (
    Better("Attention with normalised queries and keys, and registers", MAY_30, "“better strategies for attention”",
           "qk_norm_registers", BASELINE),
    Better("Soft ANDs as activations", MAY_30, "“‘intersection’ modules/activation”", "intersection", BASELINE),
    Better("Sequence blocks beside image→seq", MAY_30, "“reintroduce transformers on sequence throughout”",
           BLOCKS, "just_image_to_seq"),
    Better("The image asks the sequence of the block before", MAY_30, "“interlace”", "interlaced", BASELINE),
    Better("Half the rate with the new loss", MAY_30, "“Tune lr better for new loss function”",
           "improve_seq_half_lr", BLOCKS),
    Better("Four times the scenes", MAY_30, "“MOAR data????”", "more_data", BASELINE),
    Better("A learned query for every pixel of the start", MAY_30, "“better start block?”", "queries_start", BASELINE),
    Better("Black background, ReLU at the output", JUNE_1, "“Make background black and switch to RELU”",
           "black_background_relu", BASELINE),
    Better("No base transformer", JUNE_1, "“Eliminate input transformer”", "no_base_transformer", BASELINE),
    Better("Seq→image added to all channels", JUNE_1, "“Add SeqToImage to all channels with an overall weight”",
           "seq_to_image_all_channels", BASELINE),
    Better("Image→seq before every block", JUNE_1, "“Correct frequencies of ImageToSeq and SeqToImage?”",
           "image_to_seq_every_block", BASELINE),
    Better("Seq→image once a level", JUNE_1, "the same", "seq_to_image_once_a_level", BASELINE),
    Better("Half the sequence's width", JUNE_1, "“Correct (base) seq size?”", "half_seq_size", BASELINE),
    Better("Double the sequence's width", JUNE_1, "the same", "double_seq_size", BASELINE),
    Better("Half the channels", JUNE_1, "“Correct (base) ch count?”", "half_ch", BASELINE),
    Better("Double the channels", JUNE_1, "the same", "double_ch", BASELINE),
    Better("Half the depth", JUNE_1, "“Correct (base) depth?”", "half_depth", BASELINE),
    Better("Double the depth", JUNE_1, "the same", "double_depth", BASELINE),
    Better("Expand ratio 2 for 3", JUNE_1, "“Correct expand ratio?”", "expand_ratio_2", BASELINE),
    Better("Expand ratio 6 for 3", JUNE_1, "the same", "expand_ratio_6", BASELINE),
    Better("The start makes 8×8 pixels, not 4×4", JUNE_1, "“Correct initial dim?”", "initial_width_8", BASELINE),
    Better("Image→seq at a level's end, where seq→image is at its start", JUNE_1,
           "“Is staggering/interlacing actually improving efficiency?”", "staggered", "seq_to_image_once_a_level"),
    Better("To scale up by width rather than depth", JUNE_1, "“How should the model be scaled up?”",
           "same_flops_width", "double_depth"),
    Better("To scale up by the sequence's width rather than depth", JUNE_1, "the same",
           "same_flops_seq_size", "double_depth"),
    Better("The peak rate until the last fifth", JUNE_1, "“the decay phase needs to be at a higher learning rate”",
           "stable_decay_schedule", BASELINE),
    Better("No decay of the rate", JUNE_1, "the same", "constant_schedule", BASELINE),
    Better("Four times as long", JUNE_1, "“way more epochs are required”", "longer", BASELINE),
    Better("Dropout on sequence blocks", JUNE_1, "“Dropout (on seq blocks)”", "seq_blocks_dropout", BLOCKS),
    Better("Stochastic depth of sequence blocks", JUNE_1, "“and other regularization”",
           "seq_blocks_stochastic_depth", BLOCKS),
    Better("Sequence blocks of layers with their own parameters", JUNE_1, "“more residual blocks somehow”",
           "more_residual_seq_blocks", BLOCKS),
    Better("Constant channels, then halved", JUNE_2, "“keep channels constant and then half channels every upsample”",
           "constant_then_halve_ch", BASELINE),
    Better("Base layers with their own parameters, for as many shared ones", JUNE_2,
           "“multiple layers, but with different parameters for each layer”", "own_base_layers", BASELINE),
    Better("Base layers with their own parameters, for one layer", JUNE_2, "the same",
           "own_base_layers", "minimal_base_transformer"),
    Better("One-layer sequence blocks, and seq→image added to all channels, with one base layer", JUNE_2,
           "“trying some runs with 1 layer seq blocks”", "single_layer_transformer_and_add_all",
           "minimal_base_transformer"),
)  # fmt: skip
