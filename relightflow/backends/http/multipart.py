"""A form with a file in it, as providers take uploads."""

from __future__ import annotations

from collections.abc import Mapping

_BOUNDARY = "relightflow-form-boundary-5d1b7c"


def multipart(
    fields: Mapping[str, str], field: str, filename: str, media_type: str, data: bytes
) -> tuple[bytes, str]:
    """The body and its content type: `fields`, then the file as `field`."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    ).encode()
    body = b"".join([*parts, head, data, f"\r\n--{_BOUNDARY}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={_BOUNDARY}"
