import pytest

from luxel.experiments.training_cost import relative_training_cost, training_operations


def test_four_times_the_images_cost_four_times_as_much():
    assert relative_training_cost("longer", "big_new_run", "tiny") == 4


def test_of_one_length_networks_cost_what_they_compute():
    assert relative_training_cost("same_flops_width", "double_depth", "small") == pytest.approx(1, rel=0.03)
    assert relative_training_cost("half_ch", "big_new_run", "small") < 0.5


def test_operations_are_of_all_images_by_hand():
    """Of tiny's 768 images 7,472,384 each, as `luxel experiments show big_new_run --scale tiny` has it."""
    assert training_operations("big_new_run", "tiny") == 768 * 7_472_384
