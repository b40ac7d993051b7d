"""Every word does what its name says: measured, on images of several kinds."""

from __future__ import annotations

import io
import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest

from relightflow.backends.preview.colour import linear, luminance
from relightflow.backends.preview.offer import MODEL
from relightflow.backends.preview.relight import relight, renderer
from relightflow.images import MAX_SIDE, BadImage, decode, encode, load, probe
from relightflow.model.values import FrozenMap

Bytes = np.ndarray[Any, Any]
Cell = Callable[..., FrozenMap]
Relit = Callable[[Bytes, FrozenMap], Bytes]

DIRECTIONS, INTENSITIES, TEMPERATURES, TYPES = (
    tuple(map(str, parameter.values)) for parameter in MODEL.parameters
)
HARD = [("softbox", "medium"), ("sunlight", "strong"), ("spotlight", "mood"), ("ambient", "bright")]


def light_of(pixels: Bytes) -> Bytes:
    return luminance(linear(pixels))


def left_to_right(pixels: Bytes) -> float:
    """Light in the left half over light in the right half."""
    light = light_of(pixels)
    middle = light.shape[1] // 2
    return float(light[:, :middle].mean() / light[:, middle:].mean())


def top_to_bottom(pixels: Bytes) -> float:
    light = light_of(pixels)
    middle = light.shape[0] // 2
    return float(light[:middle].mean() / light[middle:].mean())


@pytest.mark.parametrize(("type_", "intensity"), HARD)
def test_left_is_brighter_on_the_left_and_right_on_the_right(
    image: Bytes, cell: Cell, relit: Relit, type_: str, intensity: str
) -> None:
    left, top, right = (
        left_to_right(relit(image, cell(direction=d, type=type_, intensity=intensity)))
        for d in ("left", "top", "right")
    )
    assert left > 1.05 * top
    assert right < top / 1.05


@pytest.mark.parametrize(("type_", "intensity"), HARD)
def test_top_is_brighter_at_the_top(
    image: Bytes, cell: Cell, relit: Relit, type_: str, intensity: str
) -> None:
    top, left, right = (
        top_to_bottom(relit(image, cell(direction=d, type=type_, intensity=intensity)))
        for d in ("top", "left", "right")
    )
    assert top > 1.03 * max(left, right)


@pytest.mark.parametrize(("type_", "intensity"), HARD)
def test_back_darkens_the_ball_and_lights_what_is_behind(
    ball: Bytes, cell: Cell, relit: Relit, type_: str, intensity: str
) -> None:
    def subject_to_wall(direction: str) -> float:
        out = light_of(relit(ball, cell(direction=direction, type=type_, intensity=intensity)))
        return float(out[80:160, 120:200].mean() / out[5:60].mean())

    assert subject_to_wall("back") < 0.9 * min(map(subject_to_wall, ("left", "right", "top")))


@pytest.mark.parametrize("type_", ["softbox", "sunlight", "spotlight"])
def test_back_makes_a_rim(ball: Bytes, cell: Cell, relit: Relit, type_: str) -> None:
    """The ball's upper edge, darkest in the original, outshines what lies six pixels further in."""

    def edge_to_inside(pixels: Bytes) -> float:
        light = light_of(pixels)
        return float(light[50:52, 150:170].mean() / light[55:57, 150:170].mean())

    assert edge_to_inside(ball) < 1
    assert edge_to_inside(relit(ball, cell(direction="back", type=type_))) > 0.9


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("type_", TYPES)
def test_mood_is_darker_than_medium_and_bright_is_brighter(
    image: Bytes, cell: Cell, relit: Relit, direction: str, type_: str
) -> None:
    mood, medium, bright = (
        light_of(relit(image, cell(direction=direction, type=type_, intensity=i))).mean()
        for i in ("mood", "medium", "bright")
    )
    assert 1.4 * mood < medium
    assert 1.15 * medium < bright


def test_strong_has_more_contrast_than_medium_and_bright_has_less(
    image: Bytes, cell: Cell, relit: Relit
) -> None:
    strong, medium, bright = (
        np.percentile(light := light_of(relit(image, cell(intensity=i))), 95)
        / np.percentile(light, 5)
        for i in ("strong", "medium", "bright")
    )
    assert strong > 1.2 * medium
    assert bright < medium


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("type_", TYPES)
def test_red_grows_from_cool_over_neutral_and_warm_to_sunset(
    image: Bytes, cell: Cell, relit: Relit, direction: str, type_: str
) -> None:
    ratios = []
    for temperature in ("cool", "neutral", "warm", "sunset"):
        words = cell(direction=direction, type=type_, temperature=temperature)
        red, _, blue = relit(image, words).reshape(-1, 3).mean(axis=0)
        ratios.append(red / blue)
    assert all(1.03 * cooler < warmer for cooler, warmer in itertools.pairwise(ratios)), ratios


def test_neutral_leaves_grey_grey(cell: Cell, relit: Relit) -> None:
    grey = np.full((60, 80, 3), 120, np.uint8)
    for direction in DIRECTIONS:
        out = relit(grey, cell(direction=direction)).astype(int)
        assert np.ptp(out, axis=2).max() <= 1


@pytest.mark.parametrize("blue", [(40, 110, 190), (120, 170, 225), (60, 75, 120)])
@pytest.mark.parametrize("temperature", ["warm", "sunset"])
def test_a_blue_sky_turns_grey_and_never_green_in_warm_light(
    cell: Cell, blue: tuple[int, int, int], temperature: str
) -> None:
    sky = np.full((60, 80, 3), blue, np.uint8)
    out = renderer(sky)(cell(type="ambient", direction="top", temperature=temperature))
    red, green, other = out.reshape(-1, 3).mean(axis=0)
    assert green < max(red, other) + 1
    assert abs(other - red) < 0.85 * abs(int(blue[2]) - blue[0])


@pytest.mark.parametrize("level", [200, 246])
@pytest.mark.parametrize("intensity", ["medium", "strong"])
def test_a_spotlight_has_no_border(cell: Cell, level: int, intensity: str) -> None:
    """On even paper brightness changes by a twentieth of its range at most within a fortieth of the width."""
    paper = np.full((200, 320, 3), level, np.uint8)
    for direction in ("left", "top"):
        words = cell(direction=direction, type="spotlight", intensity=intensity)
        across = renderer(paper)(words)[100, :, 1].astype(float)
        assert np.abs(across[8:] - across[:-8]).max() < 13
        assert across.max() > 1.2 * across.min()


def test_more_light_leaves_black_black(cell: Cell) -> None:
    """A black coat before a grey wall."""
    coat = np.full((120, 160, 3), 110, np.uint8)
    coat[40:, 50:110] = 18
    out = renderer(coat)(cell(intensity="bright", type="ambient"))
    assert out[80:, 60:100].mean() < 26
    assert out[:30].mean() > 120


def test_side_light_shapes_a_bright_subject(figure: Bytes, cell: Cell, relit: Relit) -> None:
    """The far side of the face is darker than it was by a fifth, in light that is no darker."""
    left, right = slice(84, 100), slice(138, 154)
    face = figure[100:140].astype(float)
    out = relit(figure, cell(direction="left"))[100:140].astype(float)
    ratio = (out[:, left].mean() / out[:, right].mean()) / (
        face[:, left].mean() / face[:, right].mean()
    )
    assert ratio > 1.2


def gain(pixels: Bytes, out: Bytes) -> Bytes:
    """Log of what the light was multiplied with."""
    return np.log((light_of(out) + 0.01) / (light_of(pixels) + 0.01))


def test_sunlight_is_harder_than_softbox(image: Bytes, cell: Cell, relit: Relit) -> None:
    def roughness(type_: str) -> float:
        return float(np.abs(np.diff(gain(image, relit(image, cell(type=type_))))).mean())

    assert roughness("sunlight") > 1.15 * roughness("softbox")


def test_ambient_is_the_flattest(image: Bytes, cell: Cell, relit: Relit) -> None:
    spread = {t: float(gain(image, relit(image, cell(type=t))).std()) for t in TYPES}
    assert 1.3 * spread["ambient"] < min(v for t, v in spread.items() if t != "ambient")


def test_spotlight_is_a_pool(image: Bytes, cell: Cell, relit: Relit) -> None:
    def share_of_the_brightest_quarter(type_: str) -> float:
        lit = np.sort(np.exp(gain(image, relit(image, cell(type=type_)))).ravel())
        return float(lit[-lit.size // 4 :].sum() / lit.sum())

    found = {t: share_of_the_brightest_quarter(t) for t in TYPES}
    assert found["spotlight"] > 1.04 * max(v for t, v in found.items() if t != "spotlight")


@pytest.mark.parametrize("small", ["ball", "figure", "boxes"], indirect=True)
def test_all_256_cells_differ_visibly(small: Bytes, relit: Relit) -> None:
    """Any two cells are at least 2 of 255 apart, on average over the image."""
    axes = (DIRECTIONS, INTENSITIES, TEMPERATURES, TYPES)
    names = [parameter.name for parameter in MODEL.parameters]
    cells = list(itertools.product(*axes))
    outs = np.stack(
        [relit(small, FrozenMap(dict(zip(names, words, strict=True)))).ravel() for words in cells]
    ).astype(np.int16)
    for index, out in enumerate(outs[:-1]):
        apart = np.abs(outs[index + 1 :] - out).mean(axis=1)
        nearest = int(apart.argmin())
        assert apart[nearest] > 2.0, (cells[index], cells[index + 1 + nearest])


def test_rendering_is_the_three_stages_in_a_row(ball: Bytes, cell: Cell, relit: Relit) -> None:
    assert np.array_equal(renderer(ball)(cell()), relit(ball, cell()))


def test_the_same_image_and_words_give_the_same_bytes(image: Bytes, cell: Cell) -> None:
    data = encode(image, "image/jpeg")
    assert relight(data, cell()) == relight(data, cell())


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 300), (17, 5)])
def test_any_size_is_lit(cell: Cell, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(4).integers(0, 255, (*size, 3), dtype=np.uint8)
    for direction, type_ in itertools.product(DIRECTIONS, TYPES):
        assert renderer(pixels)(cell(direction=direction, type=type_)).shape == pixels.shape


def test_black_stays_dark_and_white_stays_light(cell: Cell) -> None:
    for direction, type_ in itertools.product(DIRECTIONS, TYPES):
        words = cell(direction=direction, type=type_)
        assert renderer(np.zeros((30, 40, 3), np.uint8))(words).mean() < 100
        assert renderer(np.full((30, 40, 3), 255, np.uint8))(words).mean() > 100


def test_transparency_is_kept_and_is_the_subject(cell: Cell) -> None:
    rgb = np.full((80, 80, 3), 255, np.uint8)
    alpha = np.zeros((80, 80), np.uint8)
    alpha[10:40, 5:35] = 255
    out = load(relight(encode(rgb, "image/png", alpha=alpha), cell(direction="back")))
    assert out.alpha is not None
    assert np.array_equal(out.alpha, alpha)
    assert out.rgb[25, 20].mean() < out.rgb[25, 60].mean() - 20


def test_an_upright_result_has_the_size_that_the_plan_says(image: Bytes, cell: Cell) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    PIL.Image.fromarray(image).save(out, "JPEG", exif=exif)
    assert probe(relight(out.getvalue(), cell())) == probe(out.getvalue())
    assert decode(out.getvalue()).shape[:2] == image.shape[1::-1]


def test_a_bad_image_is_refused(cell: Cell) -> None:
    with pytest.raises(BadImage, match="GIF"):
        relight(b"GIF89a", cell())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", [(1, MAX_SIDE, 3), (MAX_SIDE, 1, 3), (2, MAX_SIDE // 2, 3)])
def test_a_strip_takes_no_more_memory_than_an_image(
    cell: Cell, shape: tuple[int, int, int], kind: str
) -> None:
    strip = np.full(shape, 120, np.uint8)
    tracemalloc.start()
    try:
        assert renderer(strip)(cell(type=kind)).shape == shape
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * 1024 * 1024
