from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.values import FrozenMap


def job_of(name: str = "one", backend: str = "studio") -> Job:
    image = Image("a.png", "a" * 64, 1, 1, 1, "image/png", 0, "")
    key = sha256(name.encode()).hexdigest()
    return Job(key, image, backend, "glow", FrozenMap({"shade": 1}), 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path)
    yield ledger
    ledger.close()
