from __future__ import annotations

from email import message_from_bytes

from relightflow.backends.http.multipart import multipart


def test_a_form_reads_as_what_went_into_it() -> None:
    data = bytes(range(256))
    body, kind = multipart({"type": "input"}, "image", "a.png", "image/png", data)
    form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    _, field, file = form.walk()
    assert field.get_param("name", header="content-disposition") == "type"
    assert file.get_param("name", header="content-disposition") == "image"
    assert file.get_filename() == "a.png"
    assert data in body
