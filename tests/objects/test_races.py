"""Races against a quick S3 server that honours conditional puts atomically (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import boto3
import pytest
from moto.server import ThreadedMotoServer

from relightflow.objects.bucket import opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.shared import FORMAT, SharedStore

WRITERS = 8


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket on a server of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "racer",
        "AWS_SECRET_ACCESS_KEY": "made-up-for-a-race",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="races")
    client.close()
    yield "s3://races/store/"
    server.stop()


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
