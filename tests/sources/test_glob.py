from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relightflow.core.project import Project
from relightflow.errors import RefusedError, UsageError
from relightflow.model.image import Image, PassedOver, Rejected, Remark
from relightflow.model.values import FrozenMap
from relightflow.plugins.executor import TaskRefused
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import StaleImage
from relightflow.sources import files, glob
from relightflow.sources.glob import Glob
from tests.sources.worker import Worker

Put = Callable[..., Path]


def source(
    folder: Path, *include: str, cache: Path | None = None, avoid: tuple[Path, ...] = ()
) -> Glob:
    options = FrozenMap({"include": include or ("**/*",)})
    return Glob(SourceContext(folder, options, index=3, cache=cache, avoid=avoid))


def climbing(folder: Path, *include: str, **options: Any) -> Glob:
    """A source of a recipe in `folder`, with the project that its folder has."""
    given = FrozenMap({"include": include, "exclude": options.pop("exclude", ())})
    return Glob(SourceContext(folder, given, 3, project=Project.of(folder), **options))


def images(found: Glob) -> list[Image]:
    items = list(found.scan())
    return [item for item in items if isinstance(item, Image)]


def rejected(found: Glob) -> dict[str, Rejected]:
    return {item.name: item for item in found.scan() if isinstance(item, Rejected)}


def test_an_image_is_known_by_its_bytes(project: Path, put: Put) -> None:
    path = put("x/a.jpg")
    (image,) = images(source(project))
    assert image == Image(
        name="x/a.jpg",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        width=8,
        height=6,
        media_type="image/jpeg",
        source=3,
        locator=str(path),
    )


def test_the_order_is_natural_and_the_same_each_time(project: Path, put: Put) -> None:
    for number in range(100, 0, -1):
        put(f"img{number}.jpg")
    wanted = [f"img{number}.jpg" for number in range(1, 101)]
    found = source(project)
    assert [image.name for image in images(found)] == wanted
    assert [image.name for image in images(found)] == wanted


def test_what_cannot_be_used_is_named_and_the_rest_goes_on(project: Path, put: Put) -> None:
    put("a.jpg")
    put("empty.jpg", b"")
    put("text.jpg", b"no image at all")
    put("cut.jpg", put("b.jpg").read_bytes()[:-40])
    os.mkfifo(project / "pipe.jpg")
    found = source(project, "*.jpg")
    assert [image.name for image in images(found)] == ["a.jpg", "b.jpg"]
    problems = rejected(found)
    assert sorted(problems) == ["cut.jpg", "empty.jpg", "pipe.jpg", "text.jpg"]
    assert all(item.source == 3 and item.reason for item in problems.values())
    assert not any(item.refused for item in problems.values())


def test_a_file_over_the_cap_is_rejected_unread(project: Path, put: Put) -> None:
    with put("big.jpg").open("r+b") as file:
        file.truncate(files.MAX_BYTES + 1)
    assert "larger than 64 MiB" in rejected(source(project))["big.jpg"].reason


def test_a_name_that_is_no_utf8_becomes_text_and_can_still_be_read(project: Path, put: Put) -> None:
    data = put("a.jpg").read_bytes()
    (project / "a.jpg").unlink()
    Path(os.fsdecode(os.fsencode(project) + b"/a\xff.jpg")).write_bytes(data)
    found = source(project)
    (image,) = images(found)
    assert image.name == r"a\xff.jpg"
    assert found.read(image) == data


def test_names_keep_control_characters_for_those_who_show_them_to_escape(
    project: Path, put: Put
) -> None:
    put("a\x1b[31m\n\u202egpj.jpg")
    assert [image.name for image in images(source(project))] == ["a\x1b[31m\n\u202egpj.jpg"]


def test_reading_gives_the_bytes_that_were_hashed(project: Path, put: Put) -> None:
    path = put("a.jpg")
    found = source(project)
    (image,) = images(found)
    assert found.read(image) == path.read_bytes()


def test_a_file_that_changed_or_vanished_is_stale(project: Path, put: Put) -> None:
    path = put("a.jpg")
    found = source(project)
    (image,) = images(found)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(StaleImage, match=r"a\.jpg changed after it was planned; run again"):
        found.read(image)
    path.unlink()
    with pytest.raises(StaleImage, match="can no longer be read"):
        found.read(image)


def test_a_link_that_takes_a_files_place_is_stale(project: Path, put: Put) -> None:
    path = put("a.jpg")
    found = source(project)
    (image,) = images(found)
    path.rename(project / "elsewhere")
    path.symlink_to("elsewhere")
    with pytest.raises(StaleImage):
        found.read(image)


def test_an_image_carries_how_it_is_to_be_delivered(project: Path, put: Put) -> None:
    put("a.jpg")
    options = FrozenMap({"include": ("*.jpg",), "delivery": "inline"})
    assert [i.delivery for i in images(Glob(SourceContext(project, options, 0)))] == ["inline"]


def test_a_sink_in_the_recipes_folder_itself_is_an_error_in_words(project: Path) -> None:
    with pytest.raises(UsageError, match="separate folder"):
        source(project, avoid=(project,))


def test_an_untouched_file_is_not_read_again(
    project: Path, tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        put(f"{number}.jpg")
    first = images(source(project, cache=tmp_path / "cache"))
    (index,) = (tmp_path / "cache").iterdir()
    later = time.time_ns() + 3600 * 10**9
    os.utime(index, ns=(later, later))  # as if the images had been there for an hour
    read: list[str] = []
    real = files.bytes_of

    def reading(path: str) -> bytes:
        read.append(path)
        return real(path)

    monkeypatch.setattr(glob, "bytes_of", reading)
    assert images(source(project, cache=tmp_path / "cache")) == first
    assert read == []
    put("1.jpg", put("2.jpg").read_bytes() + b"\0")
    again = images(source(project, cache=tmp_path / "cache"))
    assert sorted(Path(path).name for path in read) == ["1.jpg", "2.jpg"]
    assert again[0] == first[0]
    assert again[1].sha256 != first[1].sha256


def names(found: Glob) -> list[str]:
    return [item.name for item in found.scan() if isinstance(item, Image | Rejected)]


@pytest.fixture
def recipes(project: Path, put: Put) -> Path:
    """The folder of recipes of a repository, beside its photos."""
    (project / ".git").mkdir()
    for name in ("photos/b.jpg", "photos/sub/draft-a.jpg", "recipes/own/c.jpg", "d.jpg"):
        put(name)
    return project / "recipes"


def test_a_pattern_may_climb_within_the_project(recipes: Path) -> None:
    assert names(climbing(recipes, "../photos/*.jpg")) == ["photos/b.jpg"]
    assert names(climbing(recipes, "own/*", "../photos/**/*.jpg", "../*.jpg")) == [
        "d.jpg",
        "own/c.jpg",
        "photos/b.jpg",
        "photos/sub/draft-a.jpg",
    ]


def test_a_file_that_two_patterns_spell_differently_is_found_once(recipes: Path) -> None:
    assert names(climbing(recipes, "own/*", "../recipes/own/*", "x/../own/c.jpg")) == ["own/c.jpg"]


def test_what_climbs_is_read_again_by_the_same_name(recipes: Path) -> None:
    found = climbing(recipes, "../photos/*.jpg")
    (image,) = images(found)
    assert found.read(image) == (recipes.parent / "photos/b.jpg").read_bytes()


def test_an_exclude_climbs_too_and_stars_reach_everywhere(recipes: Path) -> None:
    everything = ("../photos/**", "own/*")
    assert names(climbing(recipes, *everything, exclude=("../photos/sub",))) == [
        "own/c.jpg",
        "photos/b.jpg",
    ]
    assert names(climbing(recipes, *everything, exclude=("**/draft-*", "../x"))) == [
        "own/c.jpg",
        "photos/b.jpg",
    ]


def test_a_folder_is_no_pattern_though_its_name_looks_like_one(project: Path, put: Put) -> None:
    (project / ".git").mkdir()
    put("shop [x]/own.jpg")
    put("shop x/other.jpg")
    put("a.jpg")
    assert names(climbing(project / "shop [x]", "*.jpg", "../*.jpg")) == ["a.jpg", "own.jpg"]


def test_a_link_may_lead_through_the_project_and_not_out_of_it(
    recipes: Path, tmp_path: Path, put: Put
) -> None:
    (recipes / "all").symlink_to("../photos")
    (recipes / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "secret.jpg").write_bytes(put("x.jpg").read_bytes())
    assert names(climbing(recipes, "all/*.jpg")) == ["all/b.jpg"]
    (item,) = climbing(recipes, "out.jpg").scan()
    assert isinstance(item, Rejected)
    assert item.refused


@pytest.mark.parametrize("pattern", ["../../*.jpg", "own/../../../x/*", "/etc/*", "own/*/../c.jpg"])
def test_a_pattern_that_leaves_the_project_is_refused(recipes: Path, pattern: str) -> None:
    with pytest.raises((RefusedError, UsageError)):
        climbing(recipes, pattern, "../photos/*")


def test_where_results_go_is_not_looked_for_images(recipes: Path) -> None:
    photos = recipes.parent / "photos"
    assert names(climbing(recipes, "../**/*.jpg", avoid=(photos,))) == ["d.jpg", "own/c.jpg"]
    with pytest.raises(UsageError, match="a sink writes directly into a folder"):
        climbing(recipes, "../photos/*.jpg", avoid=(recipes.parent,))


def counted(found: Glob) -> dict[str, int]:
    return {item.kind: item.count for item in found.scan() if isinstance(item, PassedOver)}


def remarks(found: Glob) -> list[str]:
    return [item.message for item in found.scan() if isinstance(item, Remark)]


def test_extensions_are_taken_in_any_case(project: Path, put: Put) -> None:
    for name in ("p/a.JPG", "p/b.Jpeg", "p/c.jpg", "p/D.PNG"):
        put(name)
    assert names(source(project, "p/*.jpg", "p/*.jpeg")) == ["p/a.JPG", "p/b.Jpeg", "p/c.jpg"]


def test_what_no_pattern_means_is_counted_beside_the_images(project: Path, put: Put) -> None:
    put("p/a.jpg")
    for name in ("p/a.xmp", "p/b.HEIC", "p/c.tif", "p/Thumbs.db", "p/.DS_Store", "p/b.heic"):
        put(name, b"x")
    for name in ("recipe.yaml", "README.md", "top.heic"):
        put(name, b"x")
    assert counted(source(project, "p/*.jpg")) == {"XMP": 1, "HEIC": 2, "TIF": 1, "DB": 1}
    assert counted(source(project, "p/*.jpg", "*.jpg")) == {"XMP": 1, "HEIC": 3, "TIF": 1, "DB": 1}


def test_what_is_excluded_or_made_by_a_sink_is_not_counted(project: Path, put: Put) -> None:
    for name in ("p/a.jpg", "p/b.tif", "p/out/c.tif"):
        put(name)
    found = Glob(
        SourceContext(
            project,
            FrozenMap({"include": ("p/**/*.jpg",), "exclude": ("**/*.TIF",)}),
            3,
            avoid=(project / "p/out",),
        )
    )
    assert counted(found) == {}


def test_a_file_that_is_no_image_by_name_and_content_fails_nothing(project: Path, put: Put) -> None:
    put("p/a.jpg")
    for name, data in (
        ("p/Thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("p/a.xmp", b"<x:xmpmeta/>"),
        ("p/notes", b"text"),
        ("p/clip.MOV", b"\0\0\0\x14ftypqt  "),
        ("p/empty.txt", b""),
    ):
        put(name, data)
    put("p/picture.dat", put("p/a.jpg").read_bytes())
    found = source(project, "p/*")
    assert names(found) == ["p/a.jpg", "p/picture.dat"]
    assert counted(found) == {"DB": 1, "XMP": 1, "MOV": 1, "TXT": 1, "other": 1}
    assert rejected(source(project, "p/a.xmp", "p/*.jpg"))["p/a.xmp"].reason.startswith("not a")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (
            "a.CR2",
            b"II*\0\x10\0\0\0CR\2\0",
            "not a supported image (camera raw, Canon CR2): export",
        ),
        ("a.nef", b"MM\0*\0\0\0\x08", "not a supported image (camera raw, Nikon NEF): export"),
        ("a.RAF", b"FUJIFILMCCD-RAW ", "not a supported image (camera raw, Fujifilm RAF): export"),
        ("a.jpg", b"text", "not a supported image: use JPEG"),
        ("a.jpg", b"", "empty file"),
        ("a", b"GIF89a", "not a supported image (GIF)"),
        ("a.psd", b"8BPS", "not a supported image (PSD)"),
        ("a.jpg", b"version https://git-lfs", "not a supported image (a Git LFS pointer)"),
    ],
)
def test_an_image_that_cannot_be_used_is_called_by_its_name(
    project: Path, put: Put, name: str, data: bytes, reason: str
) -> None:
    put(name, data)
    assert rejected(source(project, "*"))[name].reason.startswith(reason)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("foto/*.jpg", "there is no folder 'foto'; 'project' has the folders photos/, raws/"),
        ("Fotos/**/*.jpg", "(did you mean 'photos'?)"),
        ("photos/*.webp", "'photos' has the files JPG 1, PNG 2 and the folder sub/"),
        ("photos/sub/deep/x.jpg", "there is no folder 'deep'; 'sub' has no folders"),
        ("photos\\*.jpg", "write '/' between folders"),
        ("photos/sub/*", "'sub' is empty"),
    ],
)
def test_a_pattern_without_a_match_is_named_with_what_is_there(
    project: Path, put: Put, pattern: str, told: str
) -> None:
    for name in ("photos/a.jpg", "photos/b.png", "photos/c.PNG", "raws/x.jpg"):
        put(name)
    (project / "photos/sub").mkdir()
    (message,) = remarks(source(project, "raws/*", pattern))
    assert message.startswith(f"'{pattern}' matches no file: ")
    assert told in message


def test_patterns_for_other_extensions_of_a_folder_need_no_match(project: Path, put: Put) -> None:
    put("photos/a.jpg")
    assert remarks(source(project, "photos/*.png", "photos/*.jpg", "photos/*.webp")) == []
    (told,) = remarks(source(project, "photos/*.jpg", "other/*.png", "other/*.jpg"))
    assert told.startswith("'other/*.png' (and 1 more of this folder) matches no file: ")


def test_a_pattern_whose_matches_are_all_excluded_is_called_that(project: Path, put: Put) -> None:
    put("photos/a.jpg")
    options = FrozenMap({"include": ("photos/*.jpg",), "exclude": ("**/a*",)})
    found = Glob(SourceContext(project, options, 0))
    assert remarks(found) == ["'photos/*.jpg' matches only what 'exclude' takes out"]


def test_a_folder_is_answered_with_the_pattern_for_what_is_in_it(project: Path, put: Put) -> None:
    put("photos/a.jpg")
    put("recipes/x.jpg")
    for pattern in ("photos", "photos/", "./photos"):
        reason = rejected(source(project, pattern))["photos"].reason
        assert "write 'photos/*' for the images in it, or 'photos/**'" in reason
    (project / ".git").mkdir()
    reason = rejected(climbing(project / "recipes", "../photos"))["photos"].reason
    assert "write '../photos/*' for the images" in reason
    (project / "photos/IMG_old").mkdir()
    assert rejected(source(project, "photos/IMG*", "photos/*")) == {}


def apart(folder: Path, worker: Worker, cache: Path | None = None) -> Glob:
    options = FrozenMap({"include": ("**/*",)})
    return Glob(SourceContext(folder, options, index=3, cache=cache, ask=worker))


def test_workers_read_and_hash_what_is_new(project: Path, put: Put, tmp_path: Path) -> None:
    put("a.jpg")
    put("b.png")
    alone = images(source(project))
    worker = Worker()
    assert images(apart(project, worker, tmp_path)) == alone
    assert worker.names == ["examine", "examine"]


def test_what_no_worker_reads_is_read_here(project: Path, put: Put) -> None:
    put("a.jpg")
    (project / "broken.png").write_bytes(b"no image")
    assert images(apart(project, Worker(refuses=True))) == images(source(project))
    assert rejected(apart(project, Worker())) == rejected(source(project))


def test_a_file_that_changed_while_a_worker_read_it_is_read_here(project: Path, put: Put) -> None:
    path = put("a.jpg")
    old = path.read_bytes()

    def change() -> None:
        path.write_bytes(old + b"changed")

    (image,) = images(apart(project, Worker(meanwhile=change)))
    assert image.sha256 == hashlib.sha256(old + b"changed").hexdigest()


def test_a_worker_that_sees_another_file_of_that_name_is_not_believed(
    project: Path, put: Put
) -> None:
    facts = put("a.jpg").stat()
    for size, modified in ((facts.st_size + 1, facts.st_mtime_ns), (facts.st_size, 0)):
        with pytest.raises(TaskRefused, match="another file of the same name"):
            files.examined_apart(str(project / "a.jpg"), "a.jpg", size, modified)
