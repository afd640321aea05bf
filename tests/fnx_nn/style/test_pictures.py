"""The strip of pictures and the plot of the losses."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fnx_nn.style import loss_plot
from fnx_nn.style.pictures import read_square, side_by_side, write_png
from fnx_nn.vision.picture_files import PictureError, read_picture

DATA = Path(__file__).parents[1] / "data"


def test_pictures_become_square():
    square = read_square(DATA / "content.png", 40)
    assert (square.mode, square.size) == ("RGB", (40, 40))
    wanted = Image.open(DATA / "content.png").resize((40, 40), Image.Resampling.BILINEAR)
    assert square.tobytes() == wanted.tobytes()
    with pytest.raises(PictureError, match=r"absent\.png"):
        read_square(DATA / "absent.png", 40)


def test_the_strip_shows_the_pictures_in_order():
    pictures = [Image.new("RGB", (10, 10), colour) for colour in ("red", "lime", "blue")]
    pictures[1] = pictures[1].resize((40, 20))  # is scaled to the height of the first
    strip = np.asarray(side_by_side(pictures, margin=3))
    assert strip.shape == (10, 10 + 3 + 20 + 3 + 10, 3)
    for left, right, colour in ((0, 10, (255, 0, 0)), (13, 33, (0, 255, 0)), (36, 46, (0, 0, 255))):
        assert (strip[:, left:right] == colour).all()
    assert (strip[:, 10:13] == 255).all() and (strip[:, 33:36] == 255).all()
    with pytest.raises(ValueError, match="no picture"):
        side_by_side([])


def test_a_png_is_written(tmp_path):
    picture = read_square(DATA / "style.png", 32)
    write_png(picture, tmp_path / "style.png")
    assert read_picture(tmp_path / "style.png").tobytes() == picture.tobytes()


def test_the_plot_is_a_picture(tmp_path):
    loss_plot.plot_losses([(1.0, 0.0), (0.5, 0.1), (0.2, 0.2)], tmp_path / "losses.png")
    assert read_picture(tmp_path / "losses.png").width > 400
    with pytest.raises(ValueError, match="empty"):
        loss_plot.plot_losses([], tmp_path / "none.png")
    assert len(list(tmp_path.iterdir())) == 1


def test_without_matplotlib_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not loss_plot.can_plot()
    with pytest.raises(ModuleNotFoundError, match=r"fnx\[viz\]"):
        loss_plot.plot_losses([(1.0, 0.0)], tmp_path / "losses.png")
    assert list(tmp_path.iterdir()) == []
