from __future__ import annotations

import pytest

from relightflow.network.webaddress import parse
from relightflow.sources.urls.names import Names


def named(*urls: str) -> list[str]:
    names = Names()
    return [names.give(parse(url)) for url in urls]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/x/b.jpg?sig=1", "b.jpg"),
        ("https://a.example/x%20%C3%A4.jpg", "x ä.jpg"),
        ("https://a.example/..%2F..%2Fetc%2Fpasswd", "_._.._etc_passwd"),
        ("https://a.example/%00%1b%0a.png", "___.png"),
        ("https://a.example/CON", "_CON"),
        ("https://a.example/", "a.example"),
        ("https://a.example/x/", "a.example"),
    ],
)
def test_an_image_is_named_by_the_end_of_its_path(url: str, name: str) -> None:
    assert named(url) == [name]


def test_no_two_are_alike_whatever_the_letter_case() -> None:
    found = named(*(f"https://{h}.example/{n}.jpg" for h in "abc" for n in ("x", "X")))
    assert len({name.lower() for name in found}) == 6
    assert found[0] == "x.jpg"
    assert all(name.lower().startswith("x-") for name in found[1:])


def test_the_same_address_many_times_is_counted() -> None:
    first, second, third = named(*(f"https://a.example/i.php?id={n}" for n in range(3)))
    assert first == "i.php"
    assert second.startswith("i-")
    assert third == second.replace(".php", "-2.php")


def test_adding_to_the_end_renames_nothing() -> None:
    urls = [f"https://{h}.example/x.jpg" for h in "abcd"]
    assert named(*urls)[:3] == named(*urls[:3])


def test_a_new_signature_renames_nothing() -> None:
    urls = ["https://a.example/x.jpg?sig=1", "https://b.example/x.jpg?sig=1"]
    assert named(*urls) == named(*(url.replace("sig=1", "sig=2") for url in urls))


def test_a_given_name_counts_and_is_made_safe() -> None:
    names, address = Names(), parse("https://a.example/x.jpg")
    assert names.give(address, "shoes/red.jpg") == "shoes/red.jpg"
    assert names.give(address, "../../etc/passwd") == "__/__/etc/passwd"
    assert names.give(address, "/shoes//red.jpg").startswith("shoes/red-")
