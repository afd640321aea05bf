"""The painted style picture: the same for the same seed, and rich in colours and strokes."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "examples" / "style_picture.py"


def test_the_picture_is_painted(tmp_path, monkeypatch):
    output = tmp_path / "style.png"
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, str(output), "--size", "96"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    with Image.open(output) as image:
        first = np.asarray(image.convert("RGB"))
    assert first.shape == (96, 96, 3)
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, str(output), "--size", "96"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    with Image.open(output) as image:
        np.testing.assert_array_equal(np.asarray(image), first)
    # Strong contrasts and strokes: neighbours differ, and blue and yellow both occur.
    levels = first.astype(float)
    assert levels.std() > 40
    assert np.abs(np.diff(levels, axis=0)).mean() > 8
    yellow = (levels[..., 0] > 180) & (levels[..., 2] < 140)
    blue = levels[..., 2] > levels[..., 0] + 50
    assert yellow.mean() > 0.05 and blue.mean() > 0.3
