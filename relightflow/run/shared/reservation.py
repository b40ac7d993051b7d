"""What this run has reserved in the shared store: room within its limits for the calls that it makes.

    room in the budget → room in the reservation, else more of it → claim → not ended → INTENT

A run reserves for several calls at a time, the fewer the nearer a limit is. Reserving is a step from one state
to the next that only one machine can take, so whoever takes it has counted what all others have reserved. What
is left is given back when the run ends, and before it waits for others.

A reservation that stands in the way and does not change is ended by whoever needs the room: from then on no call
is begun under it, and those that were are claimed or paid, and are counted one by one. So a machine that is gone
holds nothing but the calls that it made, and one that only was slow reserves anew. Time decides when to ask, and
never what is counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from relightflow.errors import StorageError
from relightflow.model.catalog import Price
from relightflow.model.claim import JobClaim
from relightflow.model.money import Micros
from relightflow.model.reservation import Reservation, Reserved, model_id
from relightflow.model.values import FrozenMap
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.run.context import RunContext
from relightflow.run.limits.account import Account
from relightflow.run.limits.budget import Budget, Room
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shared.costs import StoreSpending, came_to, counts_for
from relightflow.store.reservations import StatePruned
from relightflow.store.shared import SharedStore

_TRIES = 40
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 8.0
"""Seconds between two looks at what others have reserved; they double."""
_CONFLICT = 0.2
"""Seconds at most before another try where another machine was faster."""
_LEAVING = 2.0
"""Seconds that an interrupted run takes for giving back what is left."""
_PORTION = 2
"""A reservation is for at most so many calls for each that the run makes at a time."""


class ReservationEnded(Exception):
    """Another machine has ended the reservation under which a call was about to be made."""


@dataclass(slots=True)
class RunReservation:
    """One event loop. `begin` first, `close` last."""

    context: RunContext
    client: SharedStoreClient
    machine: str
    state: Reserved
    """As it was last seen."""
    patience: float
    """Seconds for which a reservation that stands in the way is left alone."""
    id: str = ""
    """Of the open reservation; empty: there is none."""
    _budget: Budget = field(default_factory=Budget)
    _at_first: Reserved = field(default_factory=Reserved)
    """What reservations that ended before this run came to."""
    _spending: StoreSpending = field(default_factory=StoreSpending)
    """As the run began."""
    _mine: set[str] = field(default_factory=set)
    """Ids of this run's reservations."""
    _counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(recipe, model, or empty for all) → what of `Reserved.ended_for` came from this run, or is counted by it,
    since it took over calls that others had reserved for."""
    _before: Micros = 0
    """What the calls of this run came to before the open reservation."""
    _before_of: dict[tuple[str, str], Micros] = field(default_factory=dict)
    """The same for each model."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _seen: dict[str, tuple[Reservation, float]] = field(default_factory=dict)
    """Id → another machine's reservation, and since when it has not changed."""
    _pause: float = _FIRST_PAUSE

    def begin(self, budget: Budget, spending: StoreSpending) -> None:
        """From now on each call of `budget` needs room in the store. `spending`: of `state`."""
        self._budget, self._spending, self._at_first = budget, spending, self.state
        budget.reserved = 0
        for one in budget.budgets:
            one.part = 0 if one.share else None
        self._count()

    async def extend(self, budget: Budget, price: Price | None = None) -> bool:
        """Reserve room for more calls of `budget`, one of the run's; `price`: of the next one, as for
        `Budget.room`. False: the limits leave none at present. Raises ObjectFault,
        StorageError."""
        async with self._lock:
            for _ in range(_TRIES):
                if budget.covers(price) and budget.room(price) is Room.YES:
                    return True
                await self._look()
                more = self._wanted(budget, price)
                if more is None:
                    return False
                if await self._reserve(budget, more):
                    self._pause = _FIRST_PAUSE
                    return True
                await self._give_way()
        raise self._contended()

    async def check(self, name: str) -> None:
        """After a claim under the reservation `name`. Raises ReservationEnded where its call may not be made
        any more; ObjectFault."""
        if name == self.id and not await self.client.ask(lambda s: s.reservations.is_ended(name)):
            return
        async with self._lock:
            await self._look()
            if name == self.id:  # the state does not show it yet
                self._lose()
                self._count()
        raise ReservationEnded

    async def wait(self, budget: Budget, price: Price | None = None) -> None:
        """Others have reserved what a call of `budget` needs: give back what is not, look again a little later, and end
        what stands there unchanged. Raises ObjectFault, StorageError."""
        async with self._lock:
            if budget.room(price) is not Room.LATER or budget.in_use:
                return
            await self._end_own()
            await self.context.clock.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            await self._look()
            if budget.room(price) is Room.LATER:
                for one in self._overdue():
                    await self.end(one)

    def take_over(self, claim: JobClaim, least: Micros) -> None:
        """A call that another machine made under its reservation is counted by this run from now on. `least`:
        what it costs at least."""
        if claim.reservation:
            for model in {"", claim.model}:
                self._counted[claim.recipe, model] += min(least, claim.price)
            self._count()

    async def rest(self) -> None:
        """This run makes no call for a while: give back what it does not need. Failing to harms nobody."""
        async with self._lock:
            if self.id and not self._budget.in_use:
                await self._end_own()

    async def close(self, hurry: bool) -> None:
        """Give back what is left. Where that fails, whoever needs it ends the reservation."""
        with suppress(ObjectFault, StorageError, RuntimeError, TimeoutError):
            async with asyncio.timeout(_LEAVING if hurry else None), self._lock:
                await self._end_own()

    async def end(self, one: Reservation) -> None:
        """From here on no call is begun under `one`, and what was done under it is counted call by call.
        Raises ObjectFault, StorageError."""

        def work(store: SharedStore) -> tuple[Micros, Counter[str]]:
            store.reservations.end(one.id)
            claims = list(store.claims.all())  # first: a call that ends now is in one of the two
            return came_to(one.id, store.costs.all(), claims)

        amount, parts = await self.client.ask(work)
        for _ in range(_TRIES):
            await self._look()
            if not self.state.find(one.id):
                return
            if await self._step(self.state.without(one, amount, uuid4().hex, parts)):
                return
            await self._give_way()
        raise self._contended()

    def _overdue(self) -> list[Reservation]:
        now = self.context.clock.monotonic()
        others = [one for one in self.state.open if one.id not in self._mine]
        seen = {one.id: self._seen.get(one.id, (one, now)) for one in others}
        self._seen = {
            one.id: seen[one.id] if seen[one.id][0] == one else (one, now) for one in others
        }
        return [one for one, since in self._seen.values() if now - since >= self.patience]

    async def _end_own(self) -> None:
        for _ in range(_TRIES):
            if not self.id:
                return
            await self._look()
            own = self.state.find(self.id)
            if own is None:
                self._lose()
                return
            used, self._budget.reserved = self._used, 0  # from here on no call begins under it
            parts = {model_id(*b.model): self._used_of(b) for b in self._budget.budgets}
            if await self._step(self.state.without(own, used, uuid4().hex, parts)):
                return
            await self._give_way()
        raise self._contended()

    async def _reserve(self, budget: Budget, more: Micros) -> bool:
        """Room for calls of `budget` that come to `more` than those that were made."""
        if not self.id:
            self.id = uuid4().hex
            self._mine.add(self.id)
            self._before = self._budget.of_run
            self._before_of = {b.model: b.of_model for b in self._budget.budgets}
        old = self.state.find(self.id)
        amount = max(self._used + more, old.amount if old else 0)
        parts: dict[str, Micros] = {}
        for one in self._budget.budgets:
            model = model_id(*one.model)
            part = old.part(model) if old else 0
            if one is budget:
                part = max(part, self._used_of(one) + more)
            parts[model] = min(amount, part) if one.share else amount
        own = Reservation(
            self.id, self.context.run_id, self.machine, self.context.recipe,
            self.context.clock.wall(), amount, FrozenMap(parts),
        )  # fmt: skip
        return await self._step(self.state.with_open(own, uuid4().hex))

    async def _step(self, state: Reserved) -> bool:
        """Make `state` the next one. False: another machine was faster."""
        try:
            if not await self.client.ask(lambda store: store.reservations.create(state)):
                return False
        except StatePruned:  # it was suspended while others took many steps
            self._follow(await self.client.ask(lambda store: store.reservations.latest()))
            return False
        self._follow(state)
        return True

    async def _look(self) -> None:
        """What other machines have done since."""
        seen = self.state
        for state in await self.client.ask(lambda store: list(store.reservations.after(seen))):
            self._follow(state)

    def _follow(self, state: Reserved) -> None:
        before, self.state = self.state, state
        for one in before.open:
            if one.id in self._mine and not state.find(one.id):
                if state.number == before.number + 1:  # else what it came to is not told apart
                    for model in {a.model for a in self._accounts}:
                        now, then = (s.ended_for(one.recipe, model) for s in (state, before))
                        self._counted[one.recipe, model] += now - then
                if one.id == self.id:
                    self._lose()
        own = state.find(self.id) if self.id else None
        if own:
            self._budget.reserved = self._before + own.amount
            for budget in self._budget.budgets:
                if budget.share:
                    before_it = self._before_of[budget.model]
                    budget.part = before_it + own.part(model_id(*budget.model))
        self._count()

    def _lose(self) -> None:
        """No call is begun under the own reservation any more."""
        self.id, self._budget.reserved = "", 0

    def _count(self) -> None:
        """What others have reserved, and what came of it, against each limit."""
        others = [one for one in self.state.open if one.id not in self._mine]
        for account in self._accounts:
            names, model = account.names, account.model
            known = self._spending.counted_here(names, model)
            recipes = {*self.state.ended, *(recipe for recipe, _ in self._counted)}
            ended = sum(
                self.state.ended_for(recipe, model) - self._at_first.ended_for(recipe, model)
                - self._counted[recipe, model]
                for recipe in recipes if counts_for(recipe, names)
            )  # fmt: skip
            held = sum(one.part(model) for one in others if counts_for(one.recipe, names))
            account.reserved = max(0, held + ended - known)
        self._budget.note_others(bool(others))

    @property
    def _accounts(self) -> tuple[Account, ...]:
        """Of the limits that hold for all models, and of those of one each."""
        shares = (one.share for one in self._budget.budgets if one.share)
        return (*self._budget.accounts_of_all, *shares)

    def _wanted(self, budget: Budget, price: Price | None) -> Micros | None:
        """What more calls the own reservation is to be for come to; None: the limits leave nothing."""
        others = sum(one.id not in self._mine for one in self.state.open)
        fitting = budget.fitting()
        if fitting:
            most = _PORTION * self.context.limits.concurrency
            return min(most, max(1, fitting // (2 * (others + 1)))) * budget.bound
        if budget.room(price) is Room.YES:  # the last call, made alone, or a small one
            return budget.needed(price)
        return None

    @property
    def _used(self) -> Micros:
        """What the calls under the own reservation cost, or may cost."""
        if not self.id:
            return 0
        return max(0, self._budget.of_run - self._before)

    def _used_of(self, budget: Budget) -> Micros:
        """The same of the model of `budget` alone."""
        return max(0, budget.of_model - self._before_of.get(budget.model, 0))

    async def _give_way(self) -> None:
        await self.context.clock.sleep(self.context.rng.uniform(0, _CONFLICT))

    def _contended(self) -> ObjectFault:
        words = "too many machines reserve in it at once; run again later"
        return ObjectFault(Reason.PASSING, str(self.client.store), words)
