from __future__ import annotations

from typing import Any

import pytest

from relightflow.model.step import Accepted
from relightflow.plugins.backend import (
    Backend,
    HasBalance,
    HasHistory,
    HasIntentDetails,
    HasLookUp,
    HasServerTime,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("colect", "collect"), ("submits", "submit"), ("lookup", "look_up"), ("ballance", "balance")],
)
def test_a_method_whose_name_is_nearly_one_of_ours_is_refused_when_its_class_is_made(
    written: str, meant: str
) -> None:
    with pytest.raises(TypeError, match=f"Odd.{written} is not a method .* mean '{meant}'"):
        type("Odd", (Backend,), {written: lambda self: None})


@pytest.mark.parametrize("name", ["submit", "_colect", "paint"])
def test_our_own_names_private_ones_and_others_are_taken(name: str) -> None:
    assert issubclass(type("Fine", (Backend,), {name: lambda self: None}), Backend)


def test_a_value_is_no_method() -> None:
    assert issubclass(type("Fine", (Backend,), {"bills": ()}), Backend)


async def test_what_is_not_written_has_a_default_but_the_purchase() -> None:
    backend, unused = Backend(), object()
    unused_: Any = unused
    await backend.open()
    await backend.close()
    assert await backend.prepare(unused_, b"data") == b"data"
    step = Accepted("r")
    assert await backend.collect(step) is step
    with pytest.raises(NotImplementedError, match="Backend has no `submit`"):
        await backend.submit(unused_)


def test_what_a_provider_can_do_is_told_by_its_methods() -> None:
    class Half(Backend):
        async def look_up(self, *_: object) -> None: ...

    class Whole(Half):
        async def bill(self, *_: object) -> None: ...

        async def balance(self) -> None: ...

        def server_time(self) -> float:
            return 0.0

        def intent_details(self, _: object) -> None: ...

    able = (HasBalance, HasHistory, HasIntentDetails, HasServerTime)
    assert not isinstance(Half(), able)
    assert isinstance(Half(), HasLookUp)
    assert all(isinstance(Whole(), protocol) for protocol in able)
