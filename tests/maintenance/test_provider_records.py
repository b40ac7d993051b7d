"""The commands that ask the provider's records."""

from __future__ import annotations

import asyncio

import pytest

from relightflow.errors import AccountError, EarlyStop, RelightflowError
from relightflow.maintenance.provider_records import reconcile
from relightflow.model.failure import FailureKind
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage
from tests.scripted_backend import ScriptedBackend, fails


@pytest.mark.parametrize(
    ("kind", "error"), [(FailureKind.UNAVAILABLE, EarlyStop), (FailureKind.ACCOUNT, AccountError)]
)
def test_records_that_cannot_be_had_are_no_mistake_of_the_command_line(
    stage: Stage, kind: FailureKind, error: type[RelightflowError]
) -> None:
    class Recorded(ScriptedBackend):
        async def bill(self, *_: object) -> None:
            raise fails(kind)

        look_up = bill

    stage.settle(Settlement("lookup"), Recorded)
    record = stage.registry.backend("studio")
    with pytest.raises(error):
        asyncio.run(
            reconcile(stage.state_dir, [record], OperatorPolicy(), 0.0, 1.0, stage.notices.append)
        )
