"""The commands that ask the provider's records."""

from __future__ import annotations

import asyncio

import pytest

from relightflow.errors import AccountError, EarlyStop, RelightflowError
from relightflow.model.failure import Kind
from relightflow.plugins.records import Operator
from relightflow.upkeep.books import reconcile
from tests.conftest import Stage
from tests.studio import Studio, fails


@pytest.mark.parametrize(
    ("kind", "error"), [(Kind.UNAVAILABLE, EarlyStop), (Kind.ACCOUNT, AccountError)]
)
def test_records_that_cannot_be_had_are_no_mistake_of_the_command_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: Kind, error: type[RelightflowError]
) -> None:
    class Recorded(Studio):
        async def bill(self, *_: object) -> None:
            raise fails(kind)

        look_up = bill

    monkeypatch.setattr("tests.studio.Studio", Recorded)
    record = stage.registry.backend("studio")
    with pytest.raises(error):
        asyncio.run(reconcile(stage.home, record, Operator(), 0.0, 1.0, stage.notices.append))
