"""What an operator's environment says, and whether the library does it: behind a real proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from relightflow.errors import UsageError
from relightflow.objects.bucket import opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.objects.settings import settings
from tests.servers.proxy import ForwardProxy, running
from tests.servers.swift import Server

NAMES = ("s3.us-east-1.amazonaws.com", "minio.example")


@pytest.fixture
def office(
    swift: Server, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ForwardProxy]:
    """A company's proxy: Amazon's name leads to Swift, with the company's certificate."""
    company = trustme.CA()
    company.cert_pem.write_to_path(str(tmp_path / "company.pem"))
    host, port = swift.endpoint.removeprefix("http://").split(":")
    routes = dict.fromkeys(NAMES, (host, int(port)))
    with running(ForwardProxy(routes, company, password="me:open-sesame")) as proxy:
        monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
        for variable in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(variable, proxy.url.replace("//", "//me:open-sesame@"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.pem"))
        yield proxy


def test_a_bucket_is_read_and_written_through_it(office: ForwardProxy, s3: str) -> None:
    bucket = opened(f"s3://{s3}/p/")
    bucket.put("a.txt", b"hello")
    assert [facts.path for facts in bucket.list()] == ["a.txt"]
    assert bucket.get("a.txt") == b"hello"
    assert set(office.asked) == {f"CONNECT {NAMES[0]}:443"}


def test_the_bundle_of_amazons_tools_does_as_well(
    office: ForwardProxy, s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "company.pem"))
    assert list(opened(f"s3://{s3}/p/").list()) == []


def test_plain_http_goes_through_it_too(
    office: ForwardProxy, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{NAMES[1]}")
    assert list(opened(f"s3://{s3}/p/").list()) == []
    assert office.asked[0].startswith(f"GET http://{NAMES[1]}/{s3}?")


def test_this_machine_is_asked_straight(
    office: ForwardProxy, s3: str, swift: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", swift.endpoint)
    assert list(opened(f"s3://{s3}/p/").list()) == []
    assert office.asked == []


def test_a_certificate_that_nobody_vouches_for_is_called_that(
    office: ForwardProxy, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ObjectFault, match="SSL_CERT_FILE") as caught:
        list(opened(f"s3://{s3}/p/").list())
    assert caught.value.reason is Reason.CERTIFICATE
    assert caught.value.as_error.exit_code == 9


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {}),
        (
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_KEY": "k"},
            {"account_name": "a", "account_key": "k"},
        ),
        (
            {"AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:10000/a/"},
            {"endpoint": "http://127.0.0.1:10000/a"},
        ),
        (
            {
                "AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=https;AccountName=a;"
                "AccountKey=a2V5cw==;EndpointSuffix=core.chinacloudapi.cn"
            },
            {
                "account_name": "a",
                "account_key": "a2V5cw==",
                "endpoint": "https://a.blob.core.chinacloudapi.cn",
            },
        ),
        (
            {
                "AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=https://a.example;SharedAccessSignature=sv=1&sig=x;"
            },
            {"endpoint": "https://a.example", "sas_key": "sv=1&sig=x"},
        ),
        (
            {
                "AZURE_STORAGE_USE_EMULATOR": "true",
                "AZURITE_BLOB_STORAGE_URL": "http://127.0.0.1:11000",
                "AZURE_STORAGE_ACCOUNT_KEY": "k",
            },
            {
                "account_name": "devstoreaccount1",
                "account_key": "k",
                "endpoint": "http://127.0.0.1:11000/devstoreaccount1",
            },
        ),
    ],
)
def test_azures_own_names_are_understood(environ: dict[str, str], expected: dict[str, str]) -> None:
    found = settings("az", environ)
    plain = found.pop("client_options").get("allow_http", False)
    assert found == expected
    assert plain == found.get("endpoint", "").startswith("http://")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AZURE_STORAGE_ENDPOINT", "127.0.0.1:10000"),
        ("AZURE_STORAGE_CONNECTION_STRING", "my-secret-key"),
        ("AZURE_STORAGE_CONNECTION_STRING", "BlobEndpoint=ftp://my-secret"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=variable) as caught:
        settings("az", {variable: value})
    assert value not in str(caught.value)
