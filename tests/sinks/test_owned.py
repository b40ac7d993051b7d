"""What relightflow did not write it does not replace, whatever the sink and its file are called."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest

from relightflow.errors import RelightflowError
from relightflow.plugins.sink import SinkFailed
from tests.sinks.samples import sample, sink


def _photograph(kind: str) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (60, 40), (200, 10, 10)).save(out, kind)
    return out.getvalue()


KINDS = ("directory", "imagefolder", "webdataset", "zip", "csv", "contact-sheet")
FOREIGN = {
    "notes": b"# My notes\n",
    "a manifest of another program": b'{"record": "x"}\n',
    "a photograph": _photograph("JPEG"),
    "a table": b"index,name\n1,a\n",
    "an archive": b"PK\x03\x04" + b"x" * 100,
    "nothing but zeros": bytes(2000),
}


def _made(kind: str, folder: Path) -> dict[str, bytes]:
    """Every file that the sink makes when a run is over."""
    options = {"sources": True} if kind in ("imagefolder", "webdataset") else {}
    made = sink(kind, folder, **options).finalize(sample(folder))
    out = folder / "recipe/out"
    return {artifact.path: (out / artifact.path).read_bytes() for artifact in made}


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("kind", KINDS)
def test_somebody_elses_file_stays_at_every_fixed_name(
    tmp_path: Path, kind: str, foreign: str
) -> None:
    for path in _made(kind, tmp_path):
        file = tmp_path / "recipe/out" / path
        own = file.read_bytes()
        file.write_bytes(FOREIGN[foreign])
        options = {"sources": True} if kind in ("imagefolder", "webdataset") else {}
        with pytest.raises(SinkFailed, match=r"was not written by relightflow.*--overwrite"):
            sink(kind, tmp_path, **options).finalize(sample(tmp_path))
        assert file.read_bytes() == FOREIGN[foreign]
        again = sink(kind, tmp_path, **options)
        again.finalize(replace(sample(tmp_path), overwrite=True))
        assert file.read_bytes() == own


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_files_are_known_again_where_the_ledger_is_new(tmp_path: Path, kind: str) -> None:
    first = _made(kind, tmp_path)
    assert _made(kind, tmp_path) == first


PLACES = (
    ".git", ".git/hooks", "a/.git", ".GIT/hooks", ".gi\u200dt", ".git.", "git~1", ".relightflow",
    ".relightflow/blobs", "a/.relightflow", ".hg", ".svn", ".jj", "bare", "bare/hooks", "state/x",
    "link", "link/hooks",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_sink_writes_into_a_repository_or_a_state(tmp_path: Path, kind: str, place: str) -> None:
    recipe = tmp_path / "recipe"
    for made in (".git/hooks", ".relightflow", "bare/objects", "bare/refs", "state/blobs"):
        (recipe / made).mkdir(parents=True)
    (recipe / "bare/HEAD").write_text("")
    (recipe / "state/ledger.sqlite3").write_text("")
    (recipe / "link").symlink_to(recipe / ".git")
    before = sorted(recipe.rglob("*"))
    with pytest.raises(RelightflowError, match=r"may not write|symbolic link"):
        sink(kind, tmp_path, path=place).finalize(replace(sample(tmp_path), overwrite=True))
    assert sorted(recipe.rglob("*")) == before


@pytest.mark.parametrize("name", [".git/config", ".git", "a/.relightflow/x.png", "state/x.png"])
def test_no_single_image_gets_there_by_its_name(tmp_path: Path, name: str) -> None:
    state = tmp_path / "recipe/state"
    state.mkdir(parents=True)
    for made in ("ledger.sqlite3", "lock"):
        (state / made).write_text("")
    with pytest.raises(RelightflowError, match="may not write"):
        sink("directory", tmp_path, path=".").write(name, b"x", "image/png")
    assert not (tmp_path / "recipe" / name).exists()
