import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from relightflow import api
from relightflow.model.failure import Billed, FailureKind
from relightflow.report import junit
from relightflow.report.junit import JunitCase, JunitSuite
from tests.conftest import Stage
from tests.scripted_backend import fails


def _read(suites: list[JunitSuite]) -> ET.Element:
    return ET.fromstring("".join(junit.document(suites)))


def _of(stage: Stage) -> ET.Element:
    manifest = Path(stage.run().manifest)
    return _read([junit.of_run(api.load(stage.path, stage.registry), manifest)])


def _second_fails(kind: FailureKind, stage: Stage, **facts: Any) -> ET.Element:
    def send(_: object, number: int) -> None:
        if number == 1:
            raise fails(kind, **facts)

    stage.provider.on_submit = send
    stage.recipe(shades=[10, 20], concurrency=1)
    return _of(stage)


def test_every_output_is_a_case_with_its_recipe_line(stage: Stage) -> None:
    stage.recipe(shades=[10, 20])
    suites = _of(stage)
    assert suites.attrib == {"tests": "2", "failures": "0", "errors": "0", "skipped": "0"}
    (suite,) = suites
    cases = suite.findall("testcase")
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        ("in/a.png", "shade=10"),
        ("in/a.png", "shade=20"),
    ]
    assert {case.get("line") for case in cases} == {"5"}  # matrix: {shade: [10, 20]}
    paths = [p.get("value") for p in cases[0].iter("property") if p.get("name") == "path"]
    assert paths == ["a-10-0.png"]


def test_a_failure_says_whether_it_was_billed(stage: Stage) -> None:
    failure = next(_second_fails(FailureKind.JOB_FAILED, stage).iter("failure"))
    assert failure.get("type") == FailureKind.JOB_FAILED
    assert failure.get("message", "").endswith("(not billed)")


def test_an_unknown_outcome_is_an_error_and_not_a_failure(stage: Stage) -> None:
    suites = _second_fails(FailureKind.UNKNOWN, stage, billed=Billed.UNKNOWN)
    assert (suites.get("failures"), suites.get("errors")) == ("0", "1")
    assert "may have been billed" in next(suites.iter("error")).get("message", "")


def test_an_image_that_cannot_be_used_is_a_failure(stage: Stage) -> None:
    (stage.folder / "in" / "broken.png").write_bytes(b"")
    failure = next(_of(stage).iter("failure"))
    assert failure.get("type") == "rejected"


def test_what_was_not_started_is_skipped(stage: Stage) -> None:
    stage.recipe(shades=[10, 20], concurrency=1)
    manifest = Path(stage.run(cap=60_000).manifest)
    suites = _read([junit.of_run(api.load(stage.path, stage.registry), manifest)])
    assert next(suites.iter("skipped")).get("message") == "not started"


def test_the_same_manifest_gives_the_same_bytes(stage: Stage) -> None:
    manifest = Path(stage.run().manifest)
    recipe = api.load(stage.path, stage.registry)
    one, other = ("".join(junit.document([junit.of_run(recipe, manifest)])) for _ in range(2))
    assert one == other


def test_hostile_names_stay_text(evil: str) -> None:
    case = JunitCase(evil, '"/><failure/>', "failure", "k", "]]>\x00\ufffe", "a\x07<b>\n&c")
    (suite,) = _read([JunitSuite("<&>", [case])])
    (found,) = suite.findall("testcase")
    assert found.get("name") == '"/><failure/>'
    assert "\x1b" not in (found.get("classname") or "")
    assert found[0].text == "a\\x07<b>\n&c"


def test_every_check_of_a_result_is_a_case(stage: Stage) -> None:
    stage.recipe(shades=[10, 20])
    recipe = stage.path.read_text()
    stage.path.write_text(f"{recipe}checks: [{{type: size, width: 3}}]\n")
    (suite,) = _of(stage)
    cases = [(c.get("name"), c.find("failure")) for c in suite.findall("testcase")]
    assert [name for name, _ in cases] == [
        "shade=10", "size: shade=10", "shade=20", "size: shade=20",
    ]  # fmt: skip
    assert [found is not None for _, found in cases] == [False, True, False, True]
