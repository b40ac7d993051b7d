"""One door through which a library's exceptions become ours, in words that hold no secret.

The library's own texts hold whole URLs, signed ones too, and a page of debugging; nothing of them is
passed on but the status and the server's one-word code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto

from relightflow.errors import AccountError, EarlyStop, RefusedError, RelightflowError, UsageError
from relightflow.network.certificates import ADVICE

_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"status code: ([1-5][0-9]{2})\b")
_EXPIRED = ("ExpiredToken", "RequestExpired", "TokenRefreshRequired", "RequestTimeTooSkewed")
_BAD_KEYS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
)
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound")
_ARCHIVED = ("InvalidObjectState", "BlobArchived", "BlobBeingRehydrated")
_LOCKED = ("BlobUsesCustomerSpecifiedEncryption", "CustomerEncryptionKeyRequired")
_ENCRYPTED = "stored using a form of Server Side Encryption"
"""Amazon's words for SSE-C; its code is the InvalidRequest of many other things."""
_ELSEWHERE = re.compile(
    r"<Region>([a-z0-9-]+)</Region>|expecting '([a-z0-9-]+)'"
    r"|<Endpoint>[^<]*\bs3[.-]([a-z]{2}-[a-z0-9-]+)\.amazonaws"
)
_REDIRECTED = re.compile("PermanentRedirect|redirect without LOCATION")
_UNTRUSTED = re.compile("InvalidCertificate|invalid peer certificate|certificate verify failed")
_PROXY_PASSWORD = re.compile("ProxyAuthRequired|Proxy Authentication Required")
_PROXY = re.compile("TunnelUnsuccessful|TunnelUnexpectedEof")
_FOLDER = re.compile(r"LocalFileSystem error: .*\(os error (\d{1,3})\)|^\[Errno (\d{1,3})\]")
_DNS = re.compile("dns error|failed to lookup address")
_HOST = re.compile(r"https?://([A-Za-z0-9.-]{1,253})")
_LATER = (408, 409, 425, 429)
"""Statuses under 500 that may pass."""
_NO_CREDENTIALS = re.compile(r"169\.254\.169\.254|metadata\.google|[Mm]issing.{0,20}[Cc]redential")
_BAD_NAME = re.compile(r"[Pp]ath segment|[Ii]nvalid ?[Pp]ath|illegal character")


class Reason(Enum):
    MISSING = auto()
    """There is no such object."""
    CHANGED = auto()
    """A condition did not hold: the object is there already, or is another by now."""
    UNCHANGED = auto()
    """It is what the caller knows already."""
    CREDENTIALS = auto()
    """Refused: a person has to look at the keys."""
    DENIED = auto()
    """The keys are good, and may not do this; perhaps with this one object only."""
    NO_BUCKET = auto()
    BAD_NAME = auto()
    """An object has a name that is no plain path, and the library cannot list past it."""
    UNSUPPORTED = auto()
    """This store cannot do that."""
    ARCHIVED = auto()
    """The object is there, and its bytes are in an archive from which they have to be restored."""
    LOCKED = auto()
    """The object is encrypted with a key that its reader has to send along."""
    REGION = auto()
    """The bucket is in another region than the one that was asked."""
    REFUSED = auto()
    """The store says no for another reason, and would say so again."""
    CERTIFICATE = auto()
    """The store could not prove who it is."""
    PASSING = auto()
    """Out of reach, busy, or broken for now."""


class ObjectFault(Exception):
    """What an object store refused. The message says where and what, and nothing secret."""

    def __init__(self, reason: Reason, where: str, words: str) -> None:
        self.reason = reason
        self.words = words
        """What happened, without where: the same for many objects with one problem."""
        super().__init__(f"{where}: {words}")

    @property
    def as_error(self) -> RelightflowError:
        """What it means where nothing can go on without the store."""
        kinds: dict[Reason, type[RelightflowError]] = {
            Reason.CREDENTIALS: AccountError,
            Reason.DENIED: AccountError,
            Reason.CERTIFICATE: RefusedError,
            Reason.PASSING: EarlyStop,
        }
        return kinds.get(self.reason, UsageError)(str(self))


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Around every call of the library; `where`: the object or prefix, for the message."""
    from obstore.exceptions import BaseError  # obstore is loaded by those who use a store

    try:
        yield
    except (BaseError, OSError) as error:
        raise fault(where, error) from None


def fault(where: str, error: Exception) -> ObjectFault:
    """What the library's `error` at `where` means."""
    text = str(error)
    code = found[1] if (found := _CODE.search(text)) else ""
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    said = " ".join(str(part) for part in (status or "", code) if part)
    said = f" ({said})" if said else ""
    reason = _reason(type(error).__name__, status, code, text)
    words = {
        Reason.MISSING: "object not found",
        Reason.CHANGED: "it exists, or was changed by another process",
        Reason.UNCHANGED: "unchanged",
        Reason.CREDENTIALS: _credentials(code, status, text),
        Reason.DENIED: "access denied; check what the credentials in the environment may do",
        Reason.NO_BUCKET: "bucket not found; create it, or correct its name",
        Reason.BAD_NAME: "an object has a name that is not a plain path (it contains //, ., .. or a control character); rename it, or use a prefix without it",
        Reason.UNSUPPORTED: "the store does not support this",
        Reason.ARCHIVED: "it is archived; restore it first, or exclude it",
        Reason.LOCKED: "it is encrypted with a customer's key (SSE-C), which relightflow does not send; exclude it",
        Reason.REGION: f"the bucket is in another region{_region(text)}; set AWS_REGION to it",
        Reason.REFUSED: "the store refused the request",
        Reason.CERTIFICATE: f"the store's certificate is not valid. {ADVICE}",
        Reason.PASSING: _passing(text),
    }[reason]
    return ObjectFault(reason, where, words + said)


def _reason(kind: str, status: int, code: str, text: str) -> Reason:
    by_kind = {
        "NotModifiedError": Reason.UNCHANGED,
        "PreconditionError": Reason.CHANGED,
        "AlreadyExistsError": Reason.CHANGED,
        "NotSupportedError": Reason.UNSUPPORTED,
        "PermissionDeniedError": Reason.DENIED,
        "UnauthenticatedError": Reason.CREDENTIALS,
    }
    if code in _NO_BUCKET:
        return Reason.NO_BUCKET
    if code in _ARCHIVED:
        return Reason.ARCHIVED
    if code in _LOCKED or _ENCRYPTED in text:
        return Reason.LOCKED
    if _REDIRECTED.search(text) or (status == 400 and _ELSEWHERE.search(text)):
        return Reason.REGION
    if code in _EXPIRED or code in _BAD_KEYS or status == 401:
        return Reason.CREDENTIALS
    if status == 403:
        return Reason.DENIED
    if kind in by_kind:
        return by_kind[kind]
    if kind in ("NotFoundError", "FileNotFoundError") or status == 404:
        return Reason.MISSING
    if kind == "InvalidPathError" or _BAD_NAME.search(text):
        return Reason.BAD_NAME
    if status == 501:
        return Reason.UNSUPPORTED
    if 400 <= status < 500 and status not in _LATER:
        return Reason.REFUSED
    return _unanswered(text)


def _unanswered(text: str) -> Reason:
    """What it means that no server of the store's answered, or a broken one."""
    if _UNTRUSTED.search(text):
        return Reason.CERTIFICATE
    return Reason.CREDENTIALS if _NO_CREDENTIALS.search(text) else Reason.PASSING


def _region(text: str) -> str:
    """The region that the store named, in front of a space."""
    found = _ELSEWHERE.search(text)
    return f" ({next(filter(None, found.groups()))})" if found else ""


def _passing(text: str) -> str:
    if refused := _FOLDER.search(text):
        return f"the folder refused: {os.strerror(int(refused[1] or refused[2]))}"
    if _PROXY_PASSWORD.search(text):
        return (
            "the proxy wants a user name and password: HTTPS_PROXY=http://user:password@host:port"
        )
    if _PROXY.search(text):
        return "the proxy did not make the connection; check HTTPS_PROXY and NO_PROXY"
    if _DNS.search(text):
        asked = _HOST.search(text)
        host = f" {asked[1]}" if asked else ""
        return f"the store's host name{host} could not be resolved; check its endpoint, and the network"
    return "the store is unavailable or sent an invalid response; try again later"


def _credentials(code: str, status: int, text: str) -> str:
    if code in _EXPIRED:
        return "the credential has expired, or this machine's clock is wrong; get a new one"
    if code == "SignatureDoesNotMatch":
        return "the secret does not match the access key (AWS_SECRET_ACCESS_KEY)"
    if code in ("AuthenticationFailed", "InvalidAuthenticationInfo"):
        return "the account or its key is wrong (AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY)"
    if code == "InvalidAccessKeyId":
        return "the access key does not exist (AWS_ACCESS_KEY_ID)"
    if not status and _NO_CREDENTIALS.search(text):
        return "no credentials in the environment (AWS_ACCESS_KEY_ID and the like)"
    return "access denied; check the credentials in the environment and their permissions"
