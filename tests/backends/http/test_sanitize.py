from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.backends.http.sanitize import LONGEST, redacted, shown


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key SG_0123456789abcdef!", "key [key]!"),
        ("at https://images.segmind.com/a/b.png?sig=1", "at https://images.segmind.com/…"),
        ("at https://user:pass@host.example/x", "at https://host.example/…"),
        ("at http://127.0.0.1:80", "at http://127.0.0.1:80"),
        ("got data:image/png;base64,AAAA/+==", "got data:…"),
    ],
)
def test_takes_secrets_out(text: str, kept: str) -> None:
    assert redacted(text) == kept


def test_takes_a_key_of_any_shape_out() -> None:
    assert redacted("you sent hunter2, really", "hunter2") == "you sent [key], really"


@given(st.text())
def test_what_is_shown_is_one_short_printable_line(text: str) -> None:
    line = shown(text)
    assert len(line) <= LONGEST
    assert line.isprintable()


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_surroundings_bring_a_key_out(before: str, after: str) -> None:
    assert "0123456789abcdef" not in shown(f"{before} SG_0123456789abcdef {after}")


def test_markup_is_reduced_to_its_words() -> None:
    assert shown("<html><script>x()</script><p>502 &amp; more</p>") == "502 & more"


def test_an_escaped_key_is_taken_out_too() -> None:
    assert "abcdef" not in shown("<p>SG&#95;0123456789abcdef</p>")
