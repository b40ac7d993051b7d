"""The kit against a sound backend, the one that `plugins new` writes, and against that one with a fault."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from relightflow.plugins.scaffold import scaffold
from relightflow.testing import check_http_faults

Check = Callable[..., Awaitable[None]]
_serial = iter(range(1000))


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """`await check("old", "new")`: the kit on a backend in whose source `old` reads `new`."""

    async def run(old: str = "", new: str = "") -> None:
        name = f"kit{next(_serial)}"
        scaffold(name, tmp_path / name)
        source = tmp_path / name / f"src/relightflow_{name}/backend.py"
        text = source.read_text()
        assert not old or text.count(old) == 1
        source.write_text(text.replace(old, new) if old else text)
        monkeypatch.syspath_prepend(tmp_path / name / "src")
        record = importlib.import_module(f"relightflow_{name}.plugin").RECORD
        monkeypatch.setenv(f"{name.upper()}_KEY", "key-for-tests")

        def point_at(url: str) -> None:
            monkeypatch.setenv(f"{name.upper()}_URL", url)

        async with _stub(tmp_path / name).running() as stub:
            await check_http_faults(record, stub.url, point_at, lambda: len(stub.bill))

    return run


def _stub(package: Path) -> Any:
    spec = importlib.util.spec_from_file_location("stub", package / "tests/stub.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_sound_backend_passes(check: Check) -> None:
    await check()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'raise _unknown(f"no answer came ({type(error).__name__})") from None',
            'raise CallFailed(Failure(FailureKind.UNSENT, "no answer")) from None',
            "closed after the provider took it",
        ),
        (
            'raise _unknown(f"an answer {status} came that is not',
            'raise CallFailed(Failure(FailureKind.UNAVAILABLE, "busy")) # (f"',
            "a proxy's 502 after the provider took it",
        ),
        (
            'Failure(FailureKind.UNSENT, f"',
            'Failure(FailureKind.UNKNOWN, billed=Billed.UNKNOWN, message=f"',
            "nothing listens on the port",
        ),
        (
            'status, headers, data = await self._request("POST", "/v1/relight", json=body)',
            'await self._request("POST", "/v1/relight", json=body); '
            'status, headers, data = await self._request("POST", "/v1/relight", json=body)',
            "was sent 2 times",
        ),
        (
            'if status == 404 and isinstance(answer.get("error"), str):',
            "if status == 422: raise CallFailed(Failure(FailureKind.JOB_FAILED, 'no'))\n"
            '        if status == 404 and isinstance(answer.get("error"), str):',
            "a proxy's 422 at a poll",
        ),
    ],
    ids=["lost-answer", "proxys-page", "unsent", "sent-twice", "failed-poll"],
)
async def test_a_fault_is_named_with_what_happened_to_the_request(
    check: Check, old: str, new: str, words: str
) -> None:
    with pytest.raises(AssertionError) as told:
        await check(old, new)
    assert words in str(told.value)
