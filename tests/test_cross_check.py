"""What paths say of a picture that they had no part in."""

import math

import pytest
import torch

from luxel.models.cross_check import UNTRAINED_PRIOR, ErrorFactor, ratio_to_expected, squared_errors


def flat(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None].expand(-1, 3)


def test_the_squared_error_by_hand():
    """Of 2 by others of 1 and 5: (2 − 3)² less half their variance 8; by 5 beside a 1 like it: 9 − 8."""
    torch.testing.assert_close(squared_errors(flat(2.0), [flat(1.0), flat(5.0)]), torch.tensor([-3.0]))
    torch.testing.assert_close(squared_errors(flat(2.0), [flat(5.0)], [flat(1.0)]), torch.tensor([1.0]))


def test_it_is_right_in_the_mean_though_part_of_the_noise_is_known_to_the_picture():
    """A picture that is 0.3 off; and one with half the noise of paths of variance 1, from which the noise is known."""
    noise = torch.randn(3, 1 << 18, 3, generator=torch.Generator().manual_seed(0))
    truth = torch.linspace(0, 4, 1 << 18)[:, None].expand(-1, 3)
    picture = truth + 0.3
    found = squared_errors(picture, [truth + noise[0], truth + noise[1]])
    assert abs(float(found.mean()) - 0.09) < 0.01
    picture = truth + 0.5 * noise[0]
    found = squared_errors(picture, [truth + noise[1]], [truth + noise[0]])
    assert abs(float(found.mean()) - 0.25) < 0.01


def test_a_ratio_and_its_standard_error_by_hand():
    """Mean 2 over an expected 4; the root mean square is 4, over √4 pixels and 4."""
    ratio, standard_error = ratio_to_expected(torch.tensor([8.0, 0.0, 0.0, 0.0]), torch.full((4,), 4.0))
    assert (ratio, standard_error) == pytest.approx((0.5, 0.5))
    assert math.isnan(ratio_to_expected(torch.ones(4), torch.zeros(4))[0])


def test_a_factor_is_one_until_passes_agree_that_it_is_more():
    factor = ErrorFactor()
    assert factor.value() == pytest.approx(1.0)
    factor.observe(math.nan, math.nan)
    factor.observe(-30.0, 60.0)
    assert factor.value() == pytest.approx(1.0, rel=0.1)
    for _ in range(6):
        factor.observe(9.0, 0.5)
        factor.drift()
    assert 4.0 < factor.value() < 9.0
    before = factor.value()
    factor.observe(1000.0, 10.0)  # what no pass said before
    assert factor.value() == pytest.approx(before, rel=0.4)


def test_a_pass_that_found_nothing_says_little():
    """It may have missed what is rare; one that found much has not."""
    low, high = ErrorFactor(), ErrorFactor()
    low.observe(0.01, 0.01)
    high.observe(4.0, 0.01)
    assert 0.7 < low.value() < 1.0
    assert high.value() > 1.3


def test_a_drift_makes_what_was_known_less_sure():
    sure, drifted = ErrorFactor(), ErrorFactor()
    for factor in (sure, drifted):
        for _ in range(5):
            factor.observe(4.0, 0.2)
    for _ in range(99):
        drifted.drift()
    for factor in (sure, drifted):
        for _ in range(5):
            factor.observe(0.5, 0.1)
    assert drifted.value() < 0.9 * sure.value()


def test_where_nothing_was_learned_before_a_pass_counts_for_more():
    trained, untrained = ErrorFactor(), ErrorFactor(UNTRAINED_PRIOR)
    assert untrained.value() == pytest.approx(9.0, rel=0.01)
    for factor in (trained, untrained):
        factor.observe(40.0, 0.5)
    assert untrained.value() > 2 * trained.value()
