"""Recipes whose images come from web addresses, as the user's whole process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from relightflow.testing import sample_image_bytes
from tests.cli.program import Relightflow

RECIPE = """\
version: 1
name: web
sources:
  - type: urls
    file: list.txt
backend: {type: preview}
matrix: {light_direction: [left, right]}
sinks: [{type: directory, path: out/}]
"""
ALLOW = "--allow-private-network"


class _Counting(SimpleHTTPRequestHandler):
    def __init__(self, asked: list[str], *args: object, **options: object) -> None:
        self._asked = asked
        super().__init__(*args, **options)  # type: ignore[arg-type]  # the base class's own

    def do_GET(self) -> None:
        self._asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass


class Web:
    def __init__(self, port: int, asked: list[str]) -> None:
        self.asked = asked
        self.port = port
        self.base = f"http://127.0.0.1:{port}"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A server of two images."""
    folder = tmp_path / "served"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.png").write_bytes(sample_image_bytes(number))
    asked: list[str] = []
    handler = partial(_Counting, asked, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Web(server.server_port, asked)
        server.shutdown()
        thread.join()


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., None]:
    def write(*urls: str) -> None:
        (tmp_path / "web.yaml").write_text(RECIPE)
        (tmp_path / "list.txt").write_text("\n".join(urls))

    return write


Listed = Callable[..., None]


def test_a_private_address_ends_with_9_and_is_not_asked(
    relightflow: Relightflow, web: Web, listed: Listed
) -> None:
    listed(f"{web.base}/0.png")
    done = relightflow("run", "web.yaml")
    assert done.returncode == 9
    assert "--allow-private-network" in done.stdout + done.stderr
    assert web.asked == []


def test_the_operator_may_allow_it(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png", f"{web.base}/1.png", f"{web.base}/gone.png")
    done = relightflow("run", "web.yaml", ALLOW)
    assert done.returncode == 1
    assert "not found (404)" in done.stdout + done.stderr
    assert len([*(tmp_path / "out").glob("*.png")]) == 4


def test_an_image_is_fetched_once_for_plan_and_run(
    relightflow: Relightflow, web: Web, listed: Listed
) -> None:
    listed(f"{web.base}/0.png")
    assert relightflow("run", "web.yaml", ALLOW).returncode == 0
    assert web.asked == ["/0.png"]


def test_a_plan_leaves_no_folder_behind(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png")
    assert relightflow("plan", "web.yaml", ALLOW).returncode == 0
    assert not (tmp_path / ".relightflow").exists()


def test_a_second_run_can_do_without_the_network(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png")
    relightflow("run", "web.yaml", ALLOW)
    manifest = (tmp_path / "out/manifest.jsonl").read_bytes()
    web.asked.clear()
    assert relightflow("run", "web.yaml", "--offline").returncode == 0
    assert web.asked == []
    assert (tmp_path / "out/manifest.jsonl").read_bytes() == manifest


def test_a_credential_reaches_no_file_and_no_screen(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(
        f"http://user:SECRET@127.0.0.1:{web.port}/0.png?X-Amz-Signature=SECRET",
        f"http://user:SECRET@127.0.0.1:{web.port}/gone.png?sig=SECRET",
        "ftp://user:SECRET@example.com/a.png?sig=SECRET",
        f"http://user:SECRET@127.0.0.1:{web.port}\\0.png?sig=SECRET",
    )
    plan = relightflow("plan", "web.yaml", ALLOW, "--json")
    run = relightflow("run", "web.yaml", ALLOW, "--json")
    again = relightflow("run", "web.yaml", ALLOW)
    said = "".join(done.stdout + done.stderr for done in (plan, run, again))
    assert f"http://127.0.0.1:{web.port}/gone.png" in said
    assert "SECRET" not in said
    files = [
        path
        for folder in (".relightflow", "out")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    ]
    assert len(files) > 5
    assert not [p for p in files if b"SECRET" in p.read_bytes() or "SECRET" in str(p)]


def test_the_results_of_one_recipe_are_the_images_of_the_next(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png")
    relightflow("run", "web.yaml", ALLOW)
    chained = RECIPE.replace("type: urls", "type: manifest").replace(
        "file: list.txt", "path: out/manifest.jsonl"
    )
    (tmp_path / "next.yaml").write_text(chained.replace("path: out/}", "path: next/}"))
    assert relightflow("run", "next.yaml").returncode == 0
    lines = (tmp_path / "next/manifest.jsonl").read_text().splitlines()
    names = {json.loads(line)["source"]["name"] for line in lines[1:]}
    assert names == {path.name for path in (tmp_path / "out").glob("*.png")}
