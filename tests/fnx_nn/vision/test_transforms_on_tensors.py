"""Transforms on tensors: the same pictures as on PIL images, files and grids included."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import fnx_nn as torch
from fnx_nn.generator import default_generator
from fnx_nn.vision import io, transforms, utils
from fnx_nn.vision.transforms import InterpolationMode, functional


@pytest.fixture
def picture(rng) -> Image.Image:
    """A smooth random picture, 24 pixels high and 36 wide."""
    rough = Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8))
    return rough.resize((36, 24), Image.Resampling.BICUBIC)


@pytest.fixture(autouse=True)
def keep_default_generator():
    state = default_generator.state_bytes()
    yield
    default_generator.load_state_bytes(state)


def values(tensor) -> np.ndarray:
    return tensor.detach().numpy()


def levels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).transpose(2, 0, 1)


def test_pictures_become_tensors_and_pictures_again(picture):
    tensor = transforms.ToTensor()(picture)
    assert tensor.dtype == torch.float32 and tuple(tensor.shape) == (3, 24, 36)
    np.testing.assert_array_equal(values(tensor), levels(picture).astype(np.float32) / 255)
    assert transforms.ToPILImage()(tensor).tobytes() == picture.tobytes()
    raw = transforms.PILToTensor()(picture)
    assert raw.dtype == torch.uint8
    np.testing.assert_array_equal(values(raw), levels(picture))
    assert transforms.ToPILImage()(raw).tobytes() == picture.tobytes()


def test_arrays_and_other_modes_become_tensors(picture):
    array = np.asarray(picture)
    np.testing.assert_array_equal(
        values(functional.to_tensor(array)), values(functional.to_tensor(picture))
    )
    wide = functional.to_tensor(array.astype(np.float64))
    assert wide.dtype == torch.float64  # only levels of uint8 are scaled
    np.testing.assert_array_equal(values(wide), levels(picture))
    assert functional.to_tensor(picture.convert("F")).dtype == torch.float32
    gray = functional.to_pil_image(functional.to_tensor(picture.convert("L")))
    assert gray.mode == "L"
    with pytest.raises(TypeError, match="PIL image or an ndarray"):
        functional.to_tensor("picture.png")
    with pytest.raises(ValueError, match="2 or 3 dimensions"):
        functional.to_tensor(np.zeros(3))
    with pytest.raises(TypeError, match="not str"):
        functional.to_pil_image("picture.png")


def test_normalizing(picture):
    tensor = functional.to_tensor(picture)
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
    found = transforms.Normalize(mean, std)(tensor)
    shift, scale = (np.float32(v).reshape(3, 1, 1) for v in (mean, std))
    np.testing.assert_array_equal(values(found), (values(tensor) - shift) / scale)
    in_place = tensor.clone()
    assert functional.normalize(in_place, mean, std, inplace=True) is in_place
    np.testing.assert_array_equal(values(in_place), values(found))
    with pytest.raises(TypeError, match="apply ToTensor first"):
        functional.normalize(picture, mean, std)
    with pytest.raises(TypeError, match="floating-point"):
        functional.normalize(functional.pil_to_tensor(picture), mean, std)
    with pytest.raises(ValueError, match="contains zero"):
        functional.normalize(tensor, mean, [0.1, 0.0, 0.1])


def test_gradients_flow_through_cropping_and_normalizing(picture):
    tensor = functional.to_tensor(picture).requires_grad_(True)
    result = transforms.Compose(
        [transforms.CenterCrop(10), functional.hflip, transforms.Normalize([0.5] * 3, [0.25] * 3)]
    )(tensor)
    result.sum().backward()
    wanted = np.zeros((3, 24, 36), dtype=np.float32)
    wanted[:, 7:17, 13:23] = 4.0
    np.testing.assert_array_equal(tensor.grad.numpy(), wanted)
    with pytest.raises(RuntimeError, match="not differentiable"):
        functional.resize(tensor, 10)


@pytest.mark.parametrize(
    "transform",
    [
        transforms.CenterCrop(10),
        transforms.CenterCrop((30, 11)),
        transforms.Pad((1, 2, 3, 4)),
        transforms.Pad(3, padding_mode="reflect"),
        transforms.Pad(3, padding_mode="edge"),
        transforms.RandomCrop(9, padding=2),
        transforms.RandomHorizontalFlip(),
        transforms.RandomVerticalFlip(),
        lambda picture: functional.crop(picture, -2, 3, 10, 50),
    ],
)
def test_geometry_is_the_same_on_images_and_tensors(picture, transform):
    tensor = functional.pil_to_tensor(picture)
    for seed in range(4):
        default_generator.manual_seed(seed)
        wanted = levels(transform(picture))
        default_generator.manual_seed(seed)
        np.testing.assert_array_equal(values(transform(tensor)), wanted)


def test_resizing_is_close_to_pillow(picture):
    tensor = functional.pil_to_tensor(picture)
    for mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
        wanted = levels(functional.resize(picture, 10, mode)).astype(int)
        found = values(functional.resize(tensor, 10, mode)).astype(int)
        assert np.abs(found - wanted).max() <= 1
    batch = functional.resize(tensor.reshape(1, 3, 24, 36), (5, 6))
    assert tuple(batch.shape) == (1, 3, 5, 6)
    assert functional.resize(tensor, 24) is tensor
    with pytest.raises(ValueError, match="for PIL images"):
        functional.resize(tensor, 10, InterpolationMode.LANCZOS)


def test_recolouring_is_close_to_pillow(picture):
    tensor = functional.to_tensor(picture)
    for seed in range(6):
        jitter = transforms.ColorJitter(0.3, 0.3, 0.3, 0.1)
        default_generator.manual_seed(seed)
        wanted = levels(jitter(picture)) / 255
        default_generator.manual_seed(seed)
        found = values(jitter(tensor))
        # Pillow rounds to levels after each of the four steps, and keeps 8 bits of hue.
        assert np.abs(found - wanted).mean() < 0.02
    gray = values(transforms.Grayscale(3)(tensor))
    np.testing.assert_allclose(gray, levels(transforms.Grayscale(3)(picture)) / 255, atol=0.005)


def test_dtypes_scale_with_their_range(picture):
    raw = functional.pil_to_tensor(picture)
    single = transforms.ConvertImageDtype(torch.float32)(raw)
    np.testing.assert_array_equal(values(single), values(functional.to_tensor(picture)))
    assert transforms.ConvertImageDtype(torch.float32)(single) is single
    for dtype in (torch.float64, torch.uint8, torch.int16):
        wide = transforms.ConvertImageDtype(dtype)(single)
        assert wide.dtype == dtype
        back = transforms.ConvertImageDtype(torch.uint8)(wide)
        assert np.abs(values(back).astype(int) - values(raw)).max() <= 1
    shorts = values(functional.convert_image_dtype(raw, torch.int16))
    np.testing.assert_array_equal(shorts, values(raw).astype(np.int16) * 128)
    with pytest.raises(RuntimeError, match="cannot hold all levels"):
        functional.convert_image_dtype(single, torch.int32)


def test_grids_are_made_and_saved(picture, tmp_path):
    tensor = functional.to_tensor(picture)
    grid = utils.make_grid([tensor] * 3, nrow=2, padding=1, pad_value=0.5)
    assert tuple(grid.shape) == (3, 51, 75)
    np.testing.assert_array_equal(values(grid)[:, 26:50, 1:37], values(tensor))
    utils.save_image(tensor, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as saved:
        assert saved.tobytes() == picture.tobytes()
    with pytest.raises(TypeError, match="list of tensors"):
        utils.make_grid([1, 2])


def test_files_of_pictures(picture, tmp_path):
    raw = functional.pil_to_tensor(picture)
    io.write_png(raw, tmp_path / "picture.png")
    np.testing.assert_array_equal(values(io.read_image(tmp_path / "picture.png")), values(raw))
    gray = io.read_image(tmp_path / "picture.png", io.ImageReadMode.GRAY)
    assert tuple(gray.shape) == (1, 24, 36)
    io.write_jpeg(gray, tmp_path / "picture.jpg", quality=95)
    difference = values(io.read_image(tmp_path / "picture.jpg")).astype(int) - values(gray)
    assert np.abs(difference).mean() < 4
    np.testing.assert_array_equal(values(io.decode_image(io.encode_png(raw))), values(raw))
    data = io.read_file(tmp_path / "picture.png")
    io.write_file(tmp_path / "copy.png", data)
    assert (tmp_path / "copy.png").read_bytes() == (tmp_path / "picture.png").read_bytes()
    with pytest.raises(RuntimeError, match="uint8"):
        io.encode_png(functional.to_tensor(picture))
    with pytest.raises(ValueError, match="quality"):
        io.encode_jpeg(raw, quality=0)


def test_what_is_no_picture_is_refused():
    with pytest.raises(TypeError, match="PIL image or a tensor"):
        functional.resize(np.zeros((3, 4, 4)), 2)
