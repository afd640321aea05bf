"""The array operations on pictures, against Pillow and against NumPy written out."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image

from fnx_nn.vision.grids import grid_of_arrays, levels_of_grid
from fnx_nn.vision.picture_arrays import (
    array_to_image,
    bytes_of_floats,
    image_to_array,
    pad_array,
    resize_array,
    rgb_to_gray,
)
from fnx_nn.vision.transforms import colour


@pytest.fixture
def picture(rng) -> Image.Image:
    """A smooth random picture, 31 pixels high and 44 wide."""
    rough = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return rough.resize((44, 31), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("mode", "dtype", "channels"),
    [
        ("L", np.uint8, 1),
        ("LA", np.uint8, 2),
        ("RGB", np.uint8, 3),
        ("RGBA", np.uint8, 4),
        ("I", np.int32, 1),
        ("F", np.float32, 1),
        ("I;16", np.uint16, 1),
        ("YCbCr", np.uint8, 3),
    ],
)
def test_images_become_arrays_and_images_again(picture, mode, dtype, channels):
    source = picture.convert("I").convert("I;16") if mode == "I;16" else picture.convert(mode)
    array = image_to_array(source)
    assert array.dtype == dtype
    assert array.shape == (channels, 31, 44)
    again = array_to_image(array.transpose(1, 2, 0), mode)
    assert again.mode == mode and again.tobytes() == source.tobytes()


def test_black_and_white_has_the_levels_0_and_255(picture):
    array = image_to_array(picture.convert("1"))
    assert array.dtype == np.uint8
    assert set(np.unique(array)) == {0, 255}


def test_arrays_that_are_no_picture_are_refused():
    with pytest.raises(TypeError, match="2 channels of float32"):
        array_to_image(np.zeros((4, 4, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="'RGB' does not fit 1 channels"):
        array_to_image(np.zeros((4, 4), dtype=np.uint8), "RGB")
    with pytest.raises(ValueError, match="not 4"):
        array_to_image(np.zeros((1, 4, 4, 3), dtype=np.uint8))


def test_floats_are_truncated_to_bytes():
    values = np.float32([0.0, 0.5, 0.999, 1.0, 254.999 / 255])
    assert bytes_of_floats(values).tolist() == [0, 127, 254, 255, 254]


@pytest.mark.parametrize("size", [(10, 12), (16, 44), (60, 44), (64, 90)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resampling_with_antialiasing_is_that_of_pillow(picture, size, interpolation):
    gray = np.asarray(picture.convert("F"))
    height, width = size
    wanted = Image.fromarray(gray).resize((width, height), Image.Resampling[interpolation.upper()])
    found = resize_array(gray, height, width, interpolation, antialias=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.asarray(wanted), atol=2e-3)
    levels = image_to_array(picture)
    rounded = resize_array(levels, height, width, interpolation, antialias=True)
    by_pillow = picture.resize((width, height), Image.Resampling[interpolation.upper()])
    difference = rounded.astype(int) - image_to_array(by_pillow).astype(int)
    assert rounded.dtype == np.uint8 and np.abs(difference).max() <= 1


def test_resampling_without_antialiasing_interpolates_between_neighbours(rng):
    values = rng.standard_normal((2, 5, 7))
    found = resize_array(values, 3, 4, "bilinear", antialias=False)
    for row in range(3):
        for column in range(4):
            y = min(max((row + 0.5) * 5 / 3 - 0.5, 0), 4)
            x = min(max((column + 0.5) * 7 / 4 - 0.5, 0), 6)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, 4), min(left + 1, 6)
            upper = values[:, top, left] * (1 - x + left) + values[:, top, right] * (x - left)
            lower = values[:, bottom, left] * (1 - x + left) + values[:, bottom, right] * (x - left)
            wanted = upper * (1 - y + top) + lower * (y - top)
            np.testing.assert_allclose(found[:, row, column], wanted)
    constant = resize_array(np.full((1, 6, 6), 3.5), 4, 9, "bicubic", antialias=False)
    np.testing.assert_allclose(constant, 3.5)


def test_the_nearest_pixel():
    values = np.arange(12).reshape(1, 3, 4)
    found = resize_array(values, 6, 2, "nearest", antialias=True)
    np.testing.assert_array_equal(found, values[:, [0, 0, 1, 1, 2, 2]][:, :, [0, 2]])


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_padding_and_cropping(mode, rng):
    values = rng.standard_normal((2, 5, 6))
    options = {"constant_values": 7.0} if mode == "constant" else {}
    wanted = np.pad(values, [(0, 0), (2, 4), (1, 3)], mode=mode, **options)
    np.testing.assert_array_equal(pad_array(values, (1, 2, 3, 4), 7.0, mode), wanted)
    cropped = pad_array(values, (-1, 0, 2, -2), 7.0, mode)
    assert cropped.shape == (2, 3, 7)
    np.testing.assert_array_equal(cropped[:, :, :5], values[:, :3, 1:])


def test_gray_is_close_to_pillows(picture):
    gray = rgb_to_gray(image_to_array(picture))
    difference = gray.astype(int)[0] - np.asarray(picture.convert("L")).astype(int)
    assert gray.shape == (1, 31, 44) and np.abs(difference).max() <= 1
    with pytest.raises(TypeError, match="not 2"):
        rgb_to_gray(np.zeros((2, 4, 4)))


def test_hue_saturation_and_value_against_colorsys(rng):
    rgb = rng.random((3, 6, 7))
    rgb[:, 0] = 0.25  # gray
    rgb[:, 1] = 0.0  # black
    hue, saturation, value = colour._rgb_to_hsv(rgb)
    for y in range(6):
        for x in range(7):
            wanted = colorsys.rgb_to_hsv(*rgb[:, y, x])
            found = (hue[y, x], saturation[y, x], value[y, x])
            np.testing.assert_allclose(found, wanted, atol=1e-12)
    np.testing.assert_allclose(colour._hsv_to_rgb(hue, saturation, value), rgb, atol=1e-12)


def test_a_grid_of_pictures(rng):
    pictures = rng.random((5, 3, 4, 6))
    grid = grid_of_arrays(pictures, columns=2, padding=1, pad_value=0.5)
    assert grid.shape == (3, 3 * 5 + 1, 2 * 7 + 1)
    np.testing.assert_array_equal(grid[:, 6:10, 8:14], pictures[3])
    np.testing.assert_array_equal(grid[:, 11:15, 8:14], 0.5)
    np.testing.assert_array_equal(grid[:, :, 7], 0.5)
    np.testing.assert_array_equal(grid_of_arrays(pictures[:1]), pictures[0])
    gray = grid_of_arrays(pictures[0, 0])
    np.testing.assert_array_equal(gray, np.stack([pictures[0, 0]] * 3))


def test_a_grid_moves_values_to_the_unit_range():
    pictures = np.stack([np.full((1, 2, 2), k * 10.0) for k in range(3)])
    pictures[:, 0, 0, 0] += 5.0
    whole = grid_of_arrays(pictures, padding=0, normalize=True)
    assert (whole.min(), whole.max()) == (0.0, 1.0)
    each = grid_of_arrays(pictures, padding=0, normalize=True, scale_each=True)
    np.testing.assert_allclose(each[0, 0], [1, 0, 1, 0, 1, 0])
    given = grid_of_arrays(pictures, padding=0, normalize=True, value_range=(0.0, 100.0))
    np.testing.assert_allclose(given[0, 0], [0.05, 0, 0.15, 0.1, 0.25, 0.2])
    with pytest.raises(ValueError, match="no picture"):
        grid_of_arrays(np.zeros((0, 3, 4, 4)))
    with pytest.raises(ValueError, match="shape"):
        grid_of_arrays(np.zeros((1, 1, 3, 4, 4)))


def test_levels_are_rounded_and_clipped():
    values = np.float32([-1.0, 0.0, 0.499 / 255, 0.5 / 255, 1.0, 2.0]).reshape(1, 1, 6)
    assert levels_of_grid(values).reshape(-1).tolist() == [0, 0, 0, 1, 255, 255]
