from __future__ import annotations

import base64

import pytest

from relightflow.backends.emulator.assets import AssetStore, ResultFile, from_data_uri


def test_the_same_image_uploaded_twice_has_two_names_with_its_extension() -> None:
    assets = AssetStore()
    first, second = (assets.upload(b"x", "image/webp", None) for _ in range(2))
    assert first != second
    assert first.endswith(".webp")
    assert assets.upload(b"x", "text/html", None).endswith(".bin")


def test_an_upload_is_gone_at_its_end_and_not_before() -> None:
    assets = AssetStore()
    name = assets.upload(b"x", "image/png", 100.0)
    assert assets.uploaded(name, 99.9) is not None
    assert assets.uploaded(name, 100.0) is None
    forever = assets.upload(b"x", "image/png", None)
    assert assets.uploaded(forever, 1e12) is not None


def test_a_result_is_gone_at_its_end_and_not_before() -> None:
    assets = AssetStore()
    promised = ResultFile("request", 0, expires=100.0)
    name = assets.promise(promised)
    assert assets.output(name, 99.9) == promised
    assert assets.output(name, 100.0) is None


def test_uploads_and_results_do_not_answer_for_each_other() -> None:
    assets = AssetStore()
    upload = assets.upload(b"x", "image/png", None)
    output = assets.promise(ResultFile("request", 0, 100.0))
    assert assets.output(upload, 0) is None
    assert assets.uploaded(output, 0) is None


def test_a_data_uri_is_its_bytes_and_its_type_without_parameters() -> None:
    text = base64.b64encode(b"\x00\xff").decode()
    assert from_data_uri(f"data:image/png;name=a;base64,{text}") == (b"\x00\xff", "image/png")
    assert from_data_uri("data:image/png;base64,") == (b"", "image/png")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "data:image/png;base64",
        "data:image/png,abc",
        "image/png;base64,QQ==",
        "data:image/png;base64,QQ",
        "data:image/png;base64,Q Q==",
        "data:image/png;base64,QQ==%",
    ],
)
def test_what_is_no_base64_data_uri_is_a_value_error(uri: str) -> None:
    with pytest.raises(ValueError, match="not a base64 data URI"):
        from_data_uri(uri)
