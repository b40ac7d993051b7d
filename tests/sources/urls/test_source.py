from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
from aiohttp import web

from relightflow.model.image import Image, Rejected
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.source import StaleImage
from relightflow.sources.urls.download_cache import FOLDER
from tests.sources.conftest import image_bytes
from tests.sources.urls.conftest import Make, Site, images, only, reason

OFFLINE = OperatorPolicy(offline=True)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_an_image_is_known_by_its_bytes(site: Site, make: Make) -> None:
    data = image_bytes()
    url = f"{site.base}/a.jpg?sig=1"
    assert only(make(url, delivery="url")) == Image(
        name="a.jpg",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=8,
        height=6,
        media_type="image/jpeg",
        source=3,
        locator=url,
        delivery="url",
        url=url,
    )


def test_images_come_in_the_order_of_the_list_however_slow_some_are(site: Site, make: Make) -> None:
    others = asyncio.Event()

    async def waits(request: web.Request) -> web.Response:
        await others.wait()
        return web.Response(body=image_bytes())

    async def last(request: web.Request) -> web.Response:
        others.set()
        return web.Response(body=image_bytes())

    for number in range(1, 19):
        site.pages[f"/{number}.jpg"] = image_bytes(shade=number)
    site.pages["/0.jpg"], site.pages["/19.jpg"] = waits, last
    source = make(*(f"{site.base}/{n}.jpg" for n in range(20)))
    assert [image.name for image in images(source)] == [f"{n}.jpg" for n in range(20)]
    assert others.is_set()


def test_what_cannot_be_used_is_named_without_credentials_and_the_rest_goes_on(
    site: Site, make: Make, project: Path
) -> None:
    (project / "l.csv").write_text(f"url\n{site.base}/gone.jpg?sig=SECRET\nftp://u:SECRET@a/b\n")
    source = make(f"{site.base}/a.jpg", file="l.csv")
    first, gone, ftp = source.scan()
    assert isinstance(first, Image)
    assert isinstance(gone, Rejected)
    assert isinstance(ftp, Rejected)
    assert gone.name == f"{site.base}/gone.jpg"
    assert gone.reason.endswith("(l.csv:2)")
    assert (gone.refused, ftp.refused) == (False, True)
    assert "SECRET" not in repr([first, gone, ftp])


def test_one_that_fails_renames_no_other(site: Site, make: Make) -> None:
    urls = [f"{site.base}/{folder}/x.jpg" for folder in "ab"]
    site.pages["/a/x.jpg"] = site.pages["/b/x.jpg"] = image_bytes()
    before = [image.name for image in images(make(*urls))]
    del site.pages["/a/x.jpg"]
    assert [image.name for image in images(make(*urls))] == before[1:]


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"one"'},
        {"ETag": 'W/"one"'},
        {"Last-Modified": "Mon, 02 Mar 2020 12:00:00 GMT"},
    ],
)
def test_an_unchanged_list_costs_one_conditional_request_each(
    site: Site, make: Make, cache: Path, headers: dict[str, str]
) -> None:
    urls = []
    for number in range(20):
        site.pages[f"/{number}.jpg"] = image_bytes(shade=number)
        site.headers[f"/{number}.jpg"] = headers
        urls.append(f"{site.base}/{number}.jpg")
    first = images(make(*urls, cache=cache))
    site.asked.clear()
    again = images(make(*urls, cache=cache))
    assert again == first
    assert len(site.asked) == 20
    conditional = {"If-None-Match", "If-Modified-Since"}
    assert all(conditional & {*request.headers} for request in site.asked)


def test_what_changed_is_fetched_anew(site: Site, make: Make, cache: Path) -> None:
    url = f"{site.base}/a.jpg"
    site.headers["/a.jpg"] = {"ETag": '"one"'}
    (before,) = images(make(url, cache=cache))
    site.pages["/a.jpg"] = image_bytes(shade=7)
    site.headers["/a.jpg"] = {"ETag": '"two"'}
    (after,) = images(make(url, cache=cache))
    assert after.sha256 != before.sha256


def test_a_change_in_the_second_of_the_answer_is_not_missed(
    site: Site, make: Make, cache: Path
) -> None:
    now = "Mon, 02 Mar 2020 12:00:00 GMT"
    site.headers["/a.jpg"] = {"Last-Modified": now, "Date": now}
    url = f"{site.base}/a.jpg"
    images(make(url, cache=cache))
    images(make(url, cache=cache))
    assert "If-Modified-Since" not in site.asked[1].headers


def test_a_validator_is_for_the_address_that_gave_it(site: Site, make: Make, cache: Path) -> None:
    """Behind a redirect to another place the same validator may stand for another image."""
    target = ["/one.jpg"]

    async def go(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target[0]})

    site.pages["/go"] = go
    for number, name in enumerate(("/one.jpg", "/two.jpg")):
        site.pages[name] = image_bytes(shade=number)
        site.headers[name] = {"ETag": '"same"'}
    (one,) = images(make(f"{site.base}/go", cache=cache))
    (same,) = images(make(f"{site.base}/go", cache=cache))
    assert [*("If-None-Match" in r.headers for r in site.asked)] == [False, False, False, True]
    target[0] = "/two.jpg"
    (two,) = images(make(f"{site.base}/go", cache=cache))
    assert one.sha256 == same.sha256 != two.sha256


def test_bytes_that_are_kept_are_not_fetched_again(site: Site, make: Make, cache: Path) -> None:
    (image,) = images(make(f"{site.base}/a.jpg", cache=cache))
    site.asked.clear()
    assert make(f"{site.base}/a.jpg", cache=cache).read(image) == image_bytes()
    assert site.asked == []


def test_bytes_that_are_not_kept_are_fetched_and_checked(site: Site, make: Make) -> None:
    source = make(f"{site.base}/a.jpg")
    (image,) = images(source)
    assert source.read(image) == image_bytes()
    site.pages["/a.jpg"] = image_bytes(shade=7)
    with pytest.raises(StaleImage, match=r"a\.jpg changed on the server after it was planned"):
        source.read(image)
    del site.pages["/a.jpg"]
    with pytest.raises(StaleImage, match=r"can no longer be downloaded: not found"):
        source.read(image)


def test_a_server_that_wrongly_says_unchanged_is_believed_once(
    site: Site, make: Make, cache: Path
) -> None:
    site.headers["/a.jpg"] = {"ETag": '"always"'}
    url = f"{site.base}/a.jpg"
    images(make(url, cache=cache))
    for path in (cache / FOLDER).rglob("*"):
        if path.is_file():
            path.unlink()
    site.pages["/a.jpg"] = image_bytes(shade=7)
    source = make(url, cache=cache)
    (image,) = images(source)
    with pytest.raises(StaleImage):
        source.read(image)
    again = make(url, cache=cache)
    (image,) = images(again)
    assert again.read(image) == image_bytes(shade=7)


def test_offline_uses_what_is_known_and_says_what_is_not(
    site: Site, make: Make, cache: Path
) -> None:
    known, unknown = f"{site.base}/a.jpg", f"{site.base}/b.jpg?SECRET"
    (image,) = images(make(known, cache=cache))
    site.asked.clear()
    source = make(known, unknown, cache=cache, operator=OFFLINE)
    first, second = source.scan()
    assert first == image
    assert isinstance(second, Rejected)
    assert "--offline" in second.reason
    assert "SECRET" not in repr(second)
    assert source.read(image) == image_bytes()
    assert site.asked == []


def test_offline_says_which_bytes_are_missing(site: Site, make: Make, cache: Path) -> None:
    (image,) = images(make(f"{site.base}/a.jpg", cache=cache))
    source = make(f"{site.base}/a.jpg", operator=OFFLINE)
    with pytest.raises(StaleImage, match=r"a\.jpg is not cached on this machine"):
        source.read(image)
    assert "--offline" in reason(make(f"{site.base}/a.jpg", operator=OFFLINE))


def test_what_was_learnt_is_kept_when_the_scan_is_broken_off(
    site: Site, make: Make, cache: Path
) -> None:
    scan = make(f"{site.base}/a.jpg", f"{site.base}/a.jpg", cache=cache).scan()
    image = next(scan)
    scan.close()  # type: ignore[attr-defined]  # a generator has it
    assert only(make(f"{site.base}/a.jpg", cache=cache, operator=OFFLINE)) == image


def test_no_file_and_no_word_holds_a_credential(
    site: Site, make: Make, cache: Path, project: Path
) -> None:
    site.headers["/a.jpg"] = {"ETag": '"one"'}
    lines = [
        f"http://u:SECRET@127.0.0.1:{site.port}/a.jpg?sig=SECRET",
        f"http://u:SECRET@127.0.0.1:{site.port}/gone.jpg?sig=SECRET",
        "ftp://u:SECRET@example.com/?SECRET",
    ]
    (project / "l.txt").write_text("\n".join(lines))
    source = make(file="l.txt", cache=cache)
    items = list(source.scan())
    told = repr(items) + json.dumps([getattr(item, "reason", "") for item in items])
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    assert "SECRET" not in told
    assert not any(b"SECRET" in path.read_bytes() + str(path).encode() for path in files)


def test_a_source_that_is_closed_may_scan_again(site: Site, make: Make) -> None:
    source = make(f"{site.base}/a.jpg")
    first = only(source)
    source.close()
    assert only(source) == first
