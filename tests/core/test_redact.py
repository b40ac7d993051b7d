from relightflow.core.redact import redact


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
