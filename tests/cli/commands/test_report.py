import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.cli.program import Relightflow

from .conftest import Write


def data(page: Path) -> dict[str, object]:
    """The head that data.js hands to the page."""
    text = page.with_name("data.js").read_text()
    found = re.search(r"\.push\((.*)\);", text)
    assert found
    head: dict[str, object] = json.loads(found[1])
    return head


def test_a_recipe_is_shown_as_it_stands(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    before = relightflow("report", "spring.yaml", "-o", "before")
    assert before.returncode == 0, before.stderr
    assert data(tmp_path / "before/index.html")["counts"] == {
        "done": 0, "failed": 0, "unknown": 0, "pending": 0, "missing": 2
    }  # fmt: skip
    relightflow("run", "spring.yaml")
    done = relightflow("report", "spring.yaml", "--price-with", "segmind", "--json")
    assert json.loads(done.stdout)["images"] == 2
    head = data(tmp_path / "report/index.html")
    assert head["price"] == {
        "backend": "segmind", "model": "segmind-relighting", "low": 50_000, "high": 50_000
    }  # fmt: skip
    assert head["folders"] == ["../out/"], "full images are the files that were delivered"


def test_a_manifest_gives_the_same_page_as_its_recipe(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    relightflow("report", "spring.yaml", "-o", "one")
    relightflow("report", "out/manifest.jsonl", "-o", "two")
    relightflow("report", "out", "-o", "three")
    one, two, three = (data(tmp_path / name / "index.html") for name in ("one", "two", "three"))
    assert two == three
    for fact in ("runs", "axes", "counts", "folders", "looks"):
        assert one[fact] == two[fact]


def test_the_same_state_gives_the_same_bytes(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")

    def files(name: str) -> dict[str, bytes]:
        assert relightflow("report", "spring.yaml", "-o", name).returncode == 0
        folder = tmp_path / name
        return {
            str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
        }

    assert files("one") == files("two") == files("one")
    for name in ("a", "b"):
        assert relightflow("report", "spring.yaml", "--zip", "-o", name).returncode == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as held:
        copies = [name for name in held.namelist() if name.startswith("gallery/i/")]
        assert len(copies) == 3, "two results and the input image"


def test_copies_make_it_whole_and_none_leaves_them_out(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    relightflow("report", "spring.yaml", "--full", "copy")
    assert len(list(tmp_path.glob("report/i/*/*"))) == 3
    relightflow("report", "spring.yaml", "--full", "none")
    assert not list(tmp_path.glob("report/i/*/*")), "what an earlier gallery left is removed"
    assert len(list(tmp_path.glob("report/t/*/*.webp"))) == 3


def test_only_and_failed_select(relightflow: Relightflow, write: Write, tmp_path: Path) -> None:
    write()
    relightflow("run", "spring.yaml")
    for shown in ("spring.yaml", "out/manifest.jsonl"):
        relightflow("report", shown, "--only", "light_direction=left")
        assert data(tmp_path / "report/index.html")["cells"] == 1
        relightflow("report", shown, "--failed")
        assert data(tmp_path / "report/index.html")["cells"] == 0
        wrong = relightflow("report", shown, "--only", "colour=red")
        assert (wrong.returncode, "colour" in wrong.stderr) == (2, True)


def test_somebody_elses_page_is_left_alone(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    (tmp_path / "report").mkdir()
    (tmp_path / "report/index.html").write_text("<h1>mine</h1>")
    refused = relightflow("report", "spring.yaml")
    assert refused.returncode == 9
    assert "was not written by relightflow" in refused.stderr
    assert (tmp_path / "report/index.html").read_text() == "<h1>mine</h1>"
    assert relightflow("report", "spring.yaml", "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no JSON", "m.jsonl:2: this is not a record of a manifest: not valid JSON"),
        ('{"record": "other"}', "'record' is none of recipe, output, rejected"),
        ('{"record": "output", "status": "done"}', "'source' is not an object"),
    ],
)
def test_a_file_that_is_no_manifest_is_named(
    relightflow: Relightflow, tmp_path: Path, line: str, words: str
) -> None:
    head = {
        "record": "recipe", "format": 1, "recipe": {"name": "a", "sha256": "0" * 64},
        "backend": "preview", "model": "preview",
    }  # fmt: skip
    (tmp_path / "m.jsonl").write_text(json.dumps(head) + f"\n{line}\n")
    done = relightflow("report", "m.jsonl")
    assert done.returncode == 2
    assert words in done.stderr


def test_a_strangers_manifest_leads_to_no_file_outside_its_folder(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    folder = tmp_path / "theirs"
    folder.mkdir()
    lines = (tmp_path / "out/manifest.jsonl").read_text().splitlines()
    evil = [re.sub(r'"path":"[^"]*"', '"path":"../shoe.png"', line) for line in lines]
    (folder / "manifest.jsonl").write_text("\n".join(evil))
    done = relightflow("report", "theirs", "--state", "elsewhere", "-o", "page")
    assert done.returncode == 0, done.stderr
    head = data(tmp_path / "page/index.html")
    assert head["folders"] == []
    assert not list(tmp_path.glob("page/t/*/*"))
