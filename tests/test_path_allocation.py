"""Paths of a picture: about as many as asked for in the mean, most where it has contrast."""

import pytest
import torch

from luxel.models.path_allocation import allocated_paths, local_contrast, paths_in_order

WIDTH, HEIGHT = 19, 11


def noisy(scenes: int = 1) -> torch.Tensor:
    return torch.rand(scenes, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(0))


def test_contrast_by_hand():
    """Beside 8 a pixel of 2 has a contrast of 0.75, on both sides of the edge; a black picture has none."""
    radiance = torch.tensor([[[2.0, 2.0, 2.0, 8.0, 8.0, 8.0]]])
    torch.testing.assert_close(local_contrast(radiance), torch.tensor([[[0.0, 0.0, 0.75, 0.75, 0.0, 0.0]]]))
    assert (local_contrast(torch.zeros(1, 3, 5)) == 0).all()


@pytest.mark.parametrize("spp", [1, 2, 3, 4, 5, 16, 37, 1 << 20])
def test_the_mean_is_what_is_asked_for(spp):
    paths = allocated_paths(noisy(3), spp).reshape(3, -1).double()
    assert paths.min() == max(min(2, spp), spp // (2 if spp < 8 else 4))
    mean = paths.mean(1)
    assert (mean <= spp).all()
    assert (mean >= 0.78 * spp).all()


@pytest.mark.parametrize(
    ("spp", "counts"),
    [
        (1, {1: 200}),
        (3, {2: 150, 3: 34, 12: 16}),  # 150 paths are saved, of which 16 pixels get 9 more each
        (4, {2: 150, 4: 30, 16: 20}),
        (7, {3: 150, 7: 30, 28: 20}),
        (8, {2: 100, 4: 60, 8: 20, 32: 14, 64: 6}),
        (100, {25: 100, 50: 60, 100: 20, 400: 14, 800: 6}),
    ],
)
def test_shares_of_200_pixels(spp, counts):
    paths = paths_in_order(200, spp)
    assert paths.tolist() == [number for number, pixels in counts.items() for _ in range(pixels)]


def test_an_edge_gets_most_of_the_paths():
    """Of a thin bright line on a slope, in units that are not to matter."""
    slope = torch.linspace(1, 1.2, WIDTH)[None, None, :, None].repeat(1, HEIGHT, 1, 3)
    slope[:, HEIGHT // 2, 3:6] = 9.0
    paths = allocated_paths(slope, 16).reshape(HEIGHT, WIDTH)
    edge = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    edge[HEIGHT // 2 - 1 : HEIGHT // 2 + 2, 2:7] = True
    assert paths[edge].min() == 64
    assert (paths[~edge] == 64).sum() == 5  # 20 of 209 pixels get more than is asked for, and the edge has 15
    assert (paths == 4).sum() == HEIGHT * WIDTH // 2
    assert (allocated_paths(slope * 1024, 16) == paths.flatten()).all()


def test_a_batch_is_its_scenes():
    pictures = noisy(2) * torch.tensor([1.0, 50.0])[:, None, None, None]
    alone = [allocated_paths(picture[None], 8) for picture in pictures]
    assert (allocated_paths(pictures, 8) == torch.cat(alone)).all()
