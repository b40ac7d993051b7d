from pathlib import Path

from relightflow.cli.looking import looked_at
from relightflow.plugins.registry import load
from relightflow.recipe import load_text

TEXT = """\
version: 1
name: spring
sources: [{type: glob, include: ["*.png"]}]
sinks: [{type: directory, path: out/}, {type: contact-sheet, path: sheets/}, {type: gallery, path: page/}]
"""


def test_the_page_comes_before_a_sheet_and_only_what_is_there_is_named(tmp_path: Path) -> None:
    registry = load(found=tuple)
    recipe = load_text(TEXT, registry, tmp_path / "r.yaml")
    assert looked_at(recipe, registry) is None
    for name in ("sheets/b.jpg", "sheets/a.jpg", "page/index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert looked_at(recipe, registry) == tmp_path / "page/index.html"
    (tmp_path / "page/index.html").unlink()
    assert looked_at(recipe, registry) == tmp_path / "sheets/a.jpg"
