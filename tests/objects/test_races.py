"""Races against a quick S3 server that honours conditional puts atomically (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from relightflow.objects.bucket import opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.entries import FORMAT
from relightflow.store.marker import init_store
from relightflow.store.shared import SharedStore
from tests.servers import moto as moto_server

WRITERS = 8


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket on a server of its own."""
    with moto_server.moto() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield f"s3://{server.bucket()}/store/"


def test_of_many_who_create_one_object_one_succeeds_and_the_others_hear_it(moto: str) -> None:
    bucket, start = opened(moto), Barrier(WRITERS)

    def create(writer: int) -> bool:
        start.wait()
        try:
            bucket.put("one", b"%d" % writer, only_new=True)
        except ObjectFault as fault:
            if fault.reason is not Reason.CHANGED:
                raise
            return False
        return True

    for race in range(5):
        with ThreadPoolExecutor(WRITERS) as pool:
            won = list(pool.map(create, range(WRITERS)))
        assert sum(won) == 1, race
        assert bucket.get("one") == b"%d" % won.index(True)
        bucket.delete(["one"])


def test_machines_that_publish_one_job_at_a_time_leave_it_whole(moto: str) -> None:
    """Two results of one job are both good images; whichever entry stays, its bytes are there."""
    init_store(opened(moto), pairs=3)
    start = Barrier(WRITERS)
    job = {
        "key": "k" * 64,
        "backend": "segmind",
        "model": "m",
        "image_sha256": "i" * 64,
        "parameters": {"light_direction": "left"},
        "repeat": 0,
    }

    def publish(writer: int) -> None:
        remote = SharedStore(opened(moto))
        start.wait()
        remote.publish(job, b"image %d" % writer)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(publish, range(WRITERS)))
    remote = SharedStore(opened(moto))
    entry = remote.finished(job)
    assert entry
    assert entry["format"] == FORMAT
    assert remote.blob(entry["sha256"])
    assert [bad for _, bad in remote.damaged()] == [False]
