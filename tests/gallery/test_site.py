"""The files of a gallery: safe on every host, the same bytes every time, thumbnails made once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.errors import UsageError
from relightflow.gallery.data import PART
from relightflow.gallery.entries import MOST
from relightflow.gallery.site import FIXED, Site, build, is_ours, page
from relightflow.gallery.thumbnails import Thumbnails
from tests.gallery.conftest import Stage, image_bytes


class Memory:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def write(self, path: str, data: bytes, source: Path | None = None) -> None:
        self.files[path] = data


def made(stage: Stage, *runs: object, **site: object) -> dict[str, bytes]:
    memory = Memory()
    asked = Site(stage.folder / "report", **site)  # type: ignore[arg-type]
    build(runs or (stage.run(),), asked, Thumbnails(stage.folder / "cache"), memory)  # type: ignore[arg-type]
    return memory.files


def test_the_same_runs_give_the_same_bytes(stage: Stage) -> None:
    assert made(stage) == made(stage)


def test_a_page_allows_nothing_but_its_own_files() -> None:
    files = dict(page())
    html = files["index.html"].decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src")
    assert not re.search(r"<script(?! defer src=)|<style|\son\w+=|https?:", html)
    assert "http://" not in files["app.js"].decode()
    assert "https://" not in files["app.js"].decode()
    assert len(files["index.html"]) < 20_000
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
    ):
        assert word not in files["app.js"].decode(), word


def test_our_files_say_so(stage: Stage) -> None:
    files = made(stage)
    assert all(is_ours(files[name][:100], b"") for name in FIXED)


def test_names_of_files_suit_every_upload(stage: Stage) -> None:
    run = stage.run(images=['a"b:c<d>e|f*g?h.png'])
    assert not [name for name in made(stage, run, full="copy") if set(name) & set('":<>|*?\r\n')]


def test_links_cannot_mean_anything_else(stage: Stage) -> None:
    run = stage.run(images=["a.png"])
    odd = stage.folder / "javascript:alert(1)" / 'a"#?.png'
    odd.parent.mkdir()
    odd.write_bytes(image_bytes("a"))
    run = replace(run, images=replace(run.images, find_input=lambda _: odd))  # type: ignore[type-var]
    assert b'"full":"../javascript%3Aalert%281%29/a%22%23%3F.png"' in made(stage, run)["data.js"]


def test_a_gallery_without_full_images_names_none(stage: Stage) -> None:
    assert b'"path":null' in made(stage, full="none")["data.js"]


def test_large_sweeps_are_split_and_too_large_ones_refused(stage: Stage) -> None:
    run = stage.run(images=["a.png"], axes={"n": (1,)}, with_bytes=False)
    many = replace(run, entries=list(run.entries) * (PART + 1))
    assert {"data.js", "data-1.js"} <= made(stage, many).keys()
    with pytest.raises(UsageError, match="more than a page holds"):
        made(stage, replace(run, entries=list(run.entries) * (MOST + 1)))
