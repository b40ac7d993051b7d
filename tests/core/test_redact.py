import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from relightflow.core import redact as module
from relightflow.core.redact import known, known_bytes, redact, register


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KNOWN", module._KnownSecrets())


def test_keys_are_removed() -> None:
    assert redact("x-api-key: SG_0123456789abcdef!", {}) == "x-api-key: [removed]!"


def test_urls_lose_query_fragment_and_user() -> None:
    text = "GET https://me:pass@example.com/a.png?sig=abc#frag failed"
    assert redact(text, {}) == "GET https://example.com/a.png failed"


def test_values_of_secret_variables_are_removed() -> None:
    assert redact("used hunter2hunter2", {"MY_TOKEN": "hunter2hunter2"}) == "used [removed]"


def test_a_variable_that_names_a_file_is_no_secret() -> None:
    text = "/run/secrets/key is missing"
    assert redact(text, {"SEGMIND_API_KEY_FILE": "/run/secrets/key"}) == text


def test_short_values_are_words() -> None:
    assert redact("true story", {"USE_KEY": "true"}) == "true story"


SECRET = 'k+/="<é>0123456789'
SECRETS = (SECRET, "SG_k0123456789", "two Words_0123456789")
"""Some that are always spelled with an escape somewhere, and some that need none."""


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zz"])
def test_a_registered_secret_goes_in_every_form(secret: str, before: str, after: str) -> None:
    register(secret, "another-secret")
    whole = before + secret + after
    plain = base64.b64encode(whole.encode()).decode()
    for said in (
        whole,
        json.dumps(whole),
        json.dumps(json.dumps(whole)),
        quote(whole, safe=""),
        quote(whole, safe="").lower(),
        quote_plus(whole),
        "".join(f"%{byte:02X}" for byte in whole.encode()),
        "".join(f"&#{ord(character)};" for character in whole),
        "".join(f"\\u{ord(character):04X}" for character in whole),
        whole.upper(),
        whole.lower(),
        html.escape(whole),
        whole.encode().hex(),
        whole.encode().hex().upper(),
        plain,
        base64.urlsafe_b64encode(whole.encode()).decode(),
    ):
        left = known(f"said {said}.")
        assert "[removed]" in left, said
        assert "0123456789" not in left
        assert len(left) < len(said) + 20
        assert known_bytes(f"said {said}.".encode()) == left.encode()


def test_a_secret_in_two_bytes_a_character_goes() -> None:
    register(SECRETS[1])
    assert known("said " + SECRETS[1].encode("utf-16-le").decode()) == "said [removed]"


def test_what_is_no_secret_stays_to_the_byte() -> None:
    register(SECRET)
    assert known("half a character: \udc80") == "half a character: \udc80"
    assert known_bytes(bytes(range(256))) == bytes(range(256))


def test_a_word_is_no_secret_and_the_number_of_secrets_is_bounded() -> None:
    register("short")
    assert known("short") == "short"
    register(*(f"secret-number-{n}" for n in range(3)))
    assert known("secret-number-2 and more") == "[removed] and more"
