import torch

from luxel.train.foreach import add_all, copy_all, lerp_all


def tensors(start: float) -> list[torch.Tensor]:
    """Of several formats and shapes, among them a number."""
    return [
        torch.full((2, 3), start),
        torch.full((5,), start, dtype=torch.bfloat16),
        torch.tensor(int(start)),
        torch.full((7,), start),
    ]


def test_every_target_becomes_its_source_in_its_own_format():
    targets, sources = (
        tensors(1.0),
        [torch.full((2, 3), 2.5).half(), torch.full((5,), 2.5), torch.tensor(9), torch.ones(7)],
    )
    copy_all(targets, sources)
    assert [target.dtype for target in targets] == [one.dtype for one in tensors(0.0)]
    assert [target.flatten()[0].item() for target in targets] == [2.5, 2.5, 9, 1]


def test_sums():
    targets = tensors(1.0)
    add_all(targets, [source.to(torch.float32) for source in tensors(4.0)[:2]] + tensors(4.0)[2:])
    assert [target.flatten()[0].item() for target in targets] == [5, 5, 5, 5]


def test_a_tenth_of_the_way_and_whole_numbers_all_of_it():
    targets = tensors(10.0)
    lerp_all(targets, tensors(20.0), 0.1)
    assert [round(target.flatten()[0].item(), 5) for target in targets] == [11, 11, 20, 11]


def test_a_weight_that_is_a_tensor_is_that_number():
    targets = [tensor for tensor in tensors(10.0) if tensor.dtype != torch.bfloat16]
    lerp_all(targets, [torch.full_like(target, 20) for target in targets], torch.tensor(0.1))
    assert [round(target.flatten()[0].item(), 5) for target in targets] == [11, 20, 11]


def test_parameters_are_changed_without_a_trace():
    weight = torch.nn.Parameter(torch.ones(3))
    copy_all([weight], [torch.zeros(3)])
    assert weight.is_leaf
    assert torch.equal(weight, torch.zeros(3))
