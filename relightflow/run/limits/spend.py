"""What counts against which limit: the ledger's charges become the accounts of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple

from relightflow.ledger.reader import Reader
from relightflow.model.catalog import Price
from relightflow.model.money import Micros, dollars
from relightflow.model.recipe import Recipe
from relightflow.model.reservation import model_id
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import Charge, Kind, Spending, SpendingRow, SpendLimit, span
from relightflow.run.limits.account import Account, OpenCall
from relightflow.run.limits.budget import Budget
from relightflow.run.shared.costs import NO_SPENDING, StoreSpending

NOTHING_TO_BUY = "there was nothing to buy"
"""The source of a limit that nobody set, because no purchase was in sight."""
_OPEN = (Kind.IN_FLIGHT, Kind.UNKNOWN)
_DAYS_TOLD = 3
_AS_LISTED = Fraction(1)


def with_recipe_limits(options: RunOptions, recipe: Recipe) -> RunOptions:
    """The operator's limits and the recipe's: all hold, so a recipe can only lower what may be spent."""
    limits = list(options.limits)
    if recipe.limits.max_cost is not None:
        limits.append(SpendLimit(recipe.limits.max_cost, "limits.max_cost"))
    if recipe.limits.budget is not None:
        allowance = recipe.limits.budget
        limits.append(SpendLimit(allowance.amount, "limits.budget", allowance.seconds))
    return replace(options, limits=tuple(dict.fromkeys(limits)))


def identity(recipe: Recipe) -> tuple[str, str]:
    """(name, file): either makes it the same recipe."""
    return recipe.name, str(recipe.path.resolve())


def names_of(recipe: tuple[str, str], known: Iterable[tuple[str, str]]) -> frozenset[str]:
    """All names of a recipe: its own, those that its file had, and those of the files that had one of
    them. Whoever changes the name or moves the file gets no second cap."""
    pairs = {pair for pair in known if pair[1]} | {recipe}
    names, files = {recipe[0]}, {recipe[1]} - {""}
    while True:
        more = {pair for pair in pairs if pair[0] in names or pair[1] in files}
        found = names | {name for name, _ in more}, files | {file for _, file in more if file}
        if found == (names, files):
            return frozenset(names)
        names, files = found


def highest_cost(charges: Iterable[Charge], backend: str, model: str) -> Micros:
    """The most that a call of the model was ever billed at in this state; 0: none was."""
    return max((c.cost or 0 for c in _billed(charges, (backend, model))), default=0)


def highest_rise(charges: Iterable[Charge], backend: str, model: str) -> Fraction:
    """How many times its own price a call of the model was ever billed at in this state; 1 at least."""
    found = (Fraction(c.cost or 0, c.price) for c in _billed(charges, (backend, model)) if c.price)
    return max((_AS_LISTED, *found))


def _billed(charges: Iterable[Charge], model: tuple[str, str]) -> Iterator[Charge]:
    for charge in charges:
        if charge.kind is Kind.SPENT and (charge.backend, charge.model) == model:
            yield charge


def account(
    limit: SpendLimit,
    charges: Sequence[Charge],
    names: frozenset[str],
    now: float,
    elsewhere: Sequence[Charge] = (),
) -> Account:
    """What counts against `limit`. `elsewhere`: calls of other machines; each in the order they were made.
    `names`: of the recipes that it is for; a call whose recipe the ledger does not know counts against all.
    `now`: Unix seconds, by the clock of `Charge.at`."""
    if limit.window is None:
        every = (*charges, *elsewhere)
        mine = [charge for charge in every if not charge.recipe or charge.recipe in names]
    else:
        mine = [c for some in (charges, elsewhere) for c in _within(limit.window, some, now)]
    done = [charge for charge in mine if charge.kind not in _OPEN]
    days: Counter[str] = Counter()
    for charge in done:
        days[_day(charge.at)] += charge.counted
    spent = sum(charge.counted for charge in done)
    return Account(
        limit=limit,
        spent=spent,
        in_flight=Counter(_open_call(c) for c in mine if c.kind is Kind.IN_FLIGHT),
        unknown=Counter(_open_call(c) for c in mine if c.kind is Kind.UNKNOWN),
        counted=frozenset(charge.attempt for charge in mine if charge.kind in _OPEN),
        days=tuple(sorted(days.items())),
        frees_at=min((c.at for c in done), default=now) + limit.window if limit.window else None,
        before=spent,
        charges=charges if limit.window else (),
        elsewhere=elsewhere if limit.window else (),
    )


def _open_call(charge: Charge) -> OpenCall:
    return OpenCall(charge.price, (charge.backend, charge.model))


def count_by_server(budget: Budget, now: float) -> None:
    """Count every window again by the provider's clock, which says `now` (Unix seconds): a wrong clock
    of this machine, now or when a call was made, neither frees nor holds anything. Of several providers the
    earliest clock holds, so that one whose clock is ahead frees nothing of another. To be called as
    soon as a provider is heard, before a call or an outcome."""
    for found in budget.accounts:
        if found.limit.window is not None:
            found.server_time = at = min(now, found.server_time)
            dated = [c._replace(at=c.at if c.server is None else c.server) for c in found.charges]
            budget.recount(found, account(found.limit, dated, frozenset(), at, found.elsewhere))


def _shared(
    limit: SpendLimit,
    charges: Sequence[Charge],
    names: frozenset[str],
    now: float,
    each: Micros,
    store: StoreSpending,
    model: str = "",
) -> Account:
    """The account of `limit`, or of the share of it that a shard has, for its own calls only. `each`: what
    an open call counts at, at least. `model`: the one that the limit, a cap, is for, as are the `charges`."""
    share = limit.share
    if share is None:
        windowed = limit.window is not None
        caps = store.caps_of(model) if model else store.caps
        found = account(limit, charges, names, now, store.windows if windowed else caps)
        found.names, found.model = None if windowed else names, model
        found.reserved = store.reserved_for(found.names, model)
        return found
    before = account(limit, [c for c in charges if c.attempt <= share.after], names, now)
    spent = before.committed(lambda call: max(call.price, each))
    amount = share.of(max(0, limit.amount - spent), limit)
    own = replace(limit, amount=amount, source=f"the share of {share.name} in {limit.source}")
    return account(own, [c for c in charges if c.attempt > share.after], names, now)


def _within(window: float, charges: Sequence[Charge], now: float) -> Iterator[Charge]:
    """What was bought in the last `window` seconds, and whatever is in flight. Results that others
    bought cost nothing here. A call is never taken for older than one made before it, and one from the
    future counts, so that a clock that was put back frees nothing."""
    latest = 0.0
    for charge in charges:
        if charge.at <= now:
            latest = max(latest, charge.at)
        recent = charge.at > now or latest > now - window
        if charge.kind is not Kind.ADOPTED and (recent or charge.kind is Kind.IN_FLIGHT):
            yield charge


class PricedModel(NamedTuple):
    """A model that a run may buy of."""

    backend: str
    name: str
    price: Price
    """Of a call."""
    by_size: bool = False
    """Whether each call has a price of its own, by the size of its image."""
    share: SpendLimit | None = None
    """What its calls alone may cost; None: all that the recipe may."""

    @property
    def pair(self) -> tuple[str, str]:
        return self.backend, self.name


def priced_models(recipe: Recipe, options: RunOptions) -> tuple[PricedModel, ...]:
    """What a run of the recipe may buy of. A call whose price nobody knows counts at the operator's."""
    unknown, models = options.price or 0, []
    parts = options.shares or (None,) * len(recipe.backends)
    for spec, part in zip(recipe.backends, parts, strict=True):
        cap, price = spec.limits.max_cost, spec.model.price or Price(unknown, unknown)
        source = f"backend[{spec.place}].limits.max_cost"
        share = None if cap is None else SpendLimit(cap, source, share=part)
        models.append(PricedModel(*spec.pair, price, bool(spec.model.by_size), share))
    return tuple(models)


def open_budgets(
    reader: Reader,
    recipe: tuple[str, str],
    limits: Sequence[SpendLimit],
    models: Sequence[PricedModel],
    now: float,
    store: StoreSpending = NO_SPENDING,
) -> tuple[Budget, ...]:
    """A budget for each model, over the same accounts, as earlier runs left them, and other machines
    (`store`)."""
    charges, known = reader.charges(), reader.recipes()
    highest = [
        highest_cost(charges, *model.pair) if model.price.high and not model.by_size else 0
        for model in models
    ]
    rises = [highest_rise(charges, *m.pair) if m.by_size else None for m in models]
    worth = [
        max(math.ceil(m.price.high * (rise or 1)), high)
        for m, high, rise in zip(models, highest, rises, strict=True)
    ]
    accounts = []
    for limit in limits:
        names = frozenset().union(
            *(names_of(one, known) for one in (recipe, *limit.together)), {recipe[0]}
        )
        accounts.append(_shared(limit, charges, names, now, max(worth), store))
    earlier = {
        c.attempt: (c.backend, c.model) for c in (*charges, *store.windows) if c.kind in _OPEN
    }
    mine = names_of(recipe, known)
    budgets: list[Budget] = []
    for model, high, rise, each in zip(models, highest, rises, worth, strict=True):
        share = None
        if model.share:
            own = [c for c in charges if (c.backend, c.model) == model.pair]
            share = _shared(model.share, own, mine, now, each, store, model_id(*model.pair))
        beside = budgets[0] if budgets else None
        budgets.append(
            Budget(model.price, accounts, high, earlier, model.pair, beside, share, rise)
        )
    return tuple(budgets)


def not_again(budget: Budget, price: Micros, attempt: int) -> str:
    """Why a held call may not be sent again under its name now; empty: it may. The provider bills a name
    once, and does so now where the call never arrived."""
    if budget.overcharged:
        return "a call cost more than its price in this run, and nothing more is sent"
    tight = budget.sends_again(price, attempt)
    if tight is None or tight.limit.source == NOTHING_TO_BUY:  # agreed to when it was made
        return ""
    limit = tight.limit
    return (
        f"it may be made only now, for up to {dollars(max(price, budget.expected(price)))} USD, which "
        f"{limit.source} ({dollars(limit.amount)} USD) does not allow"
    )


def reached(budget: Budget, price: Price | None = None) -> str:
    """Why no more is bought: what was spent when, and what to raise. `price`: of the next call; None: the
    dearest one's."""
    tight = budget.tightest
    most = dollars(budget.expected((price or budget.price).high))
    call = f"one more call of up to {most} USD"
    if tight is None or tight.limit.source == NOTHING_TO_BUY:
        return (
            f"a job must still be bought, for up to {most} USD, and no cap was "
            "given; nothing more was sent. Run again with --max-cost to allow it"
        )
    limit = tight.limit
    said = ", ".join(_when(tight, budget))
    if limit.window is None:
        whose = "this backend may cost in total in this recipe"
        if tight is not budget.share:
            whose = "this recipe may cost in total"
        return (
            f"the cap of {dollars(limit.amount)} USD ({limit.source}) is what {whose}, and it does not allow {call}; nothing more was sent. It has cost: "
            f"{said}. Raise {limit.source} to continue"
        )
    free = ""
    if tight.frees_at is not None and tight.before:
        free = f"; some of it becomes available at {_minute(tight.frees_at)}"
    return (
        f"the budget of {dollars(limit.amount)} USD in {span(limit.window)} ({limit.source}), for "
        f"all recipes of this state, does not allow {call}; nothing more was sent. Spent: "
        f"{said}{free}. "
        f"Wait, or raise {limit.source}"
    )


def _when(tight: Account, budget: Budget) -> Iterator[str]:
    days = tight.days[-_DAYS_TOLD:]
    earlier = tight.before - sum(amount for _, amount in days)
    if earlier:
        yield f"{dollars(earlier)} before {days[0][0]}"
    for day, amount in days:
        yield f"{dollars(amount)} on {day}"
    if tight.spent > tight.before:
        yield f"{dollars(tight.spent - tight.before)} in this run"
    for calls, words in ((tight.in_flight, "in flight"), (tight.unknown, "unknown")):
        amount = sum(budget.worth(call) * number for call, number in calls.items())
        if amount:
            yield f"{dollars(amount)} {words}"
    if tight.reserved:
        yield f"{dollars(tight.reserved)} reserved or spent by other machines meanwhile"
    surcharge = tight.surcharge(budget.worth)
    if surcharge:
        yield f"{dollars(surcharge)} reserved, as each of several such calls may cost 1.5 × its price"
    if not budget.committed(tight):
        yield "nothing yet"


def spending(charges: Sequence[Charge]) -> Spending:
    """By recipe and model (the dearest first), by day and month (in order)."""

    def rows(names: Iterable[str], by_name: bool) -> tuple[SpendingRow, ...]:
        groups: dict[str, list[Charge]] = {}
        for name, charge in zip(names, charges, strict=True):
            groups.setdefault(name, []).append(charge)
        found = [_row(name, group) for name, group in sorted(groups.items())]
        return tuple(found if by_name else sorted(found, key=lambda row: -row.counted))

    return Spending(
        recipes=rows((charge.recipe for charge in charges), by_name=False),
        models=rows((f"{charge.backend} {charge.model}" for charge in charges), by_name=False),
        days=rows((_day(charge.at) for charge in charges), by_name=True),
        months=rows((_day(charge.at)[:7] for charge in charges), by_name=True),
        total=_row("", charges),
    )


def _row(name: str, charges: Iterable[Charge]) -> SpendingRow:
    sums: Counter[Kind] = Counter()
    calls = counted = 0
    for charge in charges:
        calls += charge.kind is not Kind.ADOPTED
        sums[charge.kind] += charge.reported
        counted += charge.counted
    return SpendingRow(
        name, calls, sums[Kind.SPENT], counted,
        sums[Kind.IN_FLIGHT], sums[Kind.UNKNOWN], sums[Kind.ADOPTED],
    )  # fmt: skip


def _day(at: float) -> str:
    return _moment(at).strftime("%Y-%m-%d")


def _minute(at: float) -> str:
    return _moment(at).strftime("%Y-%m-%d %H:%M UTC")


def _moment(at: float) -> datetime:
    """Clocks have been set to every year there is."""
    return datetime.fromtimestamp(min(max(at, 0.0), 253_402_300_799.0), UTC)


def shared_limits(
    limits: Sequence[SpendLimit], together: Sequence[tuple[str, str]], elsewhere: Micros
) -> tuple[SpendLimit, ...]:
    """The operator's limits where a command was given several recipes: a cap is for all of them.
    `elsewhere`: what those with another state have cost."""
    return tuple(
        limit
        if limit.window is not None
        else replace(limit, amount=max(limit.amount - elsewhere, 0), together=tuple(together))
        for limit in limits
    )
