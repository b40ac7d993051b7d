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
