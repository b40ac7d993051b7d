from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from relightflow.core import digest
from relightflow.core.digest import remember, sha256_of


def expected(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("data", [b"", b"one", bytes(2 << 20)])
def test_it_is_the_hash_however_often_it_is_asked_for(data: bytes) -> None:
    assert [sha256_of(data), sha256_of(data)] == [expected(data)] * 2
    assert sha256_of(data + b"x") == expected(data + b"x")
    assert sha256_of(data) == expected(data)


def test_the_same_object_is_hashed_once_and_an_equal_one_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[bytes] = []

    real = hashlib.sha256

    def counting(data: bytes) -> Any:
        hashed.append(data)
        return real(data)

    monkeypatch.setattr(hashlib, "sha256", counting)
    one, other = bytes(bytearray(b"some bytes")), bytes(bytearray(b"some bytes"))
    assert sha256_of(one) == sha256_of(one) == sha256_of(other)
    assert len(hashed) == 2


def test_what_somebody_else_has_hashed_is_believed_for_that_object_alone() -> None:
    one, other = bytes(bytearray(b"some bytes")), bytes(bytearray(b"some bytes"))
    remember(one, "known")
    assert sha256_of(one) == "known"
    assert sha256_of(other) == expected(other)


def test_what_is_large_is_not_held() -> None:
    sha256_of(b"small")
    sha256_of(bytes((1 << 20) + 1))
    assert digest._last.data == b"small"


def test_every_thread_remembers_for_itself() -> None:
    data = [bytes([n]) * 1000 for n in range(50)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sha256_of, data * 4)) == [expected(d) for d in data] * 4
