"""What a person, a provider and a machine may do to one state, in any order, as a state machine.

Hypothesis chooses the order and makes it short where an invariant of `World.check` breaks. The books
are held against each other after every step, and at the end everything is in place.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from benchmarks.reliability.simulator import MEMORY, World
from benchmarks.reliability.world import PRICE, STORM, Power, Weather
from relightflow.errors import Exit
from relightflow.ledger import lock

PLACES = st.integers(1, 150)
"""In the count of what happens in one life."""


class Buying(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="buy-", dir=MEMORY if MEMORY.is_dir() else None))

    @initialize(
        seed=st.integers(0, 2**32),
        api=st.sampled_from(("v1", "v2", "key")),
        cells=st.integers(1, 8),
        repeat=st.sampled_from((1, 1, 2)),
        width=st.sampled_from((1, 3, 8)),
        cap=st.none() | st.integers(1, 16),
    )
    def begin(
        self, seed: int, api: str, cells: int, repeat: int, width: int, cap: int | None
    ) -> None:
        self.world = World(self.folder, Random(seed), api, cells, repeat, width)
        self.world.cap = None if cap is None else cap * PRICE

    @rule(storm=st.booleans())
    def weather(self, storm: bool) -> None:
        self.world.provider.weather = STORM if storm else Weather()

    @rule()
    def run(self) -> None:
        assert self.world.live(Power()) is not None

    @rule(place=PLACES)
    def kill(self, place: int) -> None:
        self.world.live(Power(crash_at=place))

    @rule(place=PLACES)
    def disk_full(self, place: int) -> None:
        power = Power(disk_full_from=place)
        came = self.world.live(power)
        assert came in (Exit.OK, Exit.EARLY, Exit.BUDGET, Exit.STORAGE)
        if power.disk_full and came is not Exit.OK:
            assert came in (Exit.STORAGE, Exit.EARLY, Exit.BUDGET)

    @rule(place=st.none() | PLACES)
    def collect(self, place: int | None) -> None:
        before = len(self.world.provider.taken)
        self.world.live(Power(place or 0), collect_only=True)
        assert len(self.world.provider.taken) == before

    @precondition(lambda self: self.world.state_dir.lock.exists())
    @rule()
    def second_run(self) -> None:
        before = len(self.world.provider.taken)
        with lock.acquire(self.world.state_dir.lock, "somebody else"):
            assert self.world.live(Power()) is Exit.EARLY
        assert len(self.world.provider.taken) == before

    @precondition(lambda self: self.world.state_dir.ledger.exists())
    @rule(place=st.none() | PLACES)
    def reconcile(self, place: int | None) -> None:
        before = len(self.world.provider.taken)
        self.world.give_patience(Power(place or 0))
        assert len(self.world.provider.taken) == before

    @rule(seconds=st.sampled_from((1.0, 20.0, 70.0, 200.0, 4000.0)) | st.floats(0, 500))
    def clock(self, seconds: float) -> None:
        self.world.now += seconds

    @invariant()
    def the_books_agree(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.world.settle_up()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
