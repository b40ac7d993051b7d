from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from relightflow.errors import UsageError
from relightflow.network.certificates import VARIABLES, added, context


def test_without_a_variable_the_systems_own_will_do() -> None:
    assert context({}) is None
    assert context({"SSL_CERT_FILE": ""}) is None


def test_both_variables_add_to_what_the_system_trusts(tmp_path: Path) -> None:
    environ = {}
    for variable in VARIABLES:
        environ[variable] = str(tmp_path / variable)
        trustme.CA().cert_pem.write_to_path(environ[variable])
    trusted = context(environ)
    assert trusted is not None
    assert trusted.verify_mode is ssl.CERT_REQUIRED
    assert trusted.check_hostname
    system = len(ssl.create_default_context().get_ca_certs())
    assert len(trusted.get_ca_certs()) == system + 2
    assert added(environ).count("BEGIN CERTIFICATE") == 2


def test_certificates_are_read_once_and_again_where_the_file_has_changed(tmp_path: Path) -> None:
    environ = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    trustme.CA().cert_pem.write_to_path(environ["SSL_CERT_FILE"])
    first = context(environ)
    assert context(environ) is first
    trustme.CA().cert_pem.write_to_path(environ["SSL_CERT_FILE"])
    assert context(environ) is not first


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), ("hello", "holds no certificate")]
)
@pytest.mark.parametrize("variable", VARIABLES)
def test_a_file_that_is_none_is_an_error_that_names_the_variable(
    tmp_path: Path, content: str | None, words: str, variable: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=f"{variable}.*ca.pem.*{words}"):
        added({variable: str(path)})
