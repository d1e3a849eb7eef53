"""`luxel evaluate`: metrics of a model over a test set."""

from luxel.cli.options import parsed


def evaluate(arguments: list[str]) -> int:
    """Metrics of a model over a test set: luxel evaluate MODEL."""
    from luxel.cli.evaluation import EvaluateOptions, evaluate_model

    return evaluate_model(parsed(EvaluateOptions, "luxel evaluate", arguments))
