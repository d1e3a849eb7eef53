import pytest
import torch

from luxel import InputError
from luxel.image.tonemap import TONE_MAPS, linear_to_srgb, tone_map


def test_srgb_matches_the_standard():
    linear = torch.tensor([0.0, 0.0031308, 0.2140411, 1.0])
    expected = torch.tensor([0.0, 0.0404499, 0.5, 1.0])
    torch.testing.assert_close(linear_to_srgb(linear), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", TONE_MAPS)
def test_every_tone_map_is_monotonic_and_in_range(name):
    radiance = torch.linspace(-1, 50, 997)[:, None].expand(-1, 3)
    display = tone_map(name)(radiance)
    assert display.min() >= 0
    assert display.max() <= 1
    assert (display.diff(dim=0) >= 0).all()


def test_reinhard_halves_one():
    torch.testing.assert_close(tone_map("reinhard")(torch.ones(1, 3)), linear_to_srgb(torch.full((1, 3), 0.5)))


def test_an_unknown_tone_map_names_those_there_are():
    with pytest.raises(InputError, match=r"filmic.*clamp, reinhard"):
        tone_map("filmic")
