from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relightflow.errors import DamagedError
from relightflow.gallery.thumbnails import SIZE, ThumbnailRequest, Thumbnails, make_all
from relightflow.images import probe
from tests.gallery.conftest import image_bytes


def test_a_thumbnail_is_made_once_and_a_damaged_one_again(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path)
    reads = []

    def read() -> bytes:
        reads.append(1)
        return image_bytes("x", 1000, 500)

    ((_, data),) = make_all(thumbnails, [ThumbnailRequest("ab" * 32, read)])
    assert data
    assert probe(data).media_type == "image/webp"
    assert (probe(data).width, probe(data).height) == (SIZE, SIZE // 2)
    assert thumbnails.held("ab" * 32) == data
    file = thumbnails.file("ab" * 32)
    assert file
    file.write_bytes(data[:-1])
    assert thumbnails.held("ab" * 32) is None


def test_a_missing_or_damaged_image_has_no_thumbnail(tmp_path: Path) -> None:
    def damaged() -> bytes:
        raise DamagedError("the blob is damaged")

    wanted = [
        ThumbnailRequest("ef" * 32, damaged),
        ThumbnailRequest("ab" * 32, lambda: None),
        ThumbnailRequest("cd" * 32, lambda: b"no image"),
    ]
    assert [data for _, data in make_all(Thumbnails(tmp_path), wanted)] == [None] * 3


def test_without_a_cache_a_thumbnail_is_made_and_kept_nowhere() -> None:
    thumbnails = Thumbnails(None, 16)
    made = thumbnails.make(ThumbnailRequest("ab" * 32, lambda: image_bytes("x")))
    assert made
    assert probe(made).width == 16
    assert (thumbnails.file("ab" * 32), thumbnails.held("ab" * 32)) == (None, None)


def test_sizes_do_not_answer_for_each_other(tmp_path: Path) -> None:
    small, large = Thumbnails(tmp_path, 16), Thumbnails(tmp_path, 32)
    small.make(ThumbnailRequest("ab" * 32, lambda: image_bytes("x")))
    assert small.held("ab" * 32)
    assert large.held("ab" * 32) is None


def test_thumbnails_come_in_the_order_asked_for_and_images_are_read_a_few_at_a_time() -> None:
    asked: list[int] = []

    def requests() -> Iterator[ThumbnailRequest]:
        for number in range(300):
            asked.append(number)
            yield ThumbnailRequest(f"{number:064x}", lambda: None)

    made = make_all(Thumbnails(None), requests())
    assert next(made)[0] == f"{0:064x}"
    assert len(asked) < 100, "no more are begun than are looked at soon"
    assert [name for name, _ in made] == [f"{number:064x}" for number in range(1, 300)]
