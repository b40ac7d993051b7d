from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import RefusedError, UsageError
from relightflow.model.image import Image, Rejected, Remark
from relightflow.model.values import FrozenMap
from relightflow.plugins.executor import TaskRefused
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import StaleImage
from relightflow.sources import manifest
from relightflow.sources.manifest import Manifest
from tests.sources.conftest import image_bytes
from tests.sources.worker import Worker

Put = Callable[..., Path]
HEAD = {"record": "recipe", "format": 1}


def output(path: str, data: bytes, **facts: Any) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"record": "output", "status": "done", "path": path, "sha256": digest, **facts}


@pytest.fixture
def write(project: Path, put: Put) -> Callable[..., None]:
    """`write({"a.png": b"…"}, extra records…)`: images and the manifest beside them, in out/."""

    def write(files: dict[str, bytes], *more: dict[str, Any]) -> None:
        records = [HEAD, *(output(path, data) for path, data in files.items()), *more]
        for path, data in files.items():
            put(f"out/{path}", data)
        lines = "\n".join(json.dumps(record) for record in records)
        put("out/manifest.jsonl", lines.encode() + b"\n")

    return write


Write = Callable[..., None]


def source(project: Path, avoid: tuple[Path, ...] = (), **options: Any) -> Manifest:
    told = FrozenMap({"path": "out/manifest.jsonl", **options})
    return Manifest(SourceContext(project, told, 3, cache=project / ".cache", avoid=avoid))


def names(found: Manifest) -> list[str]:
    return [item.name for item in found.scan() if isinstance(item, Image)]


def test_finished_outputs_come_in_the_manifest_s_order(project: Path, write: Write) -> None:
    data = {f"{name}/left.png": image_bytes(kind="PNG", shade=n) for n, name in enumerate("cab")}
    failed = {"record": "output", "status": "failed", "path": "z.png", "sha256": "0"}
    pathless = {"record": "output", "status": "done", "sha256": "0"}
    rejected = {"record": "rejected", "source": {"name": "x"}, "error": "y"}
    write(data, failed, pathless, rejected)
    found = source(project, delivery="inline")
    first, *_ = found.scan()
    assert names(found) == ["c/left.png", "a/left.png", "b/left.png"]
    assert isinstance(first, Image)
    assert (first.media_type, first.width, first.source) == ("image/png", 8, 3)
    assert first.delivery == "inline"
    assert found.read(first) == data["c/left.png"]


def test_patterns_choose_by_path(project: Path, write: Write) -> None:
    data = image_bytes()
    write({"a/left.jpg": data, "a/right.jpg": data, "b/left.jpg": data, ".x/left.jpg": data})
    assert names(source(project, include=["*/left.jpg"])) == ["a/left.jpg", "b/left.jpg"]
    assert names(source(project, exclude=["b", "*/right*", ".*"])) == ["a/left.jpg"]


def test_a_pattern_that_matches_no_image_is_told(project: Path, write: Write) -> None:
    write({"a/left.jpg": image_bytes(), "b/left.jpg": image_bytes()})
    (said,) = source(project, include=["*"]).scan()
    assert isinstance(said, Remark)
    assert said.message.startswith(
        "'*' matches none of the 2 images in the manifest, which are in "
    )
    assert (said.field, said.source) == ("include", 3)


def test_a_path_that_is_there_twice_is_one_image(project: Path, write: Write) -> None:
    write({"a.jpg": image_bytes()}, output("a.jpg", image_bytes()))
    assert names(source(project)) == ["a.jpg"]


def test_an_image_that_is_not_what_the_manifest_says_is_left_out(
    project: Path, write: Write, put: Put
) -> None:
    write({"a.jpg": image_bytes(), "b.jpg": image_bytes(), "c.jpg": image_bytes()})
    put("out/a.jpg", image_bytes(shade=7))
    (project / "out/b.jpg").unlink()
    first, second, third = source(project).scan()
    assert isinstance(first, Rejected)
    assert "does not match the manifest" in first.reason
    assert isinstance(second, Rejected)
    assert isinstance(third, Image)


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/passwd", "a/../../secret.jpg", "a\0b", ""])
def test_a_path_that_leads_out_is_refused(project: Path, put: Put, write: Write, path: str) -> None:
    data = put("secret.jpg").read_bytes()
    write({}, output(path, data))
    (item,) = source(project).scan()
    assert isinstance(item, Rejected)
    assert item.refused


@pytest.mark.parametrize("link", ["a.jpg", "folder"])
def test_a_link_is_not_followed(project: Path, put: Put, write: Write, link: str) -> None:
    data = put("elsewhere/a.jpg").read_bytes()
    write({}, output("a.jpg" if link == "a.jpg" else "folder/a.jpg", data))
    target = project / "elsewhere" / ("a.jpg" if link == "a.jpg" else "")
    (project / "out" / link).symlink_to(target)
    (item,) = source(project).scan()
    assert isinstance(item, Rejected)


def test_a_manifest_outside_the_recipe_s_folder_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (project / "out").symlink_to(tmp_path / "other")
    with pytest.raises(RefusedError, match="symbolic link that leads out of"):
        source(project)


def test_results_never_become_their_own_inputs(project: Path, write: Write) -> None:
    write({})
    with pytest.raises(UsageError, match="results would become inputs"):
        source(project, avoid=(project / "out",))


def test_a_manifest_that_is_not_there_yet_says_what_to_do(project: Path) -> None:
    with pytest.raises(UsageError, match="run the recipe that creates it first"):
        list(source(project).scan())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"no json\n", 1),
        (b'{"record": "output"}\n', 1),
        (b'{"record": "recipe", "format": 2}\n', 1),
        (b'{"record": "recipe", "format": 1}\n{"record": "output"}\n', 2),
        (b'{"record": "recipe", "format": 1}\n[]\n', 2),
        (b'{"record": "recipe", "format": 1}\n' + b"[" * 100_000, 2),
        (b'{"record":"recipe","format":1}\n{"record":"output","status":"done","path":1,"sha256":"x"}', 2),
        (b'{"record":"recipe","format":1}\n{"record":"output","status":"done","path":"\\ud800","sha256":""}', 2),
        (b"\xff\n", 1),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_told_with_its_line(
    project: Path, put: Put, text: bytes, line: int
) -> None:
    put("out/manifest.jsonl", text)
    with pytest.raises(UsageError, match=rf"out/manifest\.jsonl:{line}: "):
        list(source(project).scan())


def test_a_file_that_changed_or_vanished_is_stale(project: Path, write: Write, put: Put) -> None:
    write({"a.jpg": image_bytes()})
    found = source(project)
    (image,) = found.scan()
    assert isinstance(image, Image)
    put("out/a.jpg", image_bytes(shade=7))
    with pytest.raises(StaleImage, match="changed after"):
        found.read(image)
    (project / "out/a.jpg").unlink()
    with pytest.raises(StaleImage, match="can no longer be read"):
        found.read(image)


def test_workers_read_and_hash_what_is_new(project: Path, put: Put, write: Write) -> None:
    data = {f"{name}/left.png": image_bytes(kind="PNG", shade=n) for n, name in enumerate("cab")}
    write(data)
    put("out/a/left.png", image_bytes(kind="PNG", shade=9))
    alone = list(source(project).scan())
    assert [type(item) for item in alone] == [Image, Rejected, Image]

    def asked(worker: Worker) -> Manifest:
        told = FrozenMap({"path": "out/manifest.jsonl"})
        return Manifest(SourceContext(project, told, 3, ask=worker))

    worker = Worker()
    assert list(asked(worker).scan()) == alone
    assert worker.names == ["examine"] * 3
    assert list(asked(Worker(refuses=True)).scan()) == alone


def test_a_worker_that_sees_another_file_of_that_name_is_not_believed(
    project: Path, write: Write
) -> None:
    write({"a.png": image_bytes(kind="PNG")})
    facts = (project / "out/a.png").stat()
    folder = str(project / "out")
    known = manifest._examined_apart(folder, "a.png", facts.st_size, facts.st_mtime_ns)
    assert known.size == facts.st_size
    with pytest.raises(TaskRefused, match="another file of the same name"):
        manifest._examined_apart(folder, "a.png", facts.st_size, 0)


def test_a_file_that_changed_while_a_worker_read_it_is_read_here(
    project: Path, write: Write
) -> None:
    write({"a.png": image_bytes(kind="PNG")})
    path = project / "out/a.png"
    old = path.read_bytes()
    worker = Worker(meanwhile=lambda: path.write_bytes(old + b"changed"))
    told = FrozenMap({"path": "out/manifest.jsonl"})
    (found,) = Manifest(SourceContext(project, told, 3, ask=worker)).scan()
    assert isinstance(found, Rejected)
