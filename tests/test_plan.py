from luxel.experiments.experiment import EXPERIMENTS
from luxel.ledger.plan import PlannedRun, planned_runs


def test_whole_comparisons_come_first():
    runs = planned_runs(["tanh", "use_exp", "tanh"], "tiny", 2)
    assert [(run.name, run.seed) for run in runs] == [("tanh", 0), ("use_exp", 0), ("tanh", 1), ("use_exp", 1)]


def test_a_seed_changes_weights_and_order_but_not_the_data():
    one, two = PlannedRun("tanh", "tiny", 0), PlannedRun("tanh", "tiny", 1)
    assert one.experiment == EXPERIMENTS["tanh"].make("tiny")
    assert two.experiment.train.seed == 1
    assert one.data == two.data
    assert one.folder != two.folder
