"""What every backend does alike whose provider takes our name for a call: parts of it, and whole runs with each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.named_backend import NamedBackend, of_resent
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.errors import Exit
from relightflow.model.attempt import State
from relightflow.model.catalog import Model
from relightflow.model.evidence import ACCOUNT
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.values import FrozenMap
from relightflow.testing import backend_context, sample_image, sample_image_bytes
from tests.backends.http.named import (
    DOWNLOADS,
    JOBS,
    KEY,
    PRICE,
    SUBMITS,
    Row,
    Shopping,
    check_row,
    killed,
    shop,
)

NAMED = {"comfy": ComfyEmulator, "runware": RunwareEmulator}


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
    assert of_resent(refused, FailureKind.REFUSED_CELL).kind is FailureKind.UNAVAILABLE


@pytest.fixture(params=NAMED)
def shopping(request: pytest.FixtureRequest, tmp_path: Path) -> Shopping:
    return lambda: shop(tmp_path, request.param, NAMED[request.param](KEY))


@pytest.mark.parametrize("found", [*SUBMITS, *DOWNLOADS], ids=lambda found: found.name)
async def test_a_fault_that_can_befall_any_provider_ends_as_the_table_says(
    shopping: Shopping, found: Row
) -> None:
    async with shopping() as opened:
        await check_row(opened, found)


@pytest.mark.parametrize("point", ["after-intent:2", "after-submit:1"])
async def test_after_a_kill_the_next_run_finishes_and_pays_nothing_twice(
    shopping: Shopping, point: str
) -> None:
    async with shopping() as opened:
        opened.recipe("[front, side]", concurrency=4)
        assert await killed(opened, point) == -9
        code, said = await opened.run()
        assert code is Exit.OK, said
        opened.check_bill()
        assert (len(opened.emulator.bill), opened.unknown(), opened.done()) == (4, 0, 4)
        assert opened.kept() == []


async def test_the_image_goes_as_it_is_and_the_key_to_the_api_alone(shopping: Shopping) -> None:
    async with shopping() as opened:
        assert (await opened.run())[0] is Exit.OK
        [image] = {call.image for call in opened.emulator.bill}
        assert image == (opened.folder / "in/a.jpg").read_bytes()
        assert opened.emulator.keyed["submit"] == JOBS
        assert not opened.emulator.keyed["download"]
        assert sum(a.cost or 0 for a in opened.attempts()) == JOBS * PRICE
        assert {a.state for a in opened.attempts()} == {State.DONE}
        assert KEY.encode() not in opened.state_dir.ledger.read_bytes()
