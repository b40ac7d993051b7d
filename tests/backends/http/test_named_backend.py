"""What every backend does alike whose provider takes our name for a call."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.named_backend import NamedBackend, of_resent
from relightflow.model.catalog import Model
from relightflow.model.evidence import ACCOUNT
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.values import FrozenMap
from relightflow.testing import backend_context, sample_image, sample_image_bytes


@dataclass(frozen=True, slots=True)
class _Hosts(ProviderHosts):
    provider: str = "Acme"
    api: str = "http://127.0.0.1:9"

    def authorization(self, key: str) -> dict[str, str]:
        return {"x": key}


def _acme(key: str = "key") -> NamedBackend[_Hosts]:
    return NamedBackend(backend_context(Model("m", (), None)), lambda _: key, _Hosts())


async def test_an_image_is_prepared_to_the_byte_and_nothing_else_is() -> None:
    data = sample_image_bytes()
    uri = await _acme().prepare(sample_image(data), data)
    assert uri.startswith("data:image/png;base64,")
    with pytest.raises(CallFailed, match="not billed"):
        await _acme().prepare(sample_image(b"no"), b"no")


async def test_the_account_is_known_by_a_digest_and_the_key_is_not_in_it() -> None:
    accounts = set()
    for key in ("one-key", "another-key"):
        backend = _acme(key)
        await backend.open()
        found: FrozenMap = backend.intent_details(None)  # type: ignore[arg-type]  # not looked at
        await backend.close()
        assert key not in str(found)
        accounts.add(found[ACCOUNT])
    assert len(accounts) == 2


def test_that_a_model_is_gone_frees_no_call_that_was_made_before() -> None:
    gone = Failure(FailureKind.REFUSED_MODEL, "no such model")
    assert of_resent(gone).kind is FailureKind.UNAVAILABLE
    refused = Failure(FailureKind.REFUSED_CELL, "no such value")
    assert of_resent(refused) is refused
