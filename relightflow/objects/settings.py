"""What the operator's environment says of object stores: where they are, who we are, and the network.

Pure but for the files of certificates. The library reads most of `AWS_*`, `GOOGLE_*` and `AZURE_*`
itself; here stands what it would read differently from the store's own tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relightflow.core.redact import register
from relightflow.errors import UsageError
from relightflow.network import certificates
from relightflow.network.proxies import proxies

_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_AZURE_ENDPOINTS = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
_ENDPOINT = re.compile(
    r"https?://([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(/[\w.~/-]*)?"
)
_AZURITE = {
    "account_name": "devstoreaccount1",
    "endpoint": "http://127.0.0.1:10000/devstoreaccount1",
    # the well-known key of Microsoft's emulator, the same everywhere
    "account_key": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
}


def settings(scheme: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Keyword arguments for the library's store. Raises UsageError for what makes no sense."""
    found = {"s3": _s3, "az": _azure}.get(scheme, _nothing)(environ)
    endpoint = found.get("endpoint", "https://")
    client = {"allow_http": True} if endpoint.startswith("http://") else {}
    return {**found, "client_options": client | _network(endpoint, environ)}


def _network(endpoint: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Proxy and certificates, as for every other connection of ours."""
    options: dict[str, Any] = {}
    found = proxies(environ)
    proxy = found.http if endpoint.startswith("http://") else found.https
    if proxy:
        options = {"proxy_url": proxy.full, "proxy_excludes": found.exclusions}
    if pem := certificates.added(environ):
        options["root_certificate"] = pem
    return options


def _nothing(_environ: Mapping[str, str]) -> dict[str, str]:
    return {}


def _s3(environ: Mapping[str, str]) -> dict[str, Any]:
    """Path style and plain http only where the operator names an endpoint."""
    endpoint = _endpoint(environ, _S3_ENDPOINTS, "https://s3.example.com")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    if not endpoint:
        return {"region": region}
    return {"region": region, "endpoint": endpoint, "virtual_hosted_style_request": False}


def _azure(environ: Mapping[str, str]) -> dict[str, Any]:
    """The names that Azure's own command line and SDKs use, beside the library's."""
    found = _connection(environ)
    names = {
        "account_name": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"),
        "account_key": ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"),
    }
    for option, variables in names.items():
        given = next((environ[name] for name in variables if environ.get(name)), "")
        if given:
            found[option] = given
    if environ.get("AZURE_STORAGE_USE_EMULATOR", "").lower() in ("true", "1"):
        where = environ.get("AZURITE_BLOB_STORAGE_URL")
        more = {"endpoint": f"{where.rstrip('/')}/{_AZURITE['account_name']}"} if where else {}
        found = {**_AZURITE, **found, **more}
    example = "https://account.blob.core.windows.net"
    if endpoint := _endpoint(environ, _AZURE_ENDPOINTS, example):
        found["endpoint"] = endpoint
    return found


def _connection(environ: Mapping[str, str]) -> dict[str, Any]:
    """What a connection string says. Raises UsageError where it is none."""
    text = environ.get(_CONNECTION, "").strip()
    if not text:
        return {}
    pairs = (part.partition("=") for part in text.strip(";").split(";"))
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if given.get("usedevelopmentstorage", "").lower() == "true":
        return dict(_AZURITE)
    names = {"account_name": "accountname", "account_key": "accountkey", "endpoint": "blobendpoint"}
    found = {option: given[name] for option, name in names.items() if given.get(name)}
    if signature := given.get("sharedaccesssignature"):
        found["sas_key"] = signature
    register(found.get("account_key", ""), found.get("sas_key", ""))
    if "endpoint" in found and not _ENDPOINT.fullmatch(found["endpoint"]):
        found.clear()
    if "account_name" in found and "endpoint" not in found and "endpointsuffix" in given:
        scheme = given.get("defaultendpointsprotocol", "https")
        host = f"{found['account_name']}.blob.{given['endpointsuffix']}"
        found["endpoint"] = f"{scheme}://{host}"
    if not found:
        raise UsageError(
            f"{_CONNECTION} is not a connection string such as "
            "AccountName=…;AccountKey=…;EndpointSuffix=core.windows.net"
        )
    return found


def _endpoint(environ: Mapping[str, str], names: tuple[str, ...], example: str) -> str:
    """What the first of the variables names. Raises UsageError where it is no endpoint."""
    name = next((name for name in names if environ.get(name)), "")
    if not name:
        return ""
    if not _ENDPOINT.fullmatch(environ[name]):  # the library ends in a panic on some of them
        raise UsageError(f"the endpoint in {name} is not a URL such as {example}")
    return environ[name].rstrip("/")
