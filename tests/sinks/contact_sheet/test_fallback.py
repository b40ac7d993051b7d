from collections.abc import Iterator
from pathlib import Path

import pytest

from relightflow.sinks.contact_sheet import fallback
from tests.sinks.contact_sheet.fontfile import font

LATIN = Path(fallback.__file__).parent / "fonts/Roboto-Regular.ttf"


@pytest.fixture(autouse=True)
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fallback, "_FOLDERS", ())
    fallback._installed.cache_clear()
    fallback._font_for.cache_clear()
    yield
    fallback._installed.cache_clear()
    fallback._font_for.cache_clear()


@pytest.mark.parametrize("form", [4, 12])
def test_a_font_shows_the_characters_of_its_table(form: int, tmp_path: Path) -> None:
    path = tmp_path / "a.ttf"
    path.write_bytes(font("日本", form))
    assert [fallback.shows(path, c) for c in "日本語a\uffff"] == [True, True, False, False, False]


def test_a_collection_is_read_by_its_first_font(tmp_path: Path) -> None:
    path = tmp_path / "a.ttc"
    inner = font("日")
    moved = bytearray(inner)
    for number in range(7):  # offsets count from the beginning of the file
        at = 12 + 16 * number + 8
        offset = int.from_bytes(inner[at : at + 4], "big") + 16
        moved[at : at + 4] = offset.to_bytes(4, "big")
    path.write_bytes(b"ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10" + bytes(moved))
    assert fallback.shows(path, "日")


def test_the_shipped_font_is_read_too() -> None:
    assert fallback.shows(LATIN, "é")
    assert not fallback.shows(LATIN, "日")


def test_named_fonts_come_first_and_in_their_order(tmp_path: Path) -> None:
    for name, characters in (("a", "日"), ("b", "日本")):
        (tmp_path / f"{name}.ttf").write_bytes(font(characters))
    a, b = tmp_path / "a.ttf", tmp_path / "b.ttf"
    with fallback.named([a], {"RELIGHTFLOW_FONTS": f"{tmp_path / 'none.ttf'}:{b}"}):
        assert [fallback.font_for(c) for c in "日本語"] == [a, b, None]
    assert fallback.font_for("日") is None


def test_the_system_s_fonts_are_found_those_like_ours_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "share/fonts/deep"
    folder.mkdir(parents=True)
    for name in (
        "Zeta.ttf",
        "NotoSerif.ttf",
        "NotoRashi.otf",
        "NotoSansX-Bold.ttf",
        "LastResort.ttf",
    ):
        (folder / name).write_bytes(font("ש"))
    (folder / "readme.txt").write_bytes(font("ש"))
    monkeypatch.setattr(fallback, "_FOLDERS", (str(tmp_path / "none"), str(tmp_path / "share")))
    fallback._installed.cache_clear()
    assert [path.name for path in fallback._installed()] == [
        "NotoRashi.otf", "Zeta.ttf", "NotoSansX-Bold.ttf", "NotoSerif.ttf",
    ]  # fmt: skip
    assert fallback.font_for("ש") == folder / "NotoRashi.otf"


@pytest.mark.parametrize("data", [b"", b"ttcf", b"\x00\x01\x00\x00\xff\xff", font("日")[:90]])
def test_a_damaged_font_shows_nothing(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.ttf"
    path.write_bytes(data)
    assert not fallback.shows(path, "日")
