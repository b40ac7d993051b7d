"""Galleries of made-up sweeps, and a real browser that opens them from the disk without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from relightflow.gallery.entries import Entry, Input, ManifestHead
from relightflow.gallery.local_images import LocalImages
from relightflow.gallery.run import GalleryRun
from relightflow.images import encode
from relightflow.model.values import FrozenMap, Scalar
from relightflow.report.gallery import ImageRequest
from relightflow.report.gallery import write as write_gallery

MISSING = (
    "the gallery is tested in Chromium, which is not here; on Debian: apt install chromium "
    "(another place: CHROMIUM=/path/to/chromium)"
)
AXES = {"light_direction": ("left", "right", "top"), "light_temperature": ("warm", "cool")}


def image_bytes(seed: str, width: int = 48, height: int = 32) -> bytes:
    """A PNG in a colour of its own."""
    colour = np.frombuffer(sha256(seed.encode()).digest()[:3], dtype=np.uint8)
    return encode(np.broadcast_to(colour, (height, width, 3)).copy(), "image/png")


@dataclass
class Stage:
    """Makes galleries in a folder."""

    folder: Path

    def run(
        self,
        images: Sequence[str] = ("photos/a.png", "photos/b.png"),
        axes: Mapping[str, Sequence[Scalar]] = AXES,
        repeat: int = 1,
        backend: str = "preview",
        with_bytes: bool = True,
    ) -> GalleryRun:
        """Every cell done, with an image of its own colour."""
        entries = [
            self._entry(name, dict(zip(axes, values, strict=True)), again, backend, with_bytes)
            for name in images
            for values in product(*axes.values())
            for again in range(repeat)
        ]
        head = ManifestHead("spring", "0" * 64, backend, backend)
        inputs = {digest(f"input {name}"): image_bytes(f"input {name}") for name in images}
        found = LocalImages(
            self.folder / "blobs", read_input=lambda image: inputs.get(image.sha256)
        )
        return GalleryRun(head, entries, (), "1" * 64, found)

    def _entry(
        self, name: str, cell: Mapping[str, Scalar], repeat: int, backend: str, with_bytes: bool
    ) -> Entry:
        seed = f"{backend} {name} {sorted(cell.items(), key=str)} {repeat}"
        data = image_bytes(seed) if with_bytes else seed.encode()
        sha = sha256(data).hexdigest()
        if with_bytes:
            path = self.folder / "blobs" / sha[:2] / sha
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return Entry(
            job=digest(seed)[:16],
            input=Input(name, digest(f"input {name}")),
            cell=FrozenMap(cell),
            repeat=repeat,
            status="done",
            sha256=sha,
            size=len(data),
            width=48,
            height=32,
            media_type="image/png",
            cost=0,
        )

    def write(self, *runs: GalleryRun, **wanted: object) -> Path:
        """The page of a gallery of `runs`."""
        asked = replace(ImageRequest(self.folder / "report"), **wanted)  # type: ignore[arg-type]
        return write_gallery(runs or (self.run(),), asked, self.folder / "thumbnails").page


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module: the library's event loop runs as long as it is open, and no other loop
    can run in this process meanwhile. Without Chromium a developer is told how to get it; in CI
    that is a failure."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("TESTS_IN_CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()


Opened = Callable[..., Page]


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A profile of its own, off line. Whatever goes wrong in a page fails the test."""
    made = chromium.new_context(
        viewport={"width": 1280, "height": 800}, offline=True, reduced_motion="reduce"
    )
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def opened(context: BrowserContext) -> Iterator[Opened]:
    """Opens a gallery; at the end no page may have said an error or asked a network."""
    wrong: list[str] = []

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error":
            wrong.append(said.text)

    def asked(request: Request) -> None:
        if request.url.startswith("http"):
            wrong.append(f"asked {request.url}")

    def open_(page: Path, hash_: str = "") -> Page:
        tab = context.new_page()
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", heard)
        tab.on("request", asked)
        tab.goto(page.as_uri() + hash_)
        tab.wait_for_function("() => document.body.dataset.ready")
        return tab

    yield open_
    assert not wrong
