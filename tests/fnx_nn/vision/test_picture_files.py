"""Picture files: what is written is read again, and bad files are one clear error."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fnx_nn.vision.picture_files import (
    PictureError,
    decode_picture,
    encode_picture,
    read_picture,
    write_picture,
)


@pytest.fixture
def picture(rng) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))


def test_png_keeps_every_level(picture, tmp_path):
    path = tmp_path / "picture.png"
    write_picture(picture, path)
    assert read_picture(path).tobytes() == picture.tobytes()
    assert read_picture(path, "L").mode == "L"
    write_picture(picture.convert("RGBA"), path)
    assert read_picture(path, None).mode == "RGBA"
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


def test_levels_of_16_bits_are_scaled(tmp_path):
    levels = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    found = np.asarray(read_picture(tmp_path / "deep.png"))
    np.testing.assert_array_equal(found, np.repeat((levels >> 8)[..., None], 3, 2))


def test_jpeg_comes_close(tmp_path):
    smooth = Image.linear_gradient("L").convert("RGB")
    write_picture(smooth, tmp_path / "gradient.JPG")
    found = np.asarray(read_picture(tmp_path / "gradient.JPG")).astype(int)
    assert np.abs(found - np.asarray(smooth)).max() <= 4
    small, large = (len(encode_picture(smooth, "JPEG", quality=q)) for q in (20, 95))
    assert small < large
    with pytest.raises(ValueError, match="RGBA"):
        encode_picture(smooth.convert("RGBA"), "JPEG")


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(PictureError, match=r"'.*absent\.png': there is no such file"):
        read_picture(tmp_path / "absent.png")
    with pytest.raises(PictureError, match="it is a folder"):
        read_picture(tmp_path)
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    with pytest.raises(PictureError, match=r"'.*text\.png': it is in no known picture format"):
        read_picture(text)
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    with pytest.raises(PictureError, match=r"empty\.jpg"):
        read_picture(empty)
    assert issubclass(PictureError, OSError)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP", "TIFF"])
def test_truncated_files(picture, file_format, tmp_path):
    whole = encode_picture(picture, file_format)
    assert decode_picture(whole).size == picture.size
    path = tmp_path / "cut.png"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureError, match=r"cut\.png': the file is broken"):
        read_picture(path)


def test_an_unknown_ending_writes_nothing(picture, tmp_path):
    with pytest.raises(ValueError, match=r"'\.xyz' names no format"):
        write_picture(picture, tmp_path / "picture.xyz")
    with pytest.raises(FileNotFoundError, match="absent"):
        write_picture(picture, tmp_path / "absent" / "picture.png")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(picture, tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    write_picture(picture, path)
    before = path.read_bytes()

    def fail(source, target):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_picture(picture.rotate(90), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


def test_a_link_stays_a_link(picture, tmp_path):
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_picture(picture, link)
    assert link.is_symlink()
    assert read_picture(real).tobytes() == picture.tobytes()
