from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.network.webaddress import LONGEST, BadAddress, parse, shown


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/A.jpg", "https://example.com/A.jpg"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("http://example.com./a", "http://example.com/a"),
        ("https://example.com/a?b=%2F&c=d+e%20'~#part", "https://example.com/a?b=%2F&c=d+e%20'~"),
        ("https://münchen.example/ä.jpg?ö", "https://xn--mnchen-3ya.example/%C3%A4.jpg?%C3%B6"),
        ("https://user:pass@example.com/a", "https://example.com/a"),
        ("https://93.184.216.34/a", "https://93.184.216.34/a"),
        ("https://[2606:2800:220:1::0001]/a", "https://[2606:2800:220:1::1]/a"),
        ("https://example.com/@user/a.jpg", "https://example.com/@user/a.jpg"),
        ("https://my_bucket.example/a", "https://my_bucket.example/a"),
        ("https://a.example/x/../y//z", "https://a.example/x/../y//z"),
        ("https://a.example?x", "https://a.example/?x"),
        ("https://a.example/a b%20c.jpg?d e=f g", "https://a.example/a%20b%20c.jpg?d%20e=f%20g"),
    ],
)
def test_what_is_sent_is_put_together_from_what_was_read(url: str, text: str) -> None:
    assert parse(url).text == text
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("example.com/a.jpg", False),
        ("", False),
        ("https://example.com/" + "a" * LONGEST, False),
        ("https://example.com:99999/", False),
        ("ftp://example.com/a", True),
        ("https://example.com\\a", True),
        ("https://example.com/a\u00a0b", True),
        ("https://example.com/a\tb", True),
        ("https://example.com /a", True),
        ("https://example.com/a\u200bb", True),
        ("https://a@b@example.com/", True),
        ("https://0x7f.1/", True),
        ("https://[fe80::1%25eth0]/", True),
        ("https://exa mple.com/", True),
        ("https://a..b/", True),
        ("https://-a.example/", True),
        ("https://xn--a.example:b/", True),
        ("https://" + "a" * 64 + ".example/", True),
    ],
)
def test_what_is_no_address_and_what_is_a_trick_are_told_apart(url: str, refused: bool) -> None:
    with pytest.raises(BadAddress) as caught:
        parse(url)
    assert caught.value.refused is refused


def test_user_and_password_are_decoded_and_never_shown() -> None:
    address = parse("https://us%40er:p%3Aw@example.com/a;sid=SECRET/b.jpg;v=1?sig=SECRET#SECRET")
    assert address.user == ("us@er", "p:w")
    assert address.shown == "https://example.com/a/b.jpg"
    assert "SECRET" not in repr(address).replace(";sid=SECRET", "")
    assert "p:w" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://u:SECRET@example.com/a.jpg?sig=SECRET#SECRET",
        "u:SECRET@example.com/a.jpg?sig=SECRET",
        "https:\\\\u:SECRET@example.com/a?SECRET",
        "https://u:SECRET@h@example.com/a b?SECRET",
        "ftp://u:SECRET@example.com/a;type=SECRET",
        "https://u:SECRET@",
        "?SECRET",
    ],
)
def test_even_what_is_no_address_is_shown_without_credentials(url: str) -> None:
    assert "SECRET" not in shown(url)
    assert shown(url)


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("b.jpg", "https://example.com/x/b.jpg"),
        ("/b.jpg?c", "https://example.com/b.jpg?c"),
        ("//other.example/b", "https://other.example/b"),
        ("http://other.example/b", "http://other.example/b"),
        ("?q", "https://example.com/x/a.jpg?q"),
        ("/b\udcc3\udca4", "https://example.com/b%C3%A4"),
    ],
)
def test_a_redirect_is_read_like_the_first_address(location: str, text: str) -> None:
    assert parse("https://example.com/x/a.jpg?sig=1").follow(location).text == text


@pytest.mark.parametrize("location", ["\\\\other.example", "ftp://a/", "http://a\tb/", "http://[/"])
def test_a_redirect_that_is_a_trick_is_refused(location: str) -> None:
    with pytest.raises(BadAddress):
        parse("https://example.com/a").follow(location)


def test_a_password_follows_to_the_same_origin_only() -> None:
    address = parse("https://u:p@example.com/a")
    assert address.follow("/b").user == ("u", "p")
    assert address.follow("https://example.com:444/b").user is None
    assert address.follow("http://example.com/b").user is None
    assert address.follow("https://other.example/b").user is None
    assert address.follow("https://x:y@other.example/b").user is None


def test_the_last_part_is_decoded() -> None:
    assert parse("https://a.example/x/%C3%A4%2Fb.jpg;v=1?q").last == "ä/b.jpg"
    assert parse("https://a.example/x/").last == ""


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://a@"]))
def test_whatever_passes_is_stable_and_plain(text: str, start: str) -> None:
    try:
        address = parse(start + text)
    except BadAddress:
        return
    assert address.text.isascii()
    assert parse(address.text).text == address.text
    assert parse(address.text).host == address.host
