from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.catalog import Price
from relightflow.model.spending import SpendLimit
from relightflow.run.limits.account import Account, OpenCall
from relightflow.run.limits.budget import Budget, Room

LIST = 100


def budget(cap: int, spent: int = 0, highest: int = 0, price: int = LIST) -> Budget:
    account = Account(SpendLimit(cap, "--max-cost"), spent)
    return Budget(Price(price, price), [account], highest)


def buy(shop: Budget, costs: list[int | None], width: int, choose: list[int]) -> int:
    """As a run does it: at most `width` calls in flight, which end in any order. Gives the bill."""
    flight: list[str] = []
    billed = 0
    left = list(range(len(costs)))
    while left or flight:
        full = len(flight) == width or not left
        if not full and shop.reserve(str(left[0])):
            flight.append(str(left.pop(0)))
            continue
        if not flight:
            break
        key = flight.pop((choose or [0])[len(left) % len(choose or [0])] % len(flight))
        cost = costs[int(key)]
        billed += LIST if cost is None else cost
        shop.settle(LIST, cost)
        shop.ended(key)
    return billed


bought = st.lists(st.one_of(st.none(), st.integers(0, 150)), max_size=60)


@given(
    cap=st.integers(0, 3000),
    costs=bought,
    width=st.integers(1, 40),
    choose=st.lists(st.integers(0, 50), max_size=9),
)
def test_the_cap_is_passed_by_no_more_than_a_call_that_was_made_alone_and_dearer_than_all_before(
    cap: int, costs: list[int | None], width: int, choose: list[int]
) -> None:
    billed = buy(budget(cap), costs, width, choose)
    assert billed <= max(cap, 0) + LIST // 2
    if billed > cap:
        dearest = max(LIST if cost is None else cost for cost in costs)
        assert dearest > LIST


@given(cap=st.integers(150, 3000), cost=st.integers(0, 150), width=st.integers(1, 40))
def test_calls_that_all_cost_more_than_announced_never_pass_the_cap(
    cap: int, cost: int, width: int
) -> None:
    shop = budget(cap)
    assert buy(shop, [cost] * 60, width, [0]) <= cap
    assert shop.accounts[0].spent <= cap


@given(cap=st.integers(0, 3000), width=st.integers(1, 40))
def test_a_cap_buys_all_that_fits_at_the_price_list(cap: int, width: int) -> None:
    assert buy(budget(cap), [LIST] * 60, width, [0]) == min(60, cap // LIST) * LIST


def test_fewer_calls_are_in_flight_the_nearer_the_cap() -> None:
    shop = budget(1600)
    flight = 0
    while shop.reserve(str(flight)):
        flight += 1
    assert flight == 10  # × 150, and not 16 × 100
    assert shop.room() is Room.LATER


sizes = st.lists(st.integers(1, 12), min_size=1, max_size=60)
"""Megapixels: prices from 100 to 1,200."""


def buy_sizes(shop: Budget, sizes: list[int], width: int, times: list[float]) -> tuple[int, int]:
    """As a run does it, in order: the bill, and how many were bought. `times`: what the calls cost, of their
    own prices."""
    flight: list[int] = []
    billed = bought = 0
    for number, size in enumerate(sizes):
        price = Price(LIST * size // 2, LIST * size)
        while len(flight) == width or not shop.reserve(str(number), price):
            if not flight:
                return billed, bought
            first = flight.pop(0)
            cost = round(LIST * sizes[first] * times[first % len(times)])
            billed, bought = billed + cost, bought + 1
            shop.settle(LIST * sizes[first], cost)
            shop.ended(str(first))
        flight.append(number)
    for first in flight:
        cost = round(LIST * sizes[first] * times[first % len(times)])
        billed, bought = billed + cost, bought + 1
        shop.settle(LIST * sizes[first], cost)
        shop.ended(str(first))
    return billed, bought


def of_sizes(cap: int, sizes: list[int], rise: Fraction = Fraction(1)) -> Budget:
    price = Price(LIST * min(sizes) // 2, LIST * max(sizes))
    return Budget(price, [Account(SpendLimit(cap, "--max-cost"))], rise=rise)


@given(
    cap=st.integers(0, 9000),
    sizes=sizes,
    times=st.lists(st.floats(0.5, 1.0), min_size=1, max_size=9),
    width=st.integers(1, 32),
)
def test_calls_of_mixed_sizes_never_pass_the_cap(
    cap: int, sizes: list[int], times: list[float], width: int
) -> None:
    assert buy_sizes(of_sizes(cap, sizes), sizes, width, times)[0] <= cap


@given(
    cap=st.integers(1800, 9000), sizes=sizes, times=st.floats(1.0, 1.5), width=st.integers(2, 32)
)
def test_calls_of_mixed_sizes_that_all_cost_more_than_announced_never_pass_the_cap(
    cap: int, sizes: list[int], times: float, width: int
) -> None:
    """But for the last, made alone, and dearer than any before it."""
    billed, bought = buy_sizes(of_sizes(cap, sizes), sizes, width, [times])
    assert billed <= cap or bought <= 1


def test_each_call_is_reserved_at_its_own_price() -> None:
    sizes = [1] * 10 + [12]
    assert buy_sizes(of_sizes(2200, sizes), sizes, 1, [1.0]) == (2200, 11)
    assert buy_sizes(of_sizes(2199, sizes), sizes, 1, [1.0]) == (1000, 10)


def test_what_a_call_cost_above_its_own_price_raises_all_others() -> None:
    shop = of_sizes(10_000, [1, 12])
    assert shop.reserve("a", Price(50, 100))
    assert not shop.settle(100, 140).overcharged
    shop.ended("a")
    assert (shop.expected(1200), shop.highest, shop.planned) == (1680, 1680, 1200)
    assert shop.reserve("b", Price(600, 1200))
    assert shop.settle(1200, 1801).overcharged
    assert of_sizes(1000, [4], Fraction(3, 2)).room() is Room.YES
    assert of_sizes(599, [4], Fraction(3, 2)).room() is Room.NO, "as earlier runs have seen it"


moves = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "release", "hold", "resume"]), st.integers(0, 50)
    ),
    max_size=80,
)


@given(cap=st.integers(0, 2000), moves=moves)
def test_no_sequence_of_calls_at_the_price_list_passes_the_cap(
    cap: int, moves: list[tuple[str, int]]
) -> None:
    shop, account = budget(cap), None
    account = shop.accounts[0]
    flight = parked = real = 0
    for number, (move, _) in enumerate(moves):
        if move == "reserve":
            flight += shop.reserve(str(number))
        elif move == "resume" and parked:
            parked, flight = parked - 1, flight + 1
            shop.resume(LIST)
        elif flight and move != "resume":
            flight -= 1
            if move == "settle":
                shop.settle(LIST, LIST)
                real += LIST
            elif move == "release":
                shop.release(LIST)
            else:
                shop.hold(LIST)
                parked += 1
        assert account.spent == real
        assert account.committed() == real + (flight + parked) * LIST <= cap


@given(
    cap=st.integers(0, 3000), earlier=st.integers(0, 40), cost=st.integers(0, 150),
    width=st.integers(1, 40),
)  # fmt: skip
def test_calls_of_unknown_cost_pass_the_cap_by_no_more_than_a_price_where_all_are_dearer(
    cap: int, earlier: int, cost: int, width: int
) -> None:
    """Each run ends with all of its calls unknown; in the end they all turn out to cost `cost`."""
    account = Account(SpendLimit(cap, "--max-cost"))
    held = 0
    for _ in range(earlier + 1):
        shop = Budget(Price(LIST, LIST), [account])
        flight = [key for key in map(str, range(width)) if shop.reserve(key)]
        for key in flight:
            shop.hold(LIST)
            shop.ended(key)
        held += len(flight)
    assert held * cost <= cap + LIST


def test_one_unknown_outcome_leaves_an_exact_cap_usable_and_two_do_not() -> None:
    account = Account(SpendLimit(3 * LIST, "--max-cost"), spent=LIST)
    account.unknown[OpenCall(LIST)] = 1
    assert Budget(Price(LIST, LIST), [account]).left == LIST
    account.spent, account.unknown[OpenCall(LIST)] = 0, 2
    shop = Budget(Price(LIST, LIST), [account])
    assert (shop.left, shop.room()) == (LIST // 2, Room.NO)


@pytest.mark.parametrize("cost", [None, math.nan, math.inf, -math.inf, -1, -0.5])
def test_a_cost_that_is_none_counts_as_the_highest_price(cost: float | None) -> None:
    shop = budget(1000, highest=120)
    settled = shop.settle(LIST, cost)
    assert (settled.cost, settled.overcharged) == (120, False)
    assert (shop.accounts[0].spent, shop.spent) == (120, LIST)


@pytest.mark.parametrize("cost", [0, 1e-9, 1, 99])
def test_a_cost_below_the_price_list_counts_as_the_list_s_and_is_shown_as_reported(
    cost: float,
) -> None:
    shop = budget(1000)
    shop.settle(LIST, cost)
    assert (shop.accounts[0].spent, shop.spent) == (LIST, math.ceil(cost))


def test_within_a_price_range_a_cost_counts_as_it_is() -> None:
    shop = Budget(Price(10, LIST), [Account(SpendLimit(1000, "--max-cost"))])
    shop.settle(LIST, 20)
    shop.settle(LIST, 5)
    assert shop.accounts[0].spent == 20 + 10


@pytest.mark.parametrize(("cost", "over"), [(100, False), (150, False), (151, True)])
def test_more_than_half_as_much_again_is_an_overcharge(cost: int, over: bool) -> None:
    assert budget(1000).settle(LIST, cost).overcharged is over


def test_what_is_in_flight_counts_at_the_highest_cost_seen() -> None:
    shop = budget(1000)
    for key in "abc":
        assert shop.reserve(key)
    shop.settle(LIST, 140)
    shop.ended("a")
    assert shop.highest == 140
    assert shop.left == 1000 - 3 * 140


def test_something_free_is_allowed_when_the_cap_is_reached() -> None:
    assert budget(10, spent=10, price=0).reserve("a")
    assert budget(10, spent=10).room() is Room.NO
    assert budget(10, price=0).settle(0, 1).overcharged


def test_every_limit_holds_and_the_tightest_is_named() -> None:
    cap, week = SpendLimit(1000, "--max-cost"), SpendLimit(300, "--budget", 7 * 86_400)
    shop = Budget(Price(LIST, LIST), [Account(cap), Account(week, spent=150)])
    assert shop.tightest
    assert shop.tightest.limit is week
    assert shop.reserve("a")
    assert not shop.reserve("b")


def test_an_earlier_attempt_counts_only_where_it_did() -> None:
    mine = Account(SpendLimit(1000, "--max-cost"), counted=frozenset({1}))
    all_of_them = Account(SpendLimit(1000, "--budget", 60), counted=frozenset({1, 2}))
    for account, calls in ((mine, 1), (all_of_them, 2)):
        account.unknown[OpenCall(LIST)] = calls
    shop = Budget(
        Price(LIST, LIST), [mine, all_of_them], earlier=dict.fromkeys((1, 2, 3), ("", ""))
    )
    for attempt in (2, 3):
        shop.resume(LIST, attempt)
        shop.settle(LIST, LIST, attempt)
    assert (mine.spent, mine.committed()) == (0, LIST)
    assert (all_of_them.spent, all_of_them.committed()) == (LIST, 2 * LIST)


def test_without_a_limit_everything_is_allowed() -> None:
    shop = Budget(Price(LIST, 10**12))
    assert shop.reserve("a")
    assert (shop.left, shop.cap) == (None, None)


CHEAP, DEAR = ("one", "cheap"), ("other", "dear")


def beside(cap: int, highest: int = 0) -> tuple[Budget, Budget]:
    """Two models that are bought in one run, for 10 and 100."""
    account = Account(SpendLimit(cap, "--max-cost"))
    cheap = Budget(Price(10, 10), [account], model=CHEAP)
    return cheap, Budget(Price(100, 100), highest=highest, model=DEAR, beside=cheap)


def test_two_models_have_one_cap_and_each_its_own_price() -> None:
    cheap, dear = beside(110)
    assert cheap.reserve("a")
    cheap.settle(10, 10)
    cheap.ended("a")
    assert dear.reserve("b"), "a cap of exactly both prices buys both"
    dear.settle(100, 100)
    dear.ended("b")
    assert (cheap.spent, dear.spent) == (110, 110)
    assert (cheap.room(), dear.room()) == (Room.NO, Room.NO)


def test_a_call_in_flight_counts_at_its_own_model_s_cost_whoever_asks() -> None:
    cheap, dear = beside(1000, highest=120)
    assert cheap.reserve("a")
    assert dear.reserve("b")
    assert cheap.committed(cheap.accounts[0]) == dear.committed(dear.accounts[0]) == 130
    cheap.settle(10, 30)
    assert (cheap.highest, dear.highest) == (30, 120), (
        "a dear call of one says nothing of the other"
    )


def test_what_does_not_fit_for_one_model_may_fit_for_the_other() -> None:
    cheap, dear = beside(60)
    assert (cheap.room(), dear.room()) == (Room.YES, Room.NO)


def test_a_share_stops_its_own_model_and_never_raises_the_cap() -> None:
    account = Account(SpendLimit(250, "limits.max_cost"))
    share = Account(SpendLimit(100, "backend[1].limits.max_cost"))
    free = Budget(model=CHEAP, accounts=[account])
    dear = Budget(Price(100, 100), model=DEAR, beside=free, share=share)
    assert dear.reserve("a")
    dear.settle(100, 100)
    dear.ended("a")
    assert (share.spent, account.spent) == (100, 100)
    assert dear.room() is Room.NO
    assert dear.tightest is share
    assert dear.tightest_of_all is account
    third = Budget(Price(100, 100), model=("third", "m"), beside=free)
    assert third.room() is Room.YES


def test_an_attempt_of_an_earlier_run_is_settled_as_its_own_model_s() -> None:
    account = Account(SpendLimit(1000, "--max-cost"), counted=frozenset({7}))
    account.unknown[OpenCall(100, DEAR)] = 1
    cheap = Budget(Price(10, 10), [account], earlier={7: DEAR}, model=CHEAP)
    dear = Budget(Price(100, 100), model=DEAR, beside=cheap)
    cheap.resume(100, 7)
    cheap.settle(100, 150, 7)
    assert (account.spent, account.committed()) == (150, 150)
    assert (cheap.highest, dear.highest) == (10, 150)


@given(
    cap=st.integers(0, 3000),
    share=st.none() | st.integers(0, 800),
    choices=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.integers(0, 150)), min_size=1, max_size=60
    ),
)
def test_no_mixture_of_two_models_passes_a_cap_or_a_share(
    cap: int, share: int | None, choices: list[tuple[bool, bool, int]]
) -> None:
    """Calls of either model begin and end in any order, and each costs up to 1.5 × its price: what is passed
    is passed by the last call that is made alone, and by no call that costs what it should."""
    account = Account(SpendLimit(cap, "--max-cost"))
    own = None if share is None else Account(SpendLimit(share, "backend[1].limits.max_cost"))
    cheap = Budget(Price(10, 10), [account], model=CHEAP)
    dear = Budget(Price(100, 100), model=DEAR, beside=cheap, share=own)
    flight: list[tuple[Budget, str]] = []
    billed = {CHEAP: 0, DEAR: 0}
    dearer = False
    for number, (begins, is_dear, percent) in enumerate(choices):
        shop = dear if is_dear else cheap
        if begins and shop.reserve(str(number)):
            flight.append((shop, str(number)))
        elif flight:
            shop, key = flight.pop(percent % len(flight))
            cost = shop.price.high * percent // 100
            shop.settle(shop.price.high, cost)
            shop.ended(key)
            billed[shop.model] += cost
            dearer = dearer or percent > 100
        above = 50 if dearer else 0
        assert sum(billed.values()) <= cap + above
        assert share is None or billed[DEAR] <= share + above
        assert account.spent >= sum(billed.values())
