from luxel.experiments import EXPERIMENTS
from luxel.train.run_folder import differences


def test_the_demo_has_image_to_seq_the_better_start_and_first_hits():
    base, demo = (EXPERIMENTS[name].make("tiny").to_json() for name in ("standard_run", "demo"))
    model = [field for field, _, _ in differences(base, demo) if not field.startswith("data")]
    layers = [f"model.base_transformer.{name}" for name in ("layers", "shared")]
    assert model == [*layers, "model.start.kind", "model.image_to_seq", "model.first_hit_maps"]


def test_the_demo_fits_into_minutes():
    """At 40 traced and 60 trained images/s, half to two thirds of what two cores do, under ten minutes."""
    small = EXPERIMENTS["demo"].make("small")
    tracing, training = small.data.count / 40, small.train.samples / 60
    assert tracing + training < 600


def test_exact_first_hits_are_all_that_is_added():
    base, given = (EXPERIMENTS[name].make("small").to_json() for name in ("standard_run", "exact_first_hits"))
    assert differences(base, given) == [("model.first_hit_maps", False, True)]
