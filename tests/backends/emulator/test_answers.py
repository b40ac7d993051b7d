from __future__ import annotations

from relightflow.backends.emulator import answers


def test_a_proxys_page_is_html_and_no_json() -> None:
    said = answers.html(502, "502 Bad Gateway")
    assert (said.status, said.content_type) == (502, "text/html")
    assert said.text is not None
    assert said.text.startswith("<!doctype html>")


def test_a_refusal_carries_its_answer() -> None:
    said = answers.as_json({"detail": "no"}, 403, {"x-id": "1"})
    refused = answers.Refused(said)
    assert (refused.answer, str(refused)) == (said, "403")
    assert (said.content_type, said.headers["x-id"]) == ("application/json", "1")
