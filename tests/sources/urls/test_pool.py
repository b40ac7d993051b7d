from __future__ import annotations

import threading
from typing import Any

from relightflow.sources.urls.fetch import Fetcher, FetchLimits
from relightflow.sources.urls.pool import Pool


class Recorded(Pool):
    """A pool that counts what it made and closed."""

    def __init__(self) -> None:
        self.made: list[Fetcher] = []
        self.closed = 0
        super().__init__(self._counted)

    def _counted(self) -> Fetcher:
        recorded = self

        class Counted(Fetcher):
            async def close(self) -> None:
                recorded.closed += 1
                await super().close()

        self.made.append(Counted(FetchLimits()))
        return self.made[-1]


async def thread(_fetcher: Fetcher) -> Any:
    return threading.current_thread().name


def test_one_fetcher_for_all_and_the_last_one_closes_it() -> None:
    pool = Recorded()
    pool.users = 2
    names = {pool.start(thread).result() for _ in range(3)}
    assert names == {"urls"}
    assert len(pool.made) == 1
    pool.leave()
    assert pool.closed == 0
    assert pool.start(thread).result() == "urls"
    pool.leave()
    assert pool.closed == 1


def test_a_pool_that_nobody_used_has_nothing_to_close() -> None:
    pool = Recorded()
    pool.users = 1
    pool.leave()
    assert pool.made == []
