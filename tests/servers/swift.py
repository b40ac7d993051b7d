"""A real S3 server on loopback: OpenStack Swift with its s3api middleware, from PyPI alone.

Four processes (proxy, account, container, object) over one-replica rings in a folder that goes with
them. It checks signatures and expiry, does ranges and If-None-Match, answers 501 to If-Match, and
its conditional put is not atomic. The folder needs a file system with user xattrs.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import S3Store

from tests.servers.process import process

LOCK = Path(__file__).parents[2] / "requirements" / "swift.txt"
ACCESS_KEY, SECRET_KEY, REGION = "test:tester", "testing", "us-east-1"
_PATIENCE = 60.0
_MINUTE = timedelta(minutes=1)
_STORES = ("account", "container", "object")

_RINGS = """
import sys
from swift.common.ring import RingBuilder
folder, *ports = sys.argv[1:]
for name, port in zip(("account", "container", "object"), map(int, ports)):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1",
                     "port": port, "device": "disk"})
    builder.rebalance()
    builder.get_ring().save(f"{folder}/{name}.ring.gz")
"""
_COMMON = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}
devices = {folder}/srv
mount_check = false
workers = 0
log_level = ERROR
"""
_STORE = """
[pipeline:main]
pipeline = healthcheck {name}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:{name}-server]
use = egg:swift#{name}
replication_server = false
"""
_PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck bulk s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:slo]
use = egg:swift#slo
"""


@dataclass(frozen=True, slots=True)
class Server:
    """An S3 server that runs, and the one account it knows."""

    endpoint: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY

    @property
    def environment(self) -> Mapping[str, str]:
        """What an operator would have in the environment to use it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
        }

    def bucket(self) -> str:
        """A new and empty bucket."""
        name = f"b-{uuid.uuid4().hex[:20]}"
        # a bucket is made by a PUT of its own URL, which is what an empty key comes to
        store = S3Store(
            name,
            endpoint=self.endpoint,
            access_key_id=self.access_key,
            secret_access_key=self.secret_key,
            region=REGION,
            client_options={"allow_http": True},
        )
        url = obstore.sign(store, "PUT", "", _MINUTE)
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=20).close()
        return name


@contextmanager
def swift(folder: Path, cache: Path) -> Iterator[Server]:
    """Run Swift in `folder` (empty); `cache` keeps its virtual environment for the next time."""
    python = _installed(cache)
    ports = free_ports(4)
    _configure(folder, ports)
    stores = [str(port) for port in ports[1:]]
    subprocess.run([python, "-c", _RINGS, str(folder), *stores], check=True, timeout=_PATIENCE)
    with ExitStack() as stack:
        for name in ("proxy", *_STORES):
            stack.enter_context(_process(python, name, folder))
        for port in ports:
            _wait(port, folder)
        yield Server(f"http://127.0.0.1:{ports[0]}")


def _installed(cache: Path) -> Path:
    """The Python of a virtual environment that has Swift; made once, by whoever comes first."""
    cache.mkdir(parents=True, exist_ok=True)
    locked = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
    home = cache / f"swift-{locked}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = home / "bin/python"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=120)
            pip: list[str | Path] = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
            install = [*pip, "install", "--require-hashes", "--requirement", LOCK]
            subprocess.run(install, check=True, timeout=600)
            (home / "complete").touch()
    return python


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _configure(folder: Path, ports: list[int]) -> None:
    (folder / "srv/disk").mkdir(parents=True)
    hashes = "[swift-hash]\nswift_hash_path_suffix = tests\n"
    (folder / "swift.conf").write_text(hashes, encoding="ascii")
    for name, port in zip(("proxy", *_STORES), ports, strict=True):
        rest = _PROXY if name == "proxy" else _STORE
        text = (_COMMON + rest).format(
            port=port, folder=folder, name=name, region=REGION, secret=SECRET_KEY
        )
        (folder / f"{name}.conf").write_text(text, encoding="ascii")


def _process(python: Path, name: str, folder: Path) -> AbstractContextManager[None]:
    program = python.parent / f"swift-{name}-server"
    command: list[str | Path] = [python, program, folder / f"{name}.conf", "--verbose"]
    return process(command, folder / f"{name}.log", env={"PATH": "/usr/bin:/bin"})


def _wait(port: int, folder: Path) -> None:
    until = time.monotonic() + _PATIENCE
    url = f"http://127.0.0.1:{port}/healthcheck"
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.read().strip() == b"OK":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in folder.glob("*.log"))
    raise AssertionError(f"Swift did not start within {_PATIENCE:.0f} s:\n{logs}")
