from __future__ import annotations

import hashlib
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from relightflow.sources.urls import download_cache
from relightflow.sources.urls.download_cache import DownloadCache


def put(where: DownloadCache, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    where.put(digest, data)
    return digest


def test_what_is_kept_is_given_back(tmp_path: Path) -> None:
    digest = put(DownloadCache(tmp_path), b"one")
    assert DownloadCache(tmp_path).get(digest) == b"one"
    assert DownloadCache(tmp_path).get("0" * 64) is None


def test_what_does_not_match_its_hash_is_thrown_away(tmp_path: Path) -> None:
    digest = put(DownloadCache(tmp_path), b"one")
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(b"two")
    assert DownloadCache(tmp_path).get(digest) is None
    assert not path.exists()


def test_the_oldest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_cache, "MOST", 10)
    where = DownloadCache(tmp_path)
    digests = [put(where, bytes([n]) * 4) for n in range(4)]
    for age, digest in enumerate(digests):
        os.utime(tmp_path / "urls" / digest[:2] / digest, (1000 - age, 1000 - age))
    where.prune()
    assert [where.get(digest) is not None for digest in digests] == [True, True, False, False]


def test_a_disk_that_is_nearly_full_is_left_to_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 1 << 30))
    where = DownloadCache(tmp_path)
    assert where.get(put(where, b"one")) is None


def test_without_a_folder_nothing_is_kept() -> None:
    where = DownloadCache(None)
    assert where.get(put(where, b"one")) is None
    where.prune()
