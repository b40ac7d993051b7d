from __future__ import annotations

import pytest

from relightflow.errors import RefusedError, UsageError
from relightflow.objects.address import Address, address


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("s3://my-bucket/a/b/", Address("s3", "my-bucket", "a/b")),
        ("s3://my-bucket", Address("s3", "my-bucket", "")),
        ("gs://b.c_d/ü x//y", Address("gs", "b.c_d", "ü x/y")),
        ("az://box/p", Address("az", "box", "p")),
    ],
)
def test_an_address_is_a_bucket_and_a_prefix(url: str, found: Address) -> None:
    assert address(url) == found


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:secret@bucket/x",
        "s3://host:9000/x",
        "s3://bucket/x?endpoint=http://evil",
        "s3://bucket/x#f",
        "s3://bucket/../other",
        "s3://bucket/a/./b",
        "s3://../x",
        "s3://bucket/a\nb",
        "s3://bucket\\x",
        "s3:///x",
        "s3://b/x",
        "S3://bucket/x",
        "https://bucket.s3.amazonaws.com/x",
        "file:///etc",
        "s3a://bucket/x",
        "s3://bu%63ket/x",
        "s3://bücket/x",
        "s3://169.254.169.254:80/latest",
        "",
    ],
)
def test_an_address_has_no_room_for_what_only_the_operator_may_say(url: str) -> None:
    with pytest.raises(UsageError, match="is not an object store URL"):
        address(url)


def test_it_is_spelled_in_one_way() -> None:
    assert str(address("s3://bucket/a//b")) == "s3://bucket/a/b/"
    assert str(address("s3://bucket")) == "s3://bucket/"


@pytest.mark.parametrize("path", ["../x", "a/../x", "/x", "a//b", "", ".", "a/\0", "a\nb", "a/"])
def test_a_path_leads_down_only(path: str) -> None:
    with pytest.raises(RefusedError):
        address("s3://bucket/p").key(path)
