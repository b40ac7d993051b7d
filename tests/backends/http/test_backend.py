"""What every backend over HTTP does alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.hosts import ProviderHosts
from relightflow.errors import AccountError, RefusedError
from relightflow.model.catalog import Model
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Completed
from relightflow.plugins.records import OperatorPolicy
from relightflow.testing import backend_context

MODEL = Model("m", (), None)


@dataclass(frozen=True, slots=True)
class _Hosts(ProviderHosts):
    provider: str = "Acme"
    api: str = "http://127.0.0.1:9"
    variable: str = "RELIGHTFLOW_ACME_URL"
    override: str = "http://127.0.0.1:9"

    def authorization(self, key: str) -> dict[str, str]:
        return {"x": key}


class _Acme(HttpBackend[_Hosts]):
    failure: Failure | None = None

    async def _greet(self) -> None:
        if self.failure:
            raise CallFailed(self.failure)


def _acme(operator: OperatorPolicy | None = None, failure: Failure | None = None) -> _Acme:
    context = backend_context(MODEL, operator=operator)
    made = _Acme(context, lambda _: "key", _Hosts())
    made.failure = failure
    return made


async def test_a_refused_key_stops_the_opening_and_a_provider_that_is_away_does_not() -> None:
    refused = _acme(failure=Failure(FailureKind.ACCOUNT, "no such key"))
    with pytest.raises(AccountError, match="no such key"):
        await refused.open()
    await refused.close()
    away = _acme(failure=Failure(FailureKind.UNSENT, "away"))
    await away.open()
    assert away.server_time() is None
    await away.close()
    await away.close()


async def test_offline_means_offline() -> None:
    with pytest.raises(RefusedError, match="Acme needs the network"):
        await _acme(OperatorPolicy(offline=True)).open()


async def test_what_is_complete_stays_so() -> None:
    done = Completed(b"x")
    assert await _acme().collect(done) is done


async def test_an_address_that_takes_the_providers_place_is_told() -> None:
    told: list[str] = []
    made = _acme()
    made._context = replace(made._context, notice=told.append)
    await made.open()
    await made.close()
    assert told == ["RELIGHTFLOW_ACME_URL is set: http://127.0.0.1:9 is used instead of Acme"]
