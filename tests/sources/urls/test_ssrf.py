"""A recipe reaches no private server, however it spells it: every trick against a real one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiohttp import web

from relightflow.model.image import Image, Rejected
from relightflow.network import addresses, session, webaddress
from relightflow.plugins.records import OperatorPolicy
from tests.sources.conftest import image_bytes
from tests.sources.urls.conftest import Make, Names, Site, only
from tests.sources.urls.spellings import NAMES, PRIVATE, SPELLINGS

STRANGER = OperatorPolicy()


@pytest.fixture
def outside(serve: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    """A server at 127.0.0.2, which is made to count as the open internet."""
    real = addresses.public_address

    def public(address: str) -> bool:
        return address == "127.0.0.2" or real(address)

    monkeypatch.setattr(session, "public_address", public)
    monkeypatch.setattr(webaddress, "public_address", public)
    found = serve("127.0.0.2")
    found.pages["/a.jpg"] = image_bytes()
    return found


def sends(to: str, status: int = 302) -> Callable[[web.Request], object]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": to})

    return page


def test_there_are_enough_tricks() -> None:
    assert len(set(SPELLINGS)) >= 150


def test_no_spelling_reaches_a_private_server(site: Site, make: Make) -> None:
    site.pages["/"] = image_bytes()
    urls = [url.replace("PORT", str(site.port)) for url in SPELLINGS]
    found = list(make(*urls, operator=STRANGER, resolver=Names(("127.0.0.1",))).scan())
    assert [item for item in found if not isinstance(item, Rejected)] == []
    assert site.paths == []
    assert len(found) == len(urls)


def test_the_same_server_answers_where_the_operator_allows_it(site: Site, make: Make) -> None:
    names = Names(("127.0.0.1",))
    assert isinstance(only(make(f"{site.base}/a.jpg")), Image)
    url = f"http://images.example:{site.port}/a.jpg"
    assert isinstance(only(make(url, resolver=names)), Image)
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:PORT/a.jpg",
        "http://127.1:PORT/a.jpg",
        "http://[::ffff:7f00:1]:PORT/a.jpg",
        "http://localhost:PORT/a.jpg",
        "http://user@127.0.0.1:PORT/a.jpg",
        "http://example.com\\@127.0.0.1:PORT/a.jpg",
        "http://１２７.0.0.1:PORT/a.jpg",
        "file:///etc/passwd",
    ],
)
def test_a_private_address_is_refused_by_a_safety_rule(site: Site, make: Make, url: str) -> None:
    item = only(make(url.replace("PORT", str(site.port)), operator=STRANGER))
    assert isinstance(item, Rejected)
    assert item.refused
    assert site.paths == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_to_a_private_address_is_refused(
    site: Site, make: Make, name: str
) -> None:
    names = Names(("127.0.0.1",))
    url = f"http://{name}:{site.port}/a.jpg"
    item = only(make(url, operator=STRANGER, resolver=names))
    assert isinstance(item, Rejected)
    assert item.refused
    assert names.asked == [name]
    assert site.paths == []


@pytest.mark.parametrize("address", PRIVATE)
def test_one_private_address_among_public_ones_is_enough(
    site: Site, make: Make, address: str
) -> None:
    names = Names(("8.8.8.8", address))
    url = f"http://images.example:{site.port}/a.jpg"
    item = only(make(url, operator=STRANGER, resolver=names))
    assert isinstance(item, Rejected)
    assert item.refused
    assert site.paths == []


def test_an_open_server_is_read(outside: Site, make: Make) -> None:
    names = Names(("127.0.0.2",))
    url = f"http://images.example:{outside.port}/a.jpg"
    assert isinstance(only(make(url, operator=STRANGER, resolver=names)), Image)
    assert outside.asked[0].headers["Host"] == f"images.example:{outside.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:PORT/a.jpg",
        "//127.0.0.1:PORT/a.jpg",
        "http://127.1:PORT/a.jpg",
        "http://2130706433:PORT/a.jpg",
        "http://[::ffff:127.0.0.1]:PORT/a.jpg",
        "http://localhost:PORT/a.jpg",
        "http://images.example@127.0.0.1:PORT/a.jpg",
        "/\\127.0.0.1:PORT/a.jpg",
        "\\\\127.0.0.1:PORT/a.jpg",
        "http:127.0.0.1:PORT/a.jpg",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(
    outside: Site, site: Site, make: Make, to: str, status: int
) -> None:
    to = to.replace("PORT", str(site.port))
    outside.pages["/go"] = sends(to, status)  # type: ignore[assignment]
    item = only(make(f"{outside.base}/go", operator=STRANGER))
    assert isinstance(item, Rejected)
    assert site.paths == []


def test_a_private_address_behind_several_redirects_is_refused(
    outside: Site, site: Site, make: Make
) -> None:
    for number in range(4):
        outside.pages[f"/{number}"] = sends(f"/{number + 1}")  # type: ignore[assignment]
    outside.pages["/4"] = sends(f"{site.base}/a.jpg")  # type: ignore[assignment]
    item = only(make(f"{outside.base}/0", operator=STRANGER))
    assert isinstance(item, Rejected)
    assert item.refused
    assert (outside.paths, site.paths) == ([f"/{n}" for n in range(5)], [])


def test_a_redirect_to_a_name_that_leads_to_a_private_address_is_refused(
    outside: Site, site: Site, make: Make
) -> None:
    outside.pages["/go"] = sends(f"http://inner.example:{site.port}/a.jpg")  # type: ignore[assignment]
    names = Names(("127.0.0.1",))
    item = only(make(f"{outside.base}/go", operator=STRANGER, resolver=names))
    assert isinstance(item, Rejected)
    assert item.refused
    assert site.paths == []


def test_a_name_server_that_changes_its_answer_leads_nowhere(
    outside: Site, serve: Callable[[str], Site], make: Make
) -> None:
    """Good while it is checked, private when it is connected to: there is no second look-up."""

    async def closes(request: web.Request) -> web.Response:
        response = web.Response(body=image_bytes())
        response.force_close()
        return response

    outside.pages["/a.jpg"] = closes
    inside = serve("127.0.0.1")
    names = Names(("127.0.0.2",), ("127.0.0.1",))
    url = f"http://images.example:{outside.port}/a.jpg"
    source = make(url, operator=STRANGER, resolver=names)
    first = only(source)
    assert isinstance(first, Image)
    assert names.asked == ["images.example"]
    second = only(source)
    assert isinstance(second, Rejected)
    assert second.refused
    assert (outside.paths, inside.paths) == (["/a.jpg"], [])


def test_a_name_that_changes_its_answer_between_hops_is_refused(
    outside: Site, serve: Callable[[str], Site], make: Make
) -> None:
    async def closes(request: web.Request) -> web.Response:
        response = web.Response(status=302, headers={"Location": "/a.jpg"})
        response.force_close()
        return response

    outside.pages["/go"] = closes
    names = Names(("127.0.0.2",), ("127.0.0.1",))
    url = f"http://images.example:{outside.port}/go"
    item = only(make(url, operator=STRANGER, resolver=names))
    assert isinstance(item, Rejected)
    assert item.refused
    assert outside.paths == ["/go"]


def test_reading_again_is_as_strict(outside: Site, site: Site, make: Make) -> None:
    from relightflow.plugins.source import StaleImage

    source = make(f"{outside.base}/a.jpg", operator=STRANGER)
    item = only(source)
    assert isinstance(item, Image)
    outside.pages["/a.jpg"] = sends(f"{site.base}/a.jpg")  # type: ignore[assignment]
    with pytest.raises(StaleImage, match="private"):
        source.read(item)
    assert site.paths == []


def test_no_proxy_of_the_environment_is_asked(
    outside: Site, site: Site, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, site.base)
    assert isinstance(only(make(f"{outside.base}/a.jpg", operator=STRANGER)), Image)
    assert site.paths == []
