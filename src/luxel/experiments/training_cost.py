"""What training an experiment takes, for two of them to be compared by."""

from functools import cache

from luxel.experiments.experiment import EXPERIMENTS, Scale
from luxel.models.cost import Cost, cost_by_part
from luxel.models.model_types import ModelConfig, model_of


def relative_training_cost(name: str, base: str, scale: Scale) -> float:
    """Operations of an experiment's training over those of another's: of its network, times the images it sees."""
    return training_operations(name, scale) / training_operations(base, scale)


def training_operations(name: str, scale: Scale) -> int:
    """Floating-point operations of all forward passes; backward ones are in proportion."""
    experiment = EXPERIMENTS[name].make(scale)
    return picture_operations(experiment.model) * experiment.train.samples


@cache
def picture_operations(config: ModelConfig) -> int:
    """Floating-point operations of one picture."""
    return sum(cost_by_part(model_of(config)).values(), Cost()).flops
