"""Transforms on PIL images, and the order of their random draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageOps

from fnx_nn.generator import Generator, default_generator
from fnx_nn.random_choice import permutation
from fnx_nn.random_fill import random_, uniform_
from fnx_nn.vision import transforms
from fnx_nn.vision.transforms import InterpolationMode, functional


@pytest.fixture
def picture(rng) -> Image.Image:
    """A random picture, 20 pixels high and 30 wide."""
    return Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))


@pytest.fixture(autouse=True)
def keep_default_generator():
    state = default_generator.state_bytes()
    yield
    default_generator.load_state_bytes(state)


def uniform(generator: Generator, low: float = 0.0, high: float = 1.0) -> float:
    drawn = np.empty(1, dtype=np.float32)
    uniform_(drawn, generator, low, high)
    return float(drawn[0])


@pytest.mark.parametrize(
    ("size", "options", "wanted"),
    [
        ((15, 40), {}, (15, 40)),
        (10, {}, (10, 15)),
        ([10], {}, (10, 15)),
        (40, {}, (40, 60)),
        (10, {"max_size": 12}, (8, 12)),
        (7, {}, (7, 10)),
    ],
)
def test_sizes_after_resizing(picture, size, options, wanted):
    resized = transforms.Resize(size, **options)(picture)
    assert (resized.height, resized.width) == wanted
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    if not isinstance(size, tuple):
        resized = transforms.Resize(size, **options)(turned)
        assert (resized.width, resized.height) == wanted


def test_resizing_is_pillows(picture):
    for mode in (InterpolationMode.BILINEAR, InterpolationMode.LANCZOS):
        resized = transforms.Resize((9, 11), mode)(picture)
        wanted = picture.resize((11, 9), Image.Resampling[mode.name])
        assert resized.tobytes() == wanted.tobytes()
    assert transforms.Resize(20)(picture) is picture


def test_center_crop(picture):
    array = np.asarray(picture)
    np.testing.assert_array_equal(transforms.CenterCrop(10)(picture), array[5:15, 10:20])
    # 20 - 13 = 7 is odd: the half rounds to the even neighbour, as Python's round does.
    np.testing.assert_array_equal(
        transforms.CenterCrop((13, 30))(picture), array[round(3.5) : round(3.5) + 13]
    )
    larger = np.asarray(transforms.CenterCrop((26, 30))(picture))
    np.testing.assert_array_equal(larger[3:23], array)
    assert not larger[:3].any() and not larger[23:].any()


def test_flips(picture):
    np.testing.assert_array_equal(functional.hflip(picture), np.asarray(picture)[:, ::-1])
    np.testing.assert_array_equal(functional.vflip(picture), np.asarray(picture)[::-1])


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_padding_modes(picture, mode):
    padded = transforms.Pad((1, 2, 3, 4), padding_mode=mode)(picture)
    np.testing.assert_array_equal(padded, np.pad(picture, [(2, 4), (1, 3), (0, 0)], mode=mode))


def test_constant_padding(picture):
    padded = np.asarray(transforms.Pad([2, 3], fill=9)(picture))
    wanted = np.pad(picture, [(3, 3), (2, 2), (0, 0)], constant_values=9)
    np.testing.assert_array_equal(padded, wanted)
    coloured = np.asarray(functional.pad(picture, 1, fill=(1, 2, 3)))
    assert coloured[0, 0].tolist() == [1, 2, 3]
    gray = functional.pad(picture.convert("L"), 2, fill=7)
    assert gray.getpixel((0, 0)) == 7
    palette = functional.pad(picture.convert("P"), 2, padding_mode="edge")
    assert palette.mode == "P" and palette.size == (34, 24)


def test_random_crop_draws_the_row_then_the_column(picture):
    crop = transforms.RandomCrop((8, 9), padding=2)
    padded = ImageOps.expand(picture, 2)
    reference = Generator()
    for seed in range(10):
        default_generator.manual_seed(seed)
        reference.manual_seed(seed)
        top, left = np.empty(1, dtype=np.int64), np.empty(1, dtype=np.int64)
        random_(top, reference, 0, 24 - 8 + 1)
        random_(left, reference, 0, 34 - 9 + 1)
        wanted = np.asarray(padded)[top[0] : top[0] + 8, left[0] : left[0] + 9]
        np.testing.assert_array_equal(crop(picture), wanted)


def test_random_crop_of_the_whole_draws_nothing(picture):
    before = default_generator.state_bytes()
    assert transforms.RandomCrop((20, 30))(picture).tobytes() == picture.tobytes()
    np.testing.assert_array_equal(default_generator.state_bytes(), before)


def test_random_crop_of_a_smaller_picture(picture):
    with pytest.raises(ValueError, match=r"cannot cut \(25, 9\) out of \(20, 30\)"):
        transforms.RandomCrop((25, 9))(picture)
    assert transforms.RandomCrop((25, 40), pad_if_needed=True)(picture).size == (40, 25)


@pytest.mark.parametrize(
    ("transform", "function"),
    [
        (transforms.RandomHorizontalFlip(0.4), functional.hflip),
        (transforms.RandomVerticalFlip(0.4), functional.vflip),
        (transforms.RandomGrayscale(0.4), lambda p: functional.rgb_to_grayscale(p, 3)),
        (transforms.RandomApply([functional.hflip], 0.4), functional.hflip),
    ],
)
def test_random_choices_follow_one_uniform_number(picture, transform, function):
    reference = Generator()
    outcomes = set()
    for seed in range(20):
        default_generator.manual_seed(seed)
        chosen = uniform(reference.manual_seed(seed)) < 0.4
        outcomes.add(chosen)
        wanted = function(picture) if chosen else picture
        assert transform(picture).tobytes() == wanted.tobytes()
    assert outcomes == {True, False}


def test_color_jitter_draws_the_order_then_the_factors(picture):
    jitter = transforms.ColorJitter(0.4, (0.5, 1.5), 0.6, 0.3)
    ranges = [(0.6, 1.4), (0.5, 1.5), (0.4, 1.6), (-0.3, 0.3)]
    steps = [
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
        functional.adjust_hue,
    ]
    reference = Generator()
    for seed in range(5):
        default_generator.manual_seed(seed)
        reference.manual_seed(seed)
        order = permutation(reference, 4)
        factors = [uniform(reference, *pair) for pair in ranges]
        wanted = picture
        for index in order:
            wanted = steps[index](wanted, factors[index])
        assert jitter(picture).tobytes() == wanted.tobytes()


def test_color_jitter_without_strength_changes_nothing(picture):
    assert transforms.ColorJitter()(picture) is picture
    with pytest.raises(ValueError, match="hue"):
        transforms.ColorJitter(hue=0.6)
    with pytest.raises(ValueError, match="brightness must not be negative"):
        transforms.ColorJitter(brightness=-1)
    with pytest.raises(TypeError, match="a number or two"):
        transforms.ColorJitter(contrast=[1, 2, 3])


def test_adjustments_at_their_neutral_and_extreme_factors(picture):
    assert functional.adjust_brightness(picture, 1.0).tobytes() == picture.tobytes()
    assert not np.asarray(functional.adjust_brightness(picture, 0.0)).any()
    gray = np.asarray(functional.adjust_saturation(picture, 0.0))
    assert (gray[..., 0] == gray[..., 1]).all()
    assert len(np.unique(functional.adjust_contrast(picture, 0.0))) == 1
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    turned = functional.adjust_hue(red, 1.0 / 3.0).getpixel((0, 0))
    assert turned[1] == 255 and turned[0] < 12 and turned[2] < 12
    for function, factor in ((functional.adjust_contrast, -1.0), (functional.adjust_hue, 0.7)):
        with pytest.raises(ValueError, match="factor"):
            function(picture, factor)


def test_grayscale(picture):
    assert transforms.Grayscale()(picture).mode == "L"
    three = np.asarray(transforms.Grayscale(3)(picture))
    assert three.shape == (20, 30, 3) and (three[..., 0] == three[..., 2]).all()
    with pytest.raises(ValueError, match="not 2"):
        functional.rgb_to_grayscale(picture, 2)


def test_composition(picture):
    both = transforms.Compose([transforms.Resize(10), transforms.Lambda(functional.hflip)])
    assert both(picture).tobytes() == functional.hflip(functional.resize(picture, 10)).tobytes()
    assert repr(both).startswith("Compose(\n    Resize(size=10, interpolation=bilinear")
    with pytest.raises(TypeError, match="function"):
        transforms.Lambda(3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: functional.resize(p, 0), ValueError, "positive"),
        (lambda p: functional.resize(p, (1, 2, 3)), ValueError, "two"),
        (lambda p: functional.resize(p, (4, 5), max_size=6), ValueError, "max_size"),
        (lambda p: functional.resize(p, 9, max_size=9), ValueError, "greater than size"),
        (lambda p: functional.resize(p, 9, "bilinear"), TypeError, "InterpolationMode"),
        (lambda p: functional.pad(p, 1, padding_mode="wrap"), ValueError, "'wrap' is none of"),
        (lambda p: functional.pad(p, [1, 2, 3]), ValueError, "1, 2 or 4"),
        (lambda p: functional.pad(p, 1, fill=(1, 2)), ValueError, "2 numbers for 3 channels"),
        (lambda p: transforms.CenterCrop(0), ValueError, "positive"),
        (lambda p: transforms.Resize(1.5), TypeError, "integer"),
    ],
)
def test_wrong_arguments_are_refused(picture, call, error, words):
    with pytest.raises(error, match=words):
        call(picture)


def test_resized_lengths_are_truncated():
    for short, long, size in ((3, 7, 5), (20, 33, 17)):
        resized = transforms.Resize(size)(Image.new("L", (long, short)))
        assert resized.size == (math.floor(size * long / short), size)
