from __future__ import annotations

import os

import pytest
from obstore import exceptions

from relightflow.errors import AccountError, EarlyStop, UsageError
from relightflow.objects.faults import Reason, fault, translated

SIGNED = "https://h/b/k?X-Amz-Signature=0123abcd&X-Amz-Credential=AKIA"


def _said(status: int, code: str = "") -> str:
    return f"Error performing GET {SIGNED} - Server returned status code: {status}: <Code>{code}</Code>"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (exceptions.GenericError(_said(403, "SignatureDoesNotMatch")), Reason.CREDENTIALS),
        (exceptions.GenericError(_said(400, "ExpiredToken")), Reason.CREDENTIALS),
        (exceptions.GenericError(_said(403, "AccessDenied")), Reason.DENIED),
        (exceptions.GenericError(_said(403, "InvalidObjectState")), Reason.ARCHIVED),
        (exceptions.GenericError(_said(409, "BlobArchived")), Reason.ARCHIVED),
        (exceptions.GenericError(_said(400, "InvalidArgument")), Reason.REFUSED),
        (exceptions.GenericError(_said(429)), Reason.PASSING),
        (exceptions.GenericError(_said(301, "PermanentRedirect")), Reason.REGION),
        (exceptions.GenericError("error: InvalidCertificate(UnknownIssuer)"), Reason.CERTIFICATE),
        (exceptions.UnauthenticatedError("x"), Reason.CREDENTIALS),
        (exceptions.GenericError("http://169.254.169.254/latest timed out"), Reason.CREDENTIALS),
        (FileNotFoundError(_said(404, "NoSuchBucket")), Reason.NO_BUCKET),
        (FileNotFoundError(_said(404, "NoSuchKey")), Reason.MISSING),
        (exceptions.PreconditionError("x"), Reason.CHANGED),
        (exceptions.AlreadyExistsError("x"), Reason.CHANGED),
        (exceptions.NotModifiedError("x"), Reason.UNCHANGED),
        (exceptions.InvalidPathError("x"), Reason.BAD_NAME),
        (exceptions.GenericError(_said(501)), Reason.UNSUPPORTED),
        (exceptions.GenericError(_said(503)), Reason.PASSING),
        (OSError("broken pipe"), Reason.PASSING),
    ],
)
def test_each_answer_has_its_reason(error: Exception, reason: Reason) -> None:
    assert fault("s3://b/k", error).reason is reason


def test_no_url_of_the_library_gets_through() -> None:
    with pytest.raises(Exception, match="s3://b/k: ") as caught, translated("s3://b/k"):
        raise exceptions.GenericError(_said(403, "AccessDenied"))
    assert "Signature" not in str(caught.value)
    assert "https" not in str(caught.value)
    assert caught.value.__suppress_context__, "a traceback would show the library's own words"


def test_an_expired_credential_is_called_one_and_not_missing() -> None:
    words = str(fault("s3://b/", exceptions.GenericError(_said(400, "ExpiredToken"))))
    assert "the credential has expired" in words
    assert "no such" not in words


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "InvalidAccessKeyId", AccountError),
        (503, "SlowDown", EarlyStop),
        (404, "NoSuchBucket", UsageError),
    ],
)
def test_what_stops_a_command_has_its_exit_code(status: int, code: str, kind: type) -> None:
    assert isinstance(fault("s3://b/", exceptions.GenericError(_said(status, code))).as_error, kind)


def test_a_host_that_has_no_address_is_named() -> None:
    text = (
        "Generic S3 error: Error performing GET https://store.invalid/bucket?list-type=2 in 8 ms - "
        'HTTP error: ConnectError("dns error", "failed to lookup address information")'
    )
    found = fault("s3://bucket/p/", exceptions.GenericError(text))
    assert "the store's host name store.invalid could not be resolved" in str(found)
    assert "list-type" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        exceptions.GenericError("Generic LocalFileSystem error: Unable to copy data to file: No space (os error 28)"),
        OSError(28, "x"),
    ],
)  # fmt: skip
def test_a_folder_that_refuses_says_why(error: Exception) -> None:
    found = fault("file:///store/a", error)
    assert found.reason is Reason.PASSING
    assert str(found) == f"file:///store/a: the folder refused: {os.strerror(28)}"
