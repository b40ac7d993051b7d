"""The starter recipe on a folder as photographers have it: images, sidecars, raw files, a broken one."""

from __future__ import annotations

import json
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from tests.cli.commands.conftest import Rehearsal, rehearsal
from tests.cli.program import Relightflow

__all__ = ["rehearsal"]


@pytest.fixture
def shoot(relightflow: Relightflow, tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    picture = Image.new("RGB", (64, 48), (90, 120, 150))
    for name in ("a.JPG", "b.Jpeg", "c.png", "sub/d.WebP"):
        picture.save(photos / name)
    for name in ("a.xmp", "e.HEIC", "Thumbs.db"):
        (photos / name).write_bytes(b"x")
    picture.save(photos / "f.tif")
    assert relightflow("init").returncode == 0
    return photos


@pytest.mark.usefixtures("shoot")
def test_the_starter_takes_images_in_any_case_and_says_what_it_left(
    relightflow: Relightflow,
) -> None:
    told = "4 files passed over: DB 1, HEIC 1, TIF 1, XMP 1"
    planned = relightflow("plan")
    assert planned.returncode == 0, planned.stderr
    assert f"images   4; {told}" in planned.stdout
    assert json.loads(relightflow("plan", "--json").stdout)["passed_over"]["HEIC"] == 1
    done = relightflow("run", "--limit", "4")
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert "warning" not in done.stderr
    summary = json.loads(relightflow("run", "--limit", "4", "--json").stdout)
    assert summary["passed_over"] == {"DB": 1, "HEIC": 1, "TIF": 1, "XMP": 1}


def test_one_bad_image_fails_a_run_or_is_left_out_as_the_recipe_says(
    relightflow: Relightflow, shoot: Path
) -> None:
    (shoot / "broken.jpg").write_bytes(b"no image")
    failed = relightflow("run", "--limit", "4")
    assert failed.returncode == 1
    assert "To leave such images out, set limits.on_reject: skip" in failed.stdout
    skip = ("--set", "limits.on_reject=skip")
    planned = relightflow("plan", *skip)
    assert "1 more cannot be used and are left out" in planned.stdout
    assert "broken.jpg: not a supported image" in planned.stdout
    done = relightflow("run", "--limit", "4", *skip)
    assert done.returncode == 0, done.stdout
    assert "1 image not usable" in done.stdout


def test_a_safety_rule_is_not_skipped(
    relightflow: Relightflow, shoot: Path, tmp_path: Path
) -> None:
    (tmp_path.parent / "secret.jpg").write_bytes((shoot / "a.JPG").read_bytes())
    (shoot / "link.jpg").symlink_to(tmp_path.parent / "secret.jpg")
    done = relightflow("run", "--limit", "4", "--set", "limits.on_reject=skip")
    assert done.returncode == 9


def test_a_folder_without_images_is_named_with_what_is_in_it(
    relightflow: Relightflow, shoot: Path
) -> None:
    shoot.rename(shoot.parent / "pictures")
    planned = relightflow("plan")
    assert planned.returncode == 0
    assert "sources[0].include: 'photos/**/*.jpg' (and 3 more of this folder) matches no file" in (
        planned.stderr
    )
    assert "there is no folder 'photos'" in planned.stderr
    assert "pictures/" in planned.stderr


def test_no_librarys_warning_reaches_the_terminal(relightflow: Relightflow, shoot: Path) -> None:
    picture = Image.new("P", (8, 8))
    picture.save(shoot / "palette.png", transparency=bytes(range(200)))
    two = shoot / "two.jpg"
    Image.new("RGB", (64, 48)).save(
        two, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))]
    )
    two.write_bytes(two.read_bytes()[:-300] + b"\xff\xd9")  # its second picture is broken
    done = relightflow("run", "--limit", "48")
    for word in ("Warning", "malformed", "PIL", "Traceback"):
        assert word not in done.stderr + done.stdout


def test_photographs_of_phones_and_scanners_are_relit_with_the_extra(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    pillow_heif.register_heif_opener()
    (tmp_path / "photos").mkdir()
    picture = Image.new("RGB", (64, 48), (90, 120, 150))
    for name, kind in (("a.HEIC", "HEIF"), ("b.avif", "AVIF"), ("c.TIF", "TIFF")):
        picture.save(tmp_path / "photos" / name, kind)
    Image.new("RGB", (8, 8)).save(tmp_path / "photos/d.dng", "TIFF")
    (tmp_path / "recipe.yaml").write_text(
        'version: 1\nname: mixed\nsources: [{type: glob, include: ["photos/*"]}]\n'
        "matrix: {light_direction: [left]}\n"
        "sinks: [{type: directory, path: out/}, {type: imagefolder, path: set/, sources: true}]\n"
    )
    done = relightflow("run")
    assert done.returncode == 1, done.stderr
    assert "3 of 3 jobs in place" in done.stdout
    assert "camera raw, Adobe DNG" in done.stdout
    assert relightflow("run", "--set", "limits.on_reject=skip").returncode == 0


def test_a_provider_gets_a_jpeg_of_a_heic(
    relightflow: Relightflow, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    pillow_heif.register_heif_opener()
    Image.new("RGB", (64, 48), (90, 120, 150)).save(tmp_path / "a.heic", "HEIF")
    (tmp_path / "recipe.yaml").write_text(
        'version: 1\nname: phone\nsources: [{type: glob, include: ["*.heic"]}]\n'
        "backend: {type: segmind}\nmatrix: {light_direction: [left]}\nlimits: {max_cost: 1.00}\n"
        "sinks: [{type: directory, path: out/}]\n"
    )
    done = relightflow("run", env=rehearsal.env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rehearsal.bill()) == 1
