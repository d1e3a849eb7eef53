import pytest
import torch

from luxel.train.runtime import accelerator, autocast, seed_step


def draw(seed: int, step: int, rank: int) -> torch.Tensor:
    seed_step(seed, step, rank)
    return torch.rand(3)


def test_a_step_draws_the_same_again():
    assert torch.equal(draw(1, 2, 3), draw(1, 2, 3))


@pytest.mark.parametrize("other", [(2, 2, 3), (1, 3, 3), (1, 2, 0)])
def test_seed_step_and_rank_all_count(other):
    assert not torch.equal(draw(1, 2, 3), draw(*other))


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_precision_of_a_matrix_product(precision, dtype):
    with autocast(precision, torch.device("cpu")):
        product = torch.ones(2, 3) @ torch.ones(3, 5)
    assert product.dtype == dtype


def test_the_cpu_can_be_asked_for():
    assert accelerator(cpu=True).device.type == "cpu"
