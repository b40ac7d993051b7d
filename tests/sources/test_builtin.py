from __future__ import annotations

import jsonschema

from relightflow.sources import builtin


def problems(source: str = "glob", **options: object) -> list[str]:
    (record,) = (r for r in builtin.relightflow_sources() if r.name == source)
    return [
        error.message for error in jsonschema.Draft7Validator(record.schema).iter_errors(options)
    ]


def test_a_glob_needs_at_least_one_pattern() -> None:
    assert problems(include=["*.jpg"], exclude=[]) == []
    assert problems()
    assert problems(include=[])
    assert problems(include=[""])
    assert problems(include="*.jpg")
    assert problems(include=["*.jpg"], folder="x")


def test_urls_needs_addresses_or_a_list() -> None:
    assert problems("urls", urls=["https://a.example/"]) == []
    assert problems("urls", file="list.txt", delivery="url") == []
    assert problems("urls")
    assert problems("urls", urls=[])
    assert problems("urls", urls="https://a.example/")
    assert problems("urls", file="list.txt", delivery="post")


def test_a_manifest_needs_its_path() -> None:
    assert problems("manifest", path="out/manifest.jsonl", include=["*.png"], exclude=[]) == []
    assert problems("manifest")
    assert problems("manifest", path="x", delivery="url")
