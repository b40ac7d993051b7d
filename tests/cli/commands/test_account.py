import json

import pytest

from tests.cli.program import Relightflow


def test_without_a_key_the_account_needs_a_person(relightflow: Relightflow) -> None:
    done = relightflow("account")
    assert done.returncode == 4
    assert "SEGMIND_API_KEY" in done.stderr


def test_a_backend_without_an_account_is_told(relightflow: Relightflow) -> None:
    done = relightflow("account", "--backend", "preview")
    assert done.returncode == 2
    assert done.stderr == "error: backend 'preview' has no account\n"


def test_an_unknown_backend_is_told_with_the_known(relightflow: Relightflow) -> None:
    done = relightflow("account", "--backend", "previw")
    assert done.returncode == 2
    assert "did you mean 'preview'" in done.stderr


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "https://nowhere.invalid"])
def test_a_provider_that_cannot_be_reached_is_asked_again_later(
    server: str, relightflow: Relightflow
) -> None:
    env = {"RELIGHTFLOW_SEGMIND_URL": server, "SEGMIND_API_KEY": "SG_0123456789abcdef"}
    done = relightflow("account", "--json", env=env)
    assert done.returncode == 75
    assert json.loads(done.stdout)["exit"] == 75


def test_a_name_that_cannot_be_resolved_is_named(relightflow: Relightflow) -> None:
    env = {
        "RELIGHTFLOW_SEGMIND_URL": "https://nowhere.invalid",
        "SEGMIND_API_KEY": "SG_0123456789abcdef",
    }
    done = relightflow("account", env=env)
    assert "the host name nowhere.invalid could not be resolved" in done.stderr
