"""The page in a real browser, from the disk, without a network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from relightflow.gallery.entries import CheckNote, Unused
from relightflow.gallery.run import ListPrice
from relightflow.model.values import FrozenMap
from relightflow.recipe import parse_picks
from tests.gallery.conftest import Opened, Stage

EVIL = "<img src=x onerror=alert(1)></script>\u2028\u202eevil"


def current(tab: Page) -> str:
    """What a screen reader says of the current cell of the grid."""
    found: str = tab.evaluate(
        "document.getElementById(document.getElementById('grid')"
        ".getAttribute('aria-activedescendant')).getAttribute('aria-label')"
    )
    return found


def press(tab: Page, keys: str) -> None:
    for key in keys.split():
        tab.keyboard.press(key)


def saved(tab: Page) -> dict[str, Any]:
    """The picks file that the page saves."""
    tab.evaluate("delete window.showSaveFilePicker")  # a dialog of the system cannot be driven
    tab.keyboard.press("Control+s")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save picks.json").click()
    assert download.value.suggested_filename == "picks.json"
    text = Path(download.value.path()).read_bytes()
    tab.keyboard.press("Escape")
    parse_picks(text, "picks.json")  # and it is what `run --picks` reads
    found: dict[str, Any] = json.loads(text)
    return found


def chosen(tab: Page) -> list[tuple[str, str, str]]:
    """(direction, temperature, verdict) of everything in the saved file."""
    return [
        (pick["cell"]["light_direction"], pick["cell"]["light_temperature"], pick["verdict"])
        for pick in saved(tab)["picks"]
    ]


def test_the_keyboard_alone_walks_picks_and_saves(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    assert current(tab) == "photos/a.png, left, warm"
    press(tab, "ArrowRight p ArrowDown x ArrowLeft 4")
    assert current(tab) == "photos/a.png, left, cool, 4 stars"
    assert chosen(tab) == [
        ("left", "cool", "none"), ("right", "warm", "pick"), ("right", "cool", "reject")
    ]  # fmt: skip


def test_a_pick_names_image_cell_and_repeat_and_no_backend(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write(stage.run(repeat=2)))
    press(tab, "] p")
    (pick,) = saved(tab)["picks"]
    assert (pick["image_name"], pick["repeat"]) == ("photos/a.png", 1)
    assert len(pick["image_sha256"]) == 64
    assert set(pick) == {"image_name", "image_sha256", "cell", "repeat", "verdict", "job"}


def test_picks_survive_a_reload_and_a_new_run_of_the_recipe(stage: Stage, opened: Opened) -> None:
    run = stage.run()
    tab = opened(stage.write(run))
    press(tab, "p")
    tab.get_by_text("1 picked").wait_for()
    tab.reload()
    tab.get_by_text("1 picked").wait_for()
    stage.write(replace(run, manifest_sha256="2" * 64))
    tab.reload()
    tab.get_by_text("1 picked").wait_for()
    assert "picked" in current(tab)


def test_shift_goes_on_and_undo_comes_back(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    press(tab, "Shift+P Shift+X")
    assert current(tab) == "photos/a.png, top, warm"
    press(tab, "z z")
    assert current(tab) == "photos/a.png, left, warm"
    tab.get_by_text("0 picked").wait_for()


def test_the_same_key_takes_a_verdict_back(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    press(tab, "x x")
    assert chosen(tab) == []


def test_a_cell_that_leaves_the_filter_hands_on_to_the_next(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    tab.get_by_label("Show", exact=True).select_option("undecided")
    press(tab, "Escape")
    tab.locator("#grid").focus()
    press(tab, "ArrowRight x")
    assert current(tab) == "photos/a.png, top, warm"
    for _ in range(20):  # more often than there are cells: what is not seen is not changed
        press(tab, "x")
    tab.get_by_text("Nothing fits the filter").wait_for()
    press(tab, "z")
    assert tab.locator("[role=gridcell].tile:not(.none)").count() == 1


def test_every_view_shows_the_current_image(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    press(tab, "p ArrowRight p")
    for key in "lcbdfs":
        press(tab, key)
        images = tab.locator("main .layer img")
        images.last.wait_for(state="attached")
        tab.wait_for_function(
            "() => [...document.querySelectorAll('main .layer img')].every((i) => i.naturalWidth)"
        )
        press(tab, "g")


def test_an_image_is_compared_with_its_input_and_with_one_that_was_held(
    stage: Stage, opened: Opened
) -> None:
    tab = opened(stage.write())
    press(tab, "c")
    assert tab.locator("#caption").inner_text().startswith("input image")
    slider = tab.get_by_role("slider", name="Divider between the two images")
    slider.focus()
    press(tab, "ArrowRight")
    assert slider.get_attribute("aria-valuenow") == "52"
    press(tab, "g m ArrowRight c")
    assert tab.locator("#caption").inner_text().startswith("photos/a.png · left · warm")


def test_zoom_and_place_stay_from_image_to_image(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    press(tab, "l + + Shift+ArrowRight")
    seen = "document.querySelector('.layer').style.cssText"
    before = tab.evaluate(seen)
    press(tab, "ArrowRight")
    assert tab.evaluate(seen) == before
    assert "translate" in before


def test_a_flipbook_has_a_slider_for_each_axis(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    press(tab, "f")
    slider = tab.get_by_role("slider", name="light direction")
    slider.focus()
    press(tab, "ArrowRight ArrowRight")
    alt = tab.locator(".layer img").last.get_attribute("alt") or ""
    assert "photos/a.png, top, warm" in alt


def test_a_link_leads_to_the_same_view(stage: Stage, opened: Opened) -> None:
    page = stage.write()
    tab = opened(page)
    press(tab, "ArrowRight ArrowDown l")
    tab.wait_for_function("() => location.hash.includes('view=loupe')")
    again = opened(page, tab.evaluate("location.hash"))
    assert again.locator("#caption").inner_text() == "photos/a.png · right · cool"


def test_any_axis_goes_anywhere_and_values_can_be_left_out(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    tab.locator("#bar summary", has_text="image").click()
    tab.get_by_role("radio", name="down").check()
    assert tab.locator("[role=rowheader].side").all_inner_texts()[:2] == [
        "photos/a.png", "photos/b.png"
    ]  # fmt: skip
    tab.locator("#bar summary", has_text="light direction").click()
    tab.get_by_role("button", name="only top").click()
    assert tab.locator("[role=columnheader].column").all_inner_texts() == ["top"]


def test_backends_are_an_axis_where_runs_differ_in_them(stage: Stage, opened: Opened) -> None:
    runs = [stage.run(images=["photos/a.png"], backend=name) for name in ("preview", "segmind")]
    tab = opened(stage.write(*runs))
    assert tab.locator("[role=columnheader].column").all_inner_texts() == ["preview", "segmind"]
    press(tab, "p")
    assert tab.locator(".tile.picked").count() == 2, "what is picked is the cell, not the backend"
    assert len(saved(tab)["picks"]) == 1


def test_what_has_no_image_is_a_cell_with_its_reason(stage: Stage, opened: Opened) -> None:
    run = stage.run(images=["photos/a.png"])
    failed = replace(
        run.entries[0], status="failed", sha256="", reason="the provider said no", billed="unknown"
    )
    missing = replace(run.entries[1], status="missing", sha256="", cost=None)
    tab = opened(
        stage.write(
            replace(
                run, entries=[failed, missing, *run.entries[2:]], unused=[Unused("b.svg", "no")]
            )
        )
    )
    assert current(tab) == "left, warm, failed"
    details = tab.locator("#info").inner_text()
    assert "the provider said no" in details
    assert "unknown" in details
    facts = tab.locator("#facts").inner_text()
    assert "1 failed" in facts
    assert "1 not made yet" in facts
    assert "1 input image not usable" in facts


def test_a_failed_check_is_a_badge_a_word_and_a_filter(stage: Stage, opened: Opened) -> None:
    run = stage.run(images=["photos/a.png"])
    good, doubt = (
        CheckNote("size", "pass", "fail", ""),
        CheckNote("changed", "unsure", "fail", "hm"),
    )
    bad = CheckNote("warmer", "fail", "fail", f"{EVIL} (-1 b*, bound 0.15)")
    entries = [
        replace(run.entries[0], checks=(good, bad)),
        replace(run.entries[1], checks=(doubt,)),
    ]
    tab = opened(stage.write(replace(run, entries=[*entries, *run.entries[2:]])))
    assert current(tab) == "left, warm, fails warmer"
    assert tab.locator(".flag.check.bad").count() == 1
    assert "(-1 b*, bound 0.15)" in tab.locator("#info .checks").inner_text()
    assert "1 passed" in tab.locator("#info .checks").inner_text()
    assert "1 cell failed a check" in tab.locator("#facts").inner_text()
    for name in ("check:warmer", "check-failed", "check-unsure"):
        tab.select_option("[aria-label=Show]", name)
        expect(tab.locator(".tile img")).to_have_count(1)


def test_without_checks_there_is_nothing_of_them(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    assert tab.locator("[aria-label=Show] option[value^=check]").count() == 0
    assert tab.locator("#info .checks").count() == 0


def test_the_header_says_what_the_picks_would_cost(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write(price=ListPrice("segmind", "relighting", 50_000, 50_000)))
    press(tab, "Shift+P Shift+P Shift+P")
    assert "on segmind: 0.15 USD" in tab.locator("#counts").inner_text()


def test_hostile_text_is_text(stage: Stage, opened: Opened) -> None:
    run = stage.run(
        images=[f"{EVIL}.png", "b.png"], axes={"light": (EVIL, "=1+1"), EVIL: ("a", "b")}
    )
    bad = replace(run.entries[0], status="failed", sha256="", reason=EVIL)
    tab = opened(
        stage.write(replace(run, entries=[bad, *run.entries[1:]], unused=[Unused(EVIL, EVIL)]))
    )
    tab.on("dialog", lambda found: pytest.fail(f"a script ran: {found.message}"))
    press(tab, "p ArrowRight p l f s c g ?")
    assert tab.locator("[onerror], main script").count() == 0
    assert tab.evaluate("document.title").startswith("spring")
    press(tab, "Escape")
    picks = saved(tab)["picks"]
    assert picks[0]["image_name"] == f"{EVIL}.png"
    assert picks[0]["cell"] == {"light": EVIL, EVIL: "a"}


def test_everything_can_be_done_without_keys(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    tab.locator(".tile").nth(1).click()
    tab.locator("#actions").get_by_role("button", name="Pick").click()
    tab.get_by_role("button", name="3 stars").click()
    tab.get_by_role("button", name="Note").click()
    tab.get_by_label("Note", exact=True).last.fill("soft, and warm")
    tab.get_by_role("button", name="Keep").click()
    (pick,) = saved(tab)["picks"]
    assert (pick["verdict"], pick["stars"], pick["note"]) == ("pick", 3, "soft, and warm")


def test_picks_are_taken_from_a_file(stage: Stage, opened: Opened, tmp_path: Path) -> None:
    page = stage.write()
    tab = opened(page)
    press(tab, "p ArrowRight x")
    file = tmp_path / "picks.json"
    file.write_text(json.dumps(saved(tab)))
    tab.evaluate("localStorage.clear()")
    again = tab.context.new_page()
    again.goto(page.as_uri())
    again.wait_for_function("() => document.body.dataset.ready")
    again.keyboard.press("Control+s")
    again.get_by_label("Load a picks file").set_input_files(file)
    again.get_by_text("2 picks taken").wait_for()
    assert "1 picked" in again.locator("#counts").inner_text()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("keys", ["", "l", "c", "d", "f", "p s", "?", "Control+s", "n"])
def test_axe_finds_no_barrier(stage: Stage, opened: Opened, theme: str, keys: str) -> None:
    run = stage.run()
    failed = replace(run.entries[1], status="failed", sha256="", reason="no")
    tab = opened(stage.write(replace(run, entries=[run.entries[0], failed, *run.entries[2:]])))
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    press(tab, keys)
    found = Axe().run(tab, options={"preload": False})  # nothing may be fetched
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(stage: Stage, opened: Opened, width: int) -> None:
    tab = opened(stage.write())
    tab.set_viewport_size({"width": width, "height": 844})
    for key in "glcfs":
        press(tab, key)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_only_what_is_seen_exists_as_elements(stage: Stage, opened: Opened) -> None:
    axes = {"a": tuple(range(10)), "b": tuple(range(10)), "c": tuple(range(100))}
    tab = opened(stage.write(stage.run(axes=axes, images=["photos/a.png"], with_bytes=False)))
    assert tab.locator("#facts").inner_text().startswith("10,000 cells")
    press(tab, "End")
    assert "9" in current(tab)
    assert tab.locator(".tile").count() < 500


def test_many_cells_come_in_parts(stage: Stage, opened: Opened) -> None:
    axes = {"a": tuple(range(10)), "b": tuple(range(10)), "c": tuple(range(210))}
    page = stage.write(stage.run(axes=axes, images=["photos/a.png"], with_bytes=False))
    assert (page.parent / "data-1.js").exists()
    tab = opened(page)
    tab.get_by_text("21,000 left").wait_for()
    press(tab, "End p")
    (pick,) = saved(tab)["picks"]
    assert pick["cell"] == {"a": 9, "b": 9, "c": 209}


def test_it_prints_what_is_shown(stage: Stage, opened: Opened) -> None:
    tab = opened(stage.write())
    press(tab, "p")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("#print figure").count() == 12
    tab.emulate_media(media="print")
    assert tab.locator("#print h1").is_visible()
    assert not tab.locator("#bar").is_visible()


def test_cells_keep_their_own_values(stage: Stage, opened: Opened) -> None:
    """1, true and "1" are three values; 1.0 is 1."""
    run = stage.run(images=["a.png"], axes={"n": (1, "1", True, 2.5)})
    odd = replace(run.entries[0], cell=FrozenMap({"n": 1.0}))
    tab = opened(stage.write(replace(run, entries=[odd, *run.entries[1:]])))
    for _ in range(4):
        press(tab, "p ArrowDown ArrowRight")
    assert [pick["cell"]["n"] for pick in saved(tab)["picks"]] == [1, "1", True, 2.5]
