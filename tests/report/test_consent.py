from dataclasses import replace

from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.plan import Plan
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


def test_without_a_price_it_is_told_whose_is_missing_and_what_to_type(several: Plan) -> None:
    first, free, dear = several.recipe.backends
    dear = replace(dear, model=replace(dear.model, price=None))
    said = no_price(replace(several.recipe, more_backends=(free, dear)), TYPED)
    assert said == (
        "spring: the price of 'glare' (best) is unknown, so nothing was sent. Set the highest price of one "
        "call; the other backends keep their own:\n  relightflow run 'my recipe.yaml' --price USD"
    )
    first = replace(first, model=replace(first.model, price=None))
    both = no_price(replace(several.recipe, backend=first, more_backends=(dear,)), TYPED)
    assert f"the price of '{first.model.name}' (studio) and of 'glare' (best) is unknown" in both
    assert "price of one call, whichever model is dearest:\n" in both
