from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from relightflow.errors import AccountError
from relightflow.model.evidence import SERVER_TIME
from relightflow.model.values import FrozenMap
from relightflow.run.lazy_backend import LazyBackend
from tests.conftest import Stage


@dataclass
class Counted:
    """A backend that counts what is done to it."""

    problem: Exception | None = None
    opened: int = 0
    closed: int = 0

    async def open(self) -> None:
        await asyncio.sleep(0)
        if self.problem:
            raise self.problem
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1


class Telling(Counted):
    """One that wants something written down, and knows the provider's time."""

    def intent_details(self, call: Any) -> FrozenMap:
        return FrozenMap({"nonce": "n", SERVER_TIME: "its own"} if call else {})

    def server_time(self) -> float:
        return 1000.12345


async def _nothing(_: object) -> None: ...


def lazy(backend: Any, on_open: Any = _nothing) -> LazyBackend:
    return LazyBackend(lambda: backend, on_open)


def test_with_nothing_to_do_no_backend_is_opened(stage: Stage) -> None:
    stage.run()
    stage.run()
    assert (stage.provider.opened, stage.provider.closed) == (1, 1)


async def test_of_many_that_need_it_at_once_one_opens_it() -> None:
    backend: Any = Counted()
    many = lazy(backend)
    assert await asyncio.gather(*(many.get() for _ in range(20))) == [backend] * 20
    await many.close()
    await many.close()
    assert (backend.opened, backend.closed) == (1, 1)


async def test_nobody_gets_it_before_what_follows_its_opening_is_done() -> None:
    order: list[str] = []

    async def on_open(_: object) -> None:
        await asyncio.sleep(0)
        order.append("asked for the balance")

    many = lazy(Counted(), on_open)

    async def use() -> None:
        await many.get()
        order.append("used")

    await asyncio.gather(use(), use())
    assert order == ["asked for the balance", "used", "used"]


async def test_one_that_cannot_be_opened_is_closed_and_tried_again_by_the_next() -> None:
    backend: Any = Counted(AccountError("no key"))
    many = lazy(backend)
    with pytest.raises(AccountError, match="no key"):
        await many.get()
    assert backend.closed == 1
    backend.problem = None
    assert await many.get() is backend


async def test_one_whose_account_is_refused_once_it_is_open_is_closed() -> None:
    async def refuse(_: object) -> None:
        raise AccountError("refused")

    backend = Counted()
    many = lazy(backend, refuse)
    with pytest.raises(AccountError, match="refused"):
        await many.get()
    assert backend.closed == 1


async def test_the_providers_time_is_written_down_beside_what_the_backend_wants() -> None:
    call: Any = object()
    closed, plain, telling = lazy(Telling()), lazy(Counted()), lazy(Telling())
    assert closed.intent_details(call) == {}
    for opened in (plain, telling):
        await opened.get()
    assert plain.intent_details(call) == {}
    assert telling.intent_details(None) == {SERVER_TIME: 1000.123}  # type: ignore[arg-type]  # unused
    assert telling.intent_details(call) == {"nonce": "n", SERVER_TIME: "its own"}
