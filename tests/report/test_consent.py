from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import CostEstimate, LimitStatus
from relightflow.model.spending import SpendLimit
from relightflow.report.consent import no_limit, no_price, question, shortfall

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


def test_a_plan_dearer_than_the_cap_is_said_to_be_so() -> None:
    status = LimitStatus(SpendLimit(1_200_000, "limits.max_cost"), 200_000)
    dear = CostEstimate(32, Price(1_600_000, 1_600_000), (status,))
    assert shortfall(dear, "spring", 20) == (
        "spring: the plan costs 1.60 USD and the cap is 1.20 USD (limits.max_cost, 0.20 USD of it "
        "used). It will buy about 20 of 32 jobs and end with exit code 7"
    )
