from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relightflow.backends.http.key import KeyRing
from relightflow.errors import AccountError

KEY = "SG_0123456789abcdef"
VARIABLE, FILE_VARIABLE = "SEGMIND_API_KEY", "SEGMIND_API_KEY_FILE"


def new_ring() -> KeyRing:
    return KeyRing("Segmind", VARIABLE, prefix="SG_")


def test_the_key_leaves_the_environment_and_stays_known() -> None:
    environment = {VARIABLE: f" {KEY}\n"}
    ring = new_ring()
    assert ring.read(print, environment) == KEY
    assert environment == {}
    assert ring.read(print, environment) == KEY


def test_no_child_process_inherits_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    new_ring().read(print)
    code = f"import os; print({VARIABLE!r} in os.environ)"
    assert subprocess.check_output([sys.executable, "-c", code]).strip() == b"False"
    assert VARIABLE not in os.environ


def test_a_file_may_hold_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    notices: list[str] = []
    assert new_ring().read(notices.append, {FILE_VARIABLE: str(file)}) == KEY
    assert notices == []


def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)
    notices: list[str] = []
    new_ring().read(notices.append, {FILE_VARIABLE: str(file)})
    assert len(notices) == 1
    assert "chmod 600" in notices[0]


@pytest.mark.parametrize(
    "environment",
    [{}, {VARIABLE: "  "}, {VARIABLE: "two words"}, {VARIABLE: "a\nb"}, {VARIABLE: "clé"}],
)
def test_what_cannot_be_a_key_is_said_without_showing_it(environment: dict[str, str]) -> None:
    given = environment.get(VARIABLE, "").strip()
    with pytest.raises(AccountError) as caught:
        new_ring().read(print, environment)
    assert not given or given not in str(caught.value)


@pytest.mark.parametrize("what", ["missing", "folder", "binary", "empty"])
def test_a_file_that_holds_no_key_is_an_account_problem(tmp_path: Path, what: str) -> None:
    file = tmp_path / "key"
    match what:
        case "folder":
            file.mkdir()
        case "binary":
            file.write_bytes(b"\xff\xfe\xff")
        case "empty":
            file.touch()
    with pytest.raises(AccountError, match=FILE_VARIABLE):
        new_ring().read(print, {FILE_VARIABLE: str(file)})


def test_the_key_is_not_in_the_rings_words() -> None:
    ring = new_ring()
    ring.read(print, {VARIABLE: KEY})
    assert KEY not in repr(ring)
