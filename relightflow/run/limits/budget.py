"""Keeps what is spent, in flight and unknown under every limit, before each call and not after it.

A call counts at the highest cost ever seen for its model until its own cost is known. Calls that are
made beside others count at 1.5 × the plan's price, the most that a run tolerates, so that no limit is
passed where costs rise while they are in flight; the nearer the limit, the fewer calls at a time. So do
the calls of earlier runs whose cost is not known yet, except one. A call that is made alone needs room
for the highest cost seen, so that a cap of exactly the plan's price buys the whole plan.

With a shared store, what other machines have reserved there counts too, and each call needs room in the
reservation of this run (`run.shared.reservation`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from relightflow.model.catalog import FREE, Price
from relightflow.model.money import Micros, valid_cost
from relightflow.model.spending import Charge, SpendLimit


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


@dataclass(slots=True)
class Account:
    """What counts against one limit."""

    limit: SpendLimit
    spent: Micros = 0
    in_flight: Counter[Micros] = field(default_factory=Counter)
    """Price → calls."""
    unknown: Counter[Micros] = field(default_factory=Counter)
    counted: frozenset[int] = frozenset()
    """Attempts of earlier runs, in flight or unknown, that count here."""
    days: tuple[tuple[str, Micros], ...] = ()
    """What earlier runs spent, by day (`2026-11-27`, UTC)."""
    frees_at: float | None = None
    """When the oldest purchase leaves the window; Unix seconds."""
    before: Micros = 0
    """Spent by earlier runs."""
    charges: Sequence[Charge] = ()
    """Of a window: all calls of the state, so that it can be counted again by a better clock."""
    elsewhere: Sequence[Charge] = ()
    """Of a window: what other machines told the shared store."""
    names: frozenset[str] | None = frozenset()
    """Recipes whose reservations in the shared store count here; None: all."""
    reserved: Micros = 0
    """What other machines have reserved there, and what came of it since the run began."""

    def committed(self, each: Micros = 0) -> Micros:
        """What would be gone if every open call were billed at its price, or at `each` where that is
        more."""
        held = self.in_flight + self.unknown
        calls = sum(max(price, each) * calls for price, calls in held.items())
        return self.spent + self.reserved + calls

    def surcharge(self, each: Micros) -> Micros:
        """What the open calls may cost above `committed`, each up to 1.5 × its price; the largest
        of these is left out, so that one unknown outcome does not keep an exact cap from being used."""
        above = {
            price: max(0, price * 3 // 2 - max(price, each)) * calls
            for price, calls in (self.in_flight + self.unknown).items()
        }
        most = max((price * 3 // 2 - max(price, each) for price in above), default=0)
        return sum(above.values()) - max(0, most)


class Budget:
    """The limits of one run. Amounts in micro-dollars; one event loop, no locks.

    `attempt` is the ledger's id of an attempt of an earlier run, which may count against some limits
    only; 0 or any other id is a call of this run. What was never set aside is not given back, so a
    mistake can only count too much.
    """

    def __init__(
        self,
        price: Price = FREE,
        accounts: Iterable[Account] = (),
        highest: Micros = 0,
        earlier: Iterable[int] = (),
    ) -> None:
        """`highest`: cost ever seen for the model. `earlier`: attempts of earlier runs, in flight or
        unknown; each counts where its account says so."""
        self.price = price
        self.accounts = tuple(accounts)
        self.planned = max(price.high, highest)
        self.highest = self.planned
        self.spent = 0
        """By this run, as reported."""
        self._active: set[str] = set()
        """Keys of the jobs with a call of this run in flight."""
        self._overcharged = False
        self._again: dict[int, Micros] = {}
        """Attempts of earlier runs that were sent again, and what each may cost at most."""
        self.run = Account(SpendLimit(0, "this run"))
        """The calls of this run alone, whatever limits there are."""
        self.reserved: Micros | None = None
        """What the shared store has set aside for them; None: nobody asks for that."""
        self.others_reserve = False
        """Other machines may be making calls: they have reserved something."""
        self._attempts = tuple(earlier)
        self._earlier = self._counting()

    def _counting(self) -> dict[int, tuple[Account, ...]]:
        """Attempt of an earlier run → where it counts."""
        return {
            attempt: tuple(a for a in self.accounts if attempt in a.counted)
            for attempt in self._attempts
        }

    def recount(self, account: Account, found: Account) -> None:
        """What earlier runs spent within the account's window is as in `found`. What this run has
        bought stays. Only before anything of earlier runs is settled."""
        account.spent += found.before - account.before
        account.before, account.days, account.frees_at = found.before, found.days, found.frees_at
        account.unknown, account.counted = found.unknown, found.counted
        self._earlier = self._counting()

    @property
    def bound(self) -> Micros:
        """The most that a call may cost without stopping the run."""
        return max(self.highest, self.planned * 3 // 2)

    @property
    def tightest(self) -> Account | None:
        """The account with the least left; None: there is no limit."""
        return min(self.accounts, key=self.left_of, default=None)

    @property
    def cap(self) -> Micros | None:
        return self.tightest.limit.amount if self.tightest else None

    @property
    def left(self) -> Micros | None:
        """What may still be reserved; None without a limit."""
        return max(0, self.left_of(self.tightest)) if self.tightest else None

    def left_of(self, account: Account) -> Micros:
        """May be negative."""
        held = 0 if self._active else account.surcharge(self.highest)
        return account.limit.amount - account.committed(self.highest) - held

    def room(self) -> Room:
        """Whether one more call may be made now. Something free always may."""
        if not self.planned:
            return Room.YES
        each = self._each
        if all(
            a.committed(each) + a.surcharge(each) + each <= a.limit.amount for a in self.accounts
        ):
            return Room.YES
        return Room.LATER if self._active or self.others_reserve else Room.NO

    @property
    def _each(self) -> Micros:
        """What one more call is taken to cost at most."""
        return self.bound if self._active or self.others_reserve else self.highest

    @property
    def in_use(self) -> bool:
        """Calls of this run are in flight."""
        return bool(self._active)

    @property
    def covered(self) -> bool:
        """Whether the shared store has set aside what one more call may cost."""
        if self.reserved is None or not self.planned:
            return True
        return self.run.committed(self.bound) + self._each <= self.reserved

    def fitting(self) -> int:
        """How many more calls may be made at a time, whatever they cost."""
        left = (a.limit.amount - a.committed(self.bound) for a in self.accounts)
        return max(0, min(left, default=0) // self.bound) if self.bound else 0

    def reserve(self, job_key: str) -> bool:
        """Set the price of a call aside. False: there is no room for it."""
        if self.room() is not Room.YES or not self.covered:
            return False
        self._active.add(job_key)
        self.adopt(self.price.high)
        self.run.in_flight[self.price.high] += 1
        return True

    def ended(self, job_key: str) -> None:
        """The job's call has ended, whatever became of it; also for a job without one."""
        self._active.discard(job_key)

    def adopt(self, price: Micros) -> None:
        """A call that another machine made is in flight: it counts, whatever the limits say."""
        for account in self.accounts:
            account.in_flight[price] += 1

    def sends_again(self, price: Micros, attempt: int) -> Account | None:
        """A held call is about to be sent again under its name, which makes it now where it never
        arrived. Gives the limit that this could pass: not to be sent; None: it may be.

        Where the call counts, room was set aside for it. Where it does not, as another recipe's under
        this one's cap, it must fit into what is left.
        """
        each = max(price, self.highest)
        for account in self.accounts:
            more = 0
            if not self._counts(account, attempt):
                again = self._again | {attempt: each}
                more = sum(cost for a, cost in again.items() if not self._counts(account, a))
            if account.committed(self.highest) + more > account.limit.amount:
                return account
        self._again[attempt] = each
        return None

    def _counts(self, account: Account, attempt: int) -> bool:
        return attempt in account.counted or attempt not in self._earlier

    @property
    def overcharged(self) -> bool:
        """Whether a call of this run cost more than it tolerates."""
        return self._overcharged

    def settle(self, reserved: Micros, cost: float | None, attempt: int = 0) -> _SettledCost:
        """A call was billed. A `cost` that is unknown, negative or no number counts as the highest
        price, and one below the price list as the list's."""
        own = reserved == self.price.high
        known = valid_cost(cost)
        real = (max(reserved, self.highest) if own else reserved) if known is None else known
        least = self.price.low if own else reserved
        for account in self._accounts(attempt):
            if _take(account.in_flight, reserved) or account is not self.run:
                account.spent += max(real, least)
        self.spent += reserved if known is None else known
        if own:
            self.highest = max(self.highest, real)
        over = 2 * real > 3 * (self.planned if own else reserved)
        self._overcharged = self._overcharged or over
        return _SettledCost(real, over)

    def release(self, reserved: Micros, attempt: int = 0) -> None:
        """A call was certainly not billed."""
        for account in self._accounts(attempt):
            _take(account.in_flight, reserved)

    def hold(self, reserved: Micros, attempt: int = 0) -> None:
        """A call may have been billed, or ended without a word: it goes on counting."""
        for account in self._accounts(attempt):
            if _take(account.in_flight, reserved) or account is not self.run:
                account.unknown[reserved] += 1

    def resume(self, price: Micros, attempt: int = 0) -> None:
        """A held call turned out to be in flight after all; settle or release it next."""
        for account in self._accounts(attempt):
            if _take(account.unknown, price) or account is not self.run:
                account.in_flight[price] += 1

    def _accounts(self, attempt: int) -> Iterator[Account]:
        yield from self._earlier.get(attempt, (*self.accounts, self.run))


def _take(calls: Counter[Micros], price: Micros) -> bool:
    """One call less; False: there was none, for it is not a call of this run."""
    if not calls[price]:
        return False
    calls[price] -= 1
    return True
