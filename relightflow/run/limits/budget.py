"""Keeps what is spent, in flight and unknown under every limit, before each call and not after it.

A call counts at the highest cost ever seen for its model until its own cost is known; where the model is
charged by the size of the image, at its own price, times the most that a call ever cost above its own. Calls that are
made beside others count at 1.5 × the plan's price, the most that a run tolerates, so that no limit is
passed where costs rise while they are in flight; the nearer the limit, the fewer calls at a time. So do
the calls of earlier runs whose cost is not known yet, except one. A call that is made alone needs room
for the highest cost seen, so that a cap of exactly the plan's price buys the whole plan.

With a shared store, what other machines have reserved there counts too, and each call needs room in the
reservation of this run (`run.shared.reservation`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from relightflow.model.catalog import FREE, Price
from relightflow.model.money import Micros, valid_cost
from relightflow.model.spending import SpendLimit
from relightflow.run.limits.account import Account, OpenCall
from relightflow.run.limits.worth import CallWorth


class Room(Enum):
    YES = "yes"
    LATER = "later"
    """When calls in flight have ended there may be."""
    NO = "no"


@dataclass(frozen=True, slots=True)
class _SettledCost:
    """What a call is booked at."""

    cost: Micros
    overcharged: bool
    """True: more than 1.5 × the highest price of the plan; the run stops (exit 7)."""


_NO_ATTEMPTS: Mapping[int, tuple[str, str]] = {}


class Budget:
    """The limits of one run, for the calls of one model. Amounts in micro-dollars; one event loop, no
    locks. Models that are bought beside each other have a budget each, over the same accounts.

    `attempt` is the ledger's id of an attempt of an earlier run, which may count against some limits
    only; 0 or any other id is a call of this run. What was never set aside is not given back, so a
    mistake can only count too much.
    """

    _run: _RunSpending

    def __init__(
        self,
        price: Price = FREE,
        accounts: Iterable[Account] = (),
        highest: Micros = 0,
        earlier: Mapping[int, tuple[str, str]] = _NO_ATTEMPTS,
        model: tuple[str, str] = ("", ""),
        beside: Budget | None = None,
        share: Account | None = None,
        rise: Fraction | None = None,
    ) -> None:
        """`highest`: cost ever seen for the model. `earlier`: attempts of earlier runs, in flight or
        unknown, and their models; each counts where its account says so. `model`: (backend, model).
        `beside`: the budget of another model of the run, whose accounts and attempts are this one's
        too. `share`: what counts against a limit of this model alone. `rise`: where calls have a price
        each, by the size of their images, the highest ratio ever seen of a cost to its price, or 1."""
        self.price = price
        self._planned = self._seen = CallWorth(max(price.high, highest), rise)
        self._least = {price.high: price.low}
        """Price that a call of this model is reserved at → what it costs at least, by the price list."""
        self.model = model
        self._run = _RunSpending(accounts, earlier) if beside is None else beside._run
        self._run.budgets[model] = self
        self._calls = Account(SpendLimit(0, "this run, this model"))
        self.part: Micros | None = None
        """What of `reserved` the calls of this model may come to; None: all of it."""
        self.share = share
        own = (share,) if share else ()
        self._run.shares.extend(own)
        self.accounts: tuple[Account, ...] = (*self._run.accounts, *own)
        self._run.recount()

    def recount(self, account: Account, found: Account) -> None:
        """What earlier runs spent within the account's window is as in `found`. What this run has
        bought stays. Only before anything of earlier runs is settled: later it is ignored where the run
        has several backends."""
        if self._run.touched and len(self._run.budgets) > 1:
            return  # another backend was faster; what it did must not be forgotten
        account.spent += found.before - account.before
        account.before, account.days, account.frees_at = found.before, found.days, found.frees_at
        account.unknown, account.counted = found.unknown, found.counted
        self._run.recount()

    def of(self, backend: str, model: str) -> Budget:
        """The budget of another model of the run; this one where the run buys none of it."""
        return self._run.budgets.get((backend, model), self)

    @property
    def spent(self) -> Micros:
        """By this run, for all of its models, as reported."""
        return self._run.spent

    def worth(self, call: OpenCall) -> Micros:
        """What an open call counts at: the highest cost of its model, or of this one where it is of
        none that the run buys of."""
        return max(call.price, self._run.budgets.get(call.model, self).expected(call.price))

    def worth_at_most(self, call: OpenCall) -> Micros:
        """The same where it may rise while calls are in flight."""
        return max(call.price, self._run.budgets.get(call.model, self)._bound_of(call.price))

    def committed(self, account: Account) -> Micros:
        """What would be gone of it if every open call were billed at what it is worth."""
        return account.committed(self.worth)

    def expected(self, price: Micros) -> Micros:
        """What a call of the model that is reserved at `price` is taken to cost, by all that was seen."""
        return self._seen.of(price)

    def _bound_of(self, price: Micros) -> Micros:
        """The most that it may cost without stopping the run."""
        return max(self.expected(price), self._planned.of(price) * 3 // 2)

    @property
    def planned(self) -> Micros:
        """What the dearest call was taken to cost when the run began."""
        return self._planned.of(self.price.high)

    @property
    def highest(self) -> Micros:
        """What it is taken to cost now."""
        return self.expected(self.price.high)

    @property
    def bound(self) -> Micros:
        """The most that a call may cost without stopping the run."""
        return self._bound_of(self.price.high)

    @property
    def tightest(self) -> Account | None:
        """The account with the least left; None: there is no limit."""
        return min(self.accounts, key=self.left_of, default=None)

    @property
    def accounts_of_all(self) -> tuple[Account, ...]:
        """Those of the limits that hold for every model of the run."""
        return self._run.accounts

    @property
    def tightest_of_all(self) -> Account | None:
        """The same among the limits that hold for every model of the run."""
        return min(self._run.accounts, key=self.left_of, default=None)

    @property
    def cap(self) -> Micros | None:
        """Of the whole run."""
        tight = self.tightest_of_all
        return tight.limit.amount if tight else None

    @property
    def left(self) -> Micros | None:
        """What may still be reserved; None without a limit."""
        return max(0, self.left_of(self.tightest)) if self.tightest else None

    def left_of(self, account: Account) -> Micros:
        """May be negative."""
        gone = account.committed if self._run.active else account.at_most
        return account.limit.amount - gone(self.worth)

    def room(self, price: Price | None = None) -> Room:
        """Whether one more call may be made now. Something free always may. `price`: the call's own; None:
        the dearest one's."""
        if not self.planned:
            return Room.YES
        each = self.needed(price)
        worth = self.worth_at_most if self._beside_others else self.worth
        if all(a.at_most(worth) + each <= a.limit.amount for a in self.accounts):
            return Room.YES
        return Room.LATER if self._beside_others else Room.NO

    @property
    def _beside_others(self) -> bool:
        """Whether one more call would be made beside others, of this run or of another machine."""
        return bool(self._run.active) or self._run.others_reserve

    def needed(self, price: Price | None = None) -> Micros:
        """What one more call is taken to cost at most; `price` as for `room`."""
        high = (price or self.price).high
        return self._bound_of(high) if self._beside_others else self.expected(high)

    @property
    def run(self) -> Account:
        """The calls of this run alone, of all its models, whatever limits there are."""
        return self._run.calls

    @property
    def reserved(self) -> Micros | None:
        """What the shared store has set aside for them; None: nobody asks for that."""
        return self._run.reserved

    @reserved.setter
    def reserved(self, amount: Micros | None) -> None:
        self._run.reserved = amount

    def note_others(self, reserve: bool) -> None:
        """Whether other machines may be making calls: they have reserved something."""
        self._run.others_reserve = reserve

    @property
    def of_run(self) -> Micros:
        """What the calls of this run come to at most."""
        return self.run.committed(self.worth_at_most)

    @property
    def of_model(self) -> Micros:
        """What those of this model alone come to at most."""
        return self._calls.committed(self.worth_at_most)

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets of all models of the run, this one among them."""
        return tuple(self._run.budgets.values())

    @property
    def in_use(self) -> bool:
        """Calls of this run are in flight."""
        return bool(self._run.active)

    def covers(self, price: Price | None = None) -> bool:
        """Whether the shared store has set aside what one more call may cost; `price` as for `room`."""
        if self.reserved is None or not self.planned:
            return True
        each = self.needed(price)
        if self.part is not None and self.of_model + each > self.part:
            return False
        return self.of_run + each <= self.reserved

    def fitting(self) -> int:
        """How many more calls may be made at a time, whatever they cost."""
        left = (a.limit.amount - a.committed(self.worth_at_most) for a in self.accounts)
        return max(0, min(left, default=0) // self.bound) if self.bound else 0

    def reserve(self, job_key: str, price: Price | None = None) -> bool:
        """Set the price of a call aside; `price` as for `room`. False: there is no room for it."""
        if self.room(price) is not Room.YES or not self.covers(price):
            return False
        price = price or self.price
        self._least[price.high] = min(price.low, self._least.get(price.high, price.low))
        if self.planned:  # what is free stands beside nothing
            self._run.active.add(job_key)
        self.adopt(price.high)
        for account in (self.run, self._calls):
            account.in_flight[self._call(price.high, 0)] += 1
        return True

    def ended(self, job_key: str) -> None:
        """The job's call has ended, whatever became of it; also for a job without one."""
        self._run.active.discard(job_key)

    def adopt(self, price: Micros) -> None:
        """A call that another machine made is in flight: it counts, whatever the limits say."""
        call = self._call(price, 0)
        for account in self.accounts:
            account.in_flight[call] += 1

    def sends_again(self, price: Micros, attempt: int) -> Account | None:
        """A held call is about to be sent again under its name, which makes it now where it never
        arrived. Gives the limit that this could pass: not to be sent; None: it may be.

        Where the call counts, room was set aside for it. Where it does not, as another recipe's under
        this one's cap, it must fit into what is left.
        """
        each = self.worth(self._call(price, attempt))
        for account in self.accounts:
            more = 0
            if not self._counts(account, attempt):
                again = self._run.again | {attempt: each}
                more = sum(cost for a, cost in again.items() if not self._counts(account, a))
            if self.committed(account) + more > account.limit.amount:
                return account
        self._run.again[attempt] = each
        return None

    def _counts(self, account: Account, attempt: int) -> bool:
        return attempt in account.counted or attempt not in self._run.counting

    @property
    def overcharged(self) -> bool:
        """Whether a call of this run cost more than it tolerates."""
        return self._run.overcharged

    def settle(
        self, reserved: Micros, cost: float | None, attempt: int = 0, here: bool = True
    ) -> _SettledCost:
        """A call was billed. A `cost` that is unknown, negative or no number counts as the highest price, and one
        below the price list as the list's. `here` False: another machine made it, so this run spent nothing."""
        call = self._call(reserved, attempt)
        owner = self._run.budgets.get(call.model, self)
        if owner is not self:
            return owner.settle(reserved, cost, attempt, here)
        own = reserved in self._least or (self._seen.rise is not None and call.model == self.model)
        known = valid_cost(cost)
        likely = max(reserved, self.expected(reserved)) if own else reserved
        real = likely if known is None else known
        least = self._least.get(reserved, reserved)
        for account in self._accounts(attempt):
            if _take(account.in_flight, call) or not self._is_of_run(account):
                account.spent += max(real, least)
        self._run.spent += here * (reserved if known is None else known)
        if own:
            self._seen = self._seen.after(reserved, real)
        over = 2 * real > 3 * (self._planned.of(reserved) if own else reserved)
        self._run.overcharged = self._run.overcharged or over
        return _SettledCost(real, over)

    def release(self, reserved: Micros, attempt: int = 0) -> None:
        """A call was certainly not billed."""
        call = self._call(reserved, attempt)
        for account in self._accounts(attempt):
            _take(account.in_flight, call)

    def hold(self, reserved: Micros, attempt: int = 0) -> None:
        """A call may have been billed, or ended without a word: it goes on counting."""
        call = self._call(reserved, attempt)
        for account in self._accounts(attempt):
            if _take(account.in_flight, call) or not self._is_of_run(account):
                account.unknown[call] += 1

    def resume(self, price: Micros, attempt: int = 0) -> None:
        """A held call turned out to be in flight after all; settle or release it next."""
        call = self._call(price, attempt)
        for account in self._accounts(attempt):
            if _take(account.unknown, call) or not self._is_of_run(account):
                account.in_flight[call] += 1

    def _call(self, price: Micros, attempt: int) -> OpenCall:
        self._run.touched = True
        return OpenCall(price, self._run.models.get(attempt, self.model))

    def _accounts(self, attempt: int) -> Iterator[Account]:
        yield from self._run.counting.get(attempt, (*self.accounts, self.run, self._calls))

    def _is_of_run(self, account: Account) -> bool:
        return account is self.run or account is self._calls


class _RunSpending:
    """What all budgets of a run share."""

    def __init__(self, accounts: Iterable[Account], earlier: Mapping[int, tuple[str, str]]) -> None:
        self.accounts = tuple(accounts)
        """Of the limits that hold for every model."""
        self.shares: list[Account] = []
        """Of the limits of one model each."""
        self.models = earlier
        """Attempt of an earlier run → its model."""
        self.budgets: dict[tuple[str, str], Budget] = {}
        """By model."""
        self.active: set[str] = set()
        """Keys of the jobs with a call of this run in flight."""
        self.spent: Micros = 0
        self.calls = Account(SpendLimit(0, "this run"))
        """The calls of this run alone, whatever limits there are."""
        self.reserved: Micros | None = None
        self.others_reserve = False
        self.overcharged = False
        self.again: dict[int, Micros] = {}
        """Attempts of earlier runs that were sent again, and what each may cost at most."""
        self.touched = False
        """Whether anything was reserved or settled yet."""
        self.counting: dict[int, tuple[Account, ...]] = {}
        """Attempt of an earlier run → where it counts."""

    def recount(self) -> None:
        """Where each attempt of an earlier run counts, by what the accounts say."""
        every = (*self.accounts, *self.shares)
        self.counting = {
            attempt: tuple(a for a in every if attempt in a.counted) for attempt in self.models
        }


def _take(calls: Counter[OpenCall], call: OpenCall) -> bool:
    """One call less; False: there was none, for it is not a call of this run."""
    if not calls[call]:
        return False
    calls[call] -= 1
    return True
