from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from relightflow.model.catalog import Price
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import DAY, Allowance, Charge, Kind, SpendLimit, allowance, span
from relightflow.run.limits.account import Account, OpenCall
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.spend import (
    NOTHING_TO_BUY,
    account,
    count_by_server,
    highest_cost,
    highest_rise,
    names_of,
    reached,
    shared_limits,
    spending,
    with_recipe_limits,
)
from tests.run.limits.test_consent import plan

PRICE = 50_000
GLOW = ("studio", "glow")
CALL = OpenCall(PRICE, GLOW)
NOW = 1_800_000_000.0
CAP = SpendLimit(1_000_000, "limits.max_cost")
WEEK = SpendLimit(1_000_000, "--budget", 7 * DAY)
MINE = frozenset({"spring"})


def charge(
    number: int, kind: Kind = Kind.SPENT, recipe: str = "spring", at: float = NOW - 60
) -> Charge:
    return Charge(number, recipe, "studio", "glow", at, kind, PRICE, None, PRICE)


def test_a_recipe_has_all_names_of_its_file_and_all_files_of_its_names() -> None:
    known = [
        ("spring", "/a.yaml"), ("summer", "/a.yaml"), ("summer", "/b.yaml"),
        ("other", "/c.yaml"), ("rebuilt", ""), ("lost", ""),
    ]  # fmt: skip
    assert names_of(("spring", "/new.yaml"), known) == {"spring", "summer"}
    assert names_of(("autumn", "/b.yaml"), known) == {"autumn", "spring", "summer"}
    assert names_of(("lost", ""), known) == {"lost"}


def test_a_cap_counts_what_the_recipe_ever_cost_and_whatever_nobody_knows() -> None:
    charges = [
        charge(1, at=0), charge(2, Kind.UNKNOWN), charge(3, Kind.IN_FLIGHT), charge(4, Kind.ADOPTED),
        charge(5, recipe="other"), charge(6, Kind.UNKNOWN, "other"), charge(7, recipe=""),
    ]  # fmt: skip
    found = account(CAP, charges, MINE, NOW)
    assert (found.spent, found.committed()) == (3 * PRICE, 5 * PRICE)
    assert found.counted == {2, 3}


def test_a_budget_counts_all_recipes_of_the_window_and_what_is_in_flight() -> None:
    charges = [
        charge(1, at=NOW - 8 * DAY), charge(2, Kind.IN_FLIGHT, at=NOW - 8 * DAY),
        charge(3, at=NOW - 6 * DAY), charge(4, Kind.UNKNOWN, "other"), charge(5, Kind.ADOPTED),
    ]  # fmt: skip
    found = account(WEEK, charges, MINE, NOW)
    assert (found.spent, found.committed()) == (PRICE, 3 * PRICE)
    assert found.frees_at == NOW + DAY


@pytest.mark.parametrize("wrong", [0.0, NOW + 400 * DAY])
def test_a_clock_that_was_wrong_frees_nothing(wrong: float) -> None:
    charges = [charge(1, at=NOW - DAY), charge(2, at=wrong), charge(3, at=NOW - 60)]
    assert account(WEEK, charges, MINE, NOW).spent == 3 * PRICE


@pytest.mark.parametrize("local", [-400 * DAY, -8 * DAY, 8 * DAY, 400 * DAY])
def test_a_budget_goes_by_the_provider_s_clock_once_it_is_heard(local: float) -> None:
    """This machine's clock is wrong by `local` now, and was not when the calls were made; an unknown
    call of eight days ago counts no more, one of yesterday does."""
    charges = [
        charge(n, kind, at=at)._replace(server=at)
        for n, kind, at in (
            (1, Kind.SPENT, NOW - 8 * DAY), (2, Kind.UNKNOWN, NOW - 8 * DAY),
            (3, Kind.SPENT, NOW - DAY), (4, Kind.UNKNOWN, NOW - DAY), (5, Kind.IN_FLIGHT, NOW),
        )
    ]  # fmt: skip
    found = account(WEEK, charges, MINE, NOW + local)
    budget = Budget(Price(PRICE, PRICE), [found], 0, dict.fromkeys((2, 4, 5), GLOW), GLOW)
    assert budget.reserve("job")
    count_by_server(budget, NOW)
    assert (found.spent, found.unknown[CALL], found.in_flight[CALL]) == (PRICE, 1, 2)
    assert found.frees_at == NOW + 6 * DAY
    budget.resume(PRICE, 2)
    budget.settle(PRICE, None, 2)
    assert found.spent == PRICE
    budget.resume(PRICE, 4)
    budget.settle(PRICE, None, 4)
    assert found.spent == 2 * PRICE


def test_a_call_of_a_wrong_clock_counts_when_the_provider_says_it_was_made() -> None:
    charges = [
        charge(1, at=NOW - 30 * DAY)._replace(server=NOW - DAY),
        charge(2, at=NOW - 30 * DAY),
    ]
    found = account(WEEK, charges, MINE, NOW)
    count_by_server(Budget(Price(PRICE, PRICE), [found]), NOW)
    assert found.spent == 2 * PRICE, "one that no clock tells is not older than the one before it"


@pytest.mark.parametrize("ahead", [0, 1])
def test_of_several_providers_the_earliest_clock_holds(ahead: int) -> None:
    found = account(WEEK, [charge(1)._replace(server=NOW - 60)], MINE, NOW)
    budget = Budget(Price(PRICE, PRICE), [found])
    times = [NOW, NOW]
    times[ahead] = NOW + 30 * DAY
    for told in times:
        count_by_server(budget, told)
    assert found.spent == PRICE


def test_a_cap_has_no_clock() -> None:
    found = account(CAP, [charge(1, at=0.0)], MINE, NOW)
    count_by_server(Budget(Price(PRICE, PRICE), [found]), NOW)
    assert found.spent == PRICE


def test_the_highest_cost_is_the_model_s_own_and_what_was_billed_here() -> None:
    charges = [
        charge(1)._replace(cost=75_000), charge(2)._replace(cost=99_000, model="dim"),
        charge(3, Kind.ADOPTED)._replace(cost=99_000), charge(4),
    ]  # fmt: skip
    assert highest_cost(charges, "studio", "glow") == 75_000
    assert highest_cost([], "studio", "glow") == 0
    assert highest_rise(charges, "studio", "glow") == Fraction(75_000, PRICE)
    dearer = [charge(1)._replace(cost=75_000, price=75_000)]
    assert highest_rise(dearer, "studio", "glow") == 1, "it was a larger image"


def test_all_limits_hold_those_of_the_recipe_as_well() -> None:
    recipe = plan().recipe
    limits = replace(recipe.limits, max_cost=5, budget=Allowance(7, 60.0))
    found = with_recipe_limits(RunOptions((CAP,)), replace(recipe, limits=limits))
    assert found.limits == (
        CAP, SpendLimit(5, "limits.max_cost"), SpendLimit(7, "limits.budget", 60.0)
    )  # fmt: skip


def test_a_command_s_cap_is_for_its_recipes_together() -> None:
    pairs = [("a", "/a.yaml"), ("b", "/b.yaml")]
    cap, week = shared_limits((CAP, WEEK), pairs, 400_000)
    assert (cap.amount, cap.together, week) == (600_000, tuple(pairs), WEEK)


def test_a_limit_that_is_reached_says_what_was_spent_when_and_what_to_raise() -> None:
    days = [charge(n, at=NOW - n * DAY) for n in range(5, 0, -1)]
    found = account(replace(CAP, amount=5 * PRICE), days, MINE, NOW)
    shop = Budget(Price(PRICE, PRICE), [found])
    assert reached(shop) == (
        "the cap of 0.25 USD (limits.max_cost) is what this recipe may cost in total, and it "
        "does not allow one more call of up to 0.05 USD; nothing more was sent. It has cost: "
        "0.10 before "
        "2027-01-12, 0.05 on 2027-01-12, 0.05 on 2027-01-13, 0.05 on 2027-01-14. Raise "
        "limits.max_cost to continue"
    )


def test_a_budget_that_is_used_up_says_when_it_is_free_again() -> None:
    found = account(replace(WEEK, amount=PRICE), [charge(1, at=NOW - DAY)], MINE, NOW)
    said = reached(Budget(Price(PRICE, PRICE), [found]))
    assert "the budget of 0.05 USD in 7 days (--budget)" in said
    assert "becomes available at 2027-01-21 08:00 UTC" in said


def test_without_a_cap_the_message_says_so() -> None:
    shop = Budget(Price(PRICE, PRICE), [Account(SpendLimit(0, NOTHING_TO_BUY))])
    assert "no cap was given" in reached(shop)


def test_spending_is_summed_by_recipe_model_day_and_month() -> None:
    charges = [
        charge(1)._replace(cost=0), charge(2, recipe="other", at=NOW - 40 * DAY),
        charge(3, Kind.UNKNOWN, "other"), charge(4, Kind.ADOPTED, "other"),
    ]  # fmt: skip
    found = spending(charges)
    assert [(row.name, row.calls, row.counted) for row in found.recipes] == [
        ("other", 2, 3 * PRICE), ("spring", 1, PRICE)
    ]  # fmt: skip
    assert [row.name for row in found.models] == ["studio glow"]
    assert [row.name for row in found.months] == ["2026-12", "2027-01"]
    assert [row.name for row in found.days] == ["2026-12-06", "2027-01-15"]
    total = found.total
    assert (total.spent, total.unknown, total.adopted) == (PRICE, PRICE, PRICE)


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [
        ("20/7d", 20_000_000, 7 * DAY),
        ("0.5/d", 500_000, DAY),
        ("5/12h", 5_000_000, 43_200.0),
        ("1/2w", 1_000_000, 14 * DAY),
    ],
)
def test_a_budget_is_an_amount_and_a_window(text: str, amount: int, seconds: float) -> None:
    assert allowance(text) == Allowance(amount, seconds)


@pytest.mark.parametrize(
    "text", ["", "20", "20/", "20/7", "20/0d", "20/7m", "-1/7d", "nan/7d", "1e3/7d"]
)
def test_anything_else_is_no_budget(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid budget"):
        allowance(text)


def test_a_window_is_told_in_its_largest_unit() -> None:
    assert [span(s) for s in (7 * DAY, 43_200, 60, 1.5)] == [
        "7 days", "12 hours", "1 minute", "1.5 seconds"
    ]  # fmt: skip


def test_paths_of_recipes_are_absolute(tmp_path: Path) -> None:
    from relightflow.run.limits.spend import identity

    assert Path(identity(plan().recipe)[1]).is_absolute()
