"""Recipes whose images come from web addresses, as the user's whole process."""

from __future__ import annotations

import json
import shutil
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
    def __init__(self, web: Web, *args: object, **options: object) -> None:
        self._web = web
        super().__init__(*args, **options)  # type: ignore[arg-type]  # the base class's own

    def do_GET(self) -> None:
        self._web.asked.append(self.path)
        if self._web.down:
            self.send_error(503)
            return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass


class Web:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A server of two images."""
    folder = tmp_path / "served"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.png").write_bytes(sample_image_bytes(number))
    found = Web()
    handler = partial(_Counting, found, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        found.port = server.server_port
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., None]:
    def write(*urls: str) -> None:
        (tmp_path / "web.yaml").write_text(RECIPE)
        (tmp_path / "list.txt").write_text("\n".join(urls))

    return write


Listed = Callable[..., None]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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


def test_a_plan_keeps_what_it_downloaded_and_nothing_else(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png")
    assert relightflow("plan", "web.yaml", ALLOW).returncode == 0
    state = tmp_path / ".relightflow"
    assert len([*(state / "cache/urls").glob("??/*")]) == 1
    assert not (state / "ledger.sqlite3").exists()
    assert relightflow("plan", "web.yaml", "--offline").returncode == 0


def test_an_outage_shrinks_nothing_and_known_images_go_on(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png", f"{web.base}/1.png")
    assert relightflow("run", "web.yaml", ALLOW).returncode == 0
    before = contents(tmp_path / "out")
    web.down = True
    done = relightflow("run", "web.yaml", ALLOW)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 images of 127.0.0.1 could not be checked" in done.stdout + done.stderr
    assert contents(tmp_path / "out") == before
    more = relightflow("run", "web.yaml", ALLOW, "--set", "matrix.light_direction=[left, top]")
    assert more.returncode == 0, more.stderr
    plan = relightflow("plan", "web.yaml", ALLOW, "--exit-code")
    assert plan.returncode == 0
    gc = relightflow("gc", "web.yaml", ALLOW, "--delete", "--paid", "--json")
    assert gc.returncode == 0, gc.stderr


def test_an_outage_with_new_images_ends_it_before_any_sink_is_touched(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png")
    assert relightflow("run", "web.yaml", ALLOW).returncode == 0
    before = contents(tmp_path / "out")
    listed(f"{web.base}/0.png", f"{web.base}/1.png")
    web.down = True
    done = relightflow("run", "web.yaml", ALLOW, "--json")
    assert done.returncode == 75, done.stdout + done.stderr
    assert "1 image could not be reached now" in done.stderr
    assert "/1.png" in done.stderr
    assert contents(tmp_path / "out") == before
    for options in ((), ("--exit-code",)):
        plan = relightflow("plan", "web.yaml", ALLOW, *options)
        assert plan.returncode == 75
        assert "This plan is incomplete" in plan.stdout + plan.stderr
    gc = relightflow("gc", "web.yaml", ALLOW, "--delete", "--paid")
    assert gc.returncode == 75
    web.down = False
    assert relightflow("run", "web.yaml", ALLOW).returncode == 0
    assert len(contents(tmp_path / "out")) > len(before)


def test_an_outage_after_the_cache_is_gone_loses_nothing_that_was_made(
    relightflow: Relightflow, web: Web, listed: Listed, tmp_path: Path
) -> None:
    listed(f"{web.base}/0.png")
    assert relightflow("run", "web.yaml", ALLOW).returncode == 0
    shutil.rmtree(tmp_path / ".relightflow/cache")
    web.down = True
    assert relightflow("gc", "web.yaml", ALLOW, "--delete", "--paid").returncode == 75
    web.down = False
    web.asked.clear()
    shutil.rmtree(tmp_path / "out")
    done = relightflow("run", "web.yaml", ALLOW, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["calls"] == 0


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
