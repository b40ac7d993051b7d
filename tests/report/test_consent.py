from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import CostEstimate
from relightflow.report.consent import no_limit, no_price, question

FOUND = CostEstimate(32, Price(1_000_000, 1_600_000))
TYPED = ("relightflow", "run", "my recipe.yaml")


def test_a_person_is_asked_with_the_price() -> None:
    assert question(FOUND, "spring") == "spring: buy 32 jobs for 1.00 to 1.60 USD?"


def test_nobody_to_ask_is_told_what_to_type() -> None:
    said = no_limit(FOUND, "spring", TYPED, 1_600_000)
    assert "32 jobs for 1.00 to 1.60 USD" in said
    assert said.endswith("\n  relightflow run 'my recipe.yaml' --max-cost 1.60")
    large = no_limit(FOUND, "spring", TYPED, 12_800_000_000)
    assert large.endswith(" --max-cost 12800.00")  # without a thousands mark
    assert no_price("spring", TYPED).endswith("--price USD")
