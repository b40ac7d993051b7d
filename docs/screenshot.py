"""The gallery as the README shows it: `python -m docs.screenshot`, with Chromium installed.

Its bytes depend on the versions of Chromium, fonts and Pillow, so it is made by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGE = ROOT / "docs/images/gallery.jpg"
KEYS = "p ArrowRight ArrowRight ArrowRight p 4 ArrowDown p ArrowLeft x ArrowLeft 5 p ArrowLeft x"


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        sys.exit("Chromium is needed; on Debian: apt install chromium")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "recipes", folder / "recipes", ignore=shutil.ignore_patterns("out"))
        command = [sys.executable, "-m", "relightflow"]
        recipe = "recipes/sweep.yaml"
        subprocess.run([*command, "run", recipe, "--quiet"], cwd=folder, check=True)  # noqa: S603  ours
        report = [*command, "report", recipe, "--price-with", "segmind", "--quiet"]
        subprocess.run(report, cwd=folder, check=True)  # noqa: S603  ours
        with sync_playwright() as playwright:
            sandbox = [] if os.geteuid() else ["--no-sandbox"]
            browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
            tab = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
            tab.goto((folder / "report/index.html").as_uri())
            tab.wait_for_function("() => document.body.dataset.ready")
            for key in KEYS.split():
                tab.keyboard.press(key)
            tab.wait_for_function(
                "() => [...document.querySelectorAll('#grid img')].every((i) => i.complete)"
            )
            tab.screenshot(path=IMAGE, type="jpeg", quality=82)
            browser.close()


if __name__ == "__main__":
    main()
