"""A secret that was read once is taken out wherever something is kept or shown."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.sanitize import shown
from relightflow.cli.console import Console, error
from relightflow.core import redact
from relightflow.core.redact import known
from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SourceContext
from relightflow.sources.urls.lists import entries
from relightflow.store.blobs import BlobStore
from tests.ledger.conftest import job_of

KEY = "a-key/of+no=form-that-is-known"


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key was read, as a backend reads it."""
    monkeypatch.setattr(redact, "_KNOWN", redact._KnownSecrets())
    KeyRing("Segmind", "SEGMIND_API_KEY", "SG_").read(lambda text: None, {"SEGMIND_API_KEY": KEY})


def test_kept_bytes_and_the_index_hold_no_key(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    page = f"<p>{KEY}</p>{base64.b64encode(KEY.encode()).decode()}".encode()
    asyncio.run(store.keep_aside(page, {"key": "k", "reason": f"it said {KEY}"}))
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert kept.count(b"[removed]") == 3
    assert KEY.encode() not in kept


def test_the_ledger_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(path)
    number = asyncio.run(ledger.intend(job_of(), "run", 5, FrozenMap({"said": "x"})))
    said = Failure(FailureKind.UNKNOWN, f"it said {KEY}", Billed.UNKNOWN, request_id=f"id {KEY}")
    ledger.close_attempt_now(number, State.UNKNOWN, said)
    ledger.close()
    assert KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_the_terminal_shows_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    Console().answer(KEY)
    Console().say(KEY)
    Console(json=True).document(json.dumps({"a": KEY}))
    error(KEY)
    out, err = capsys.readouterr()
    assert KEY not in out + err
    assert json.loads(out.splitlines()[1]) == {"a": "[removed]"}


def test_a_providers_text_shows_no_key() -> None:
    assert "form-that" not in shown(f"your key {KEY} and {base64.b64encode(KEY.encode()).decode()}")


def test_tokens_of_a_list_are_known_and_names_in_it_stay(tmp_path: Path) -> None:
    urls = (
        "https://me:pass%2Fword-of-me@example.com/a.png",
        "https://example.com/b.png?X-Amz-Signature=0123456789abcdef&name=a-long-name-of-a-file",
        "https://example.com/c.png?access_token=token-0123456789",
    )
    entries(SourceContext(tmp_path, FrozenMap({"urls": urls}), 0))
    assert known("0123456789abcdef token-0123456789 pass/word-of-me") == " ".join(["[removed]"] * 3)
    assert known("a-long-name-of-a-file") == "a-long-name-of-a-file"
