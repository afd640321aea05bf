"""The preparation of pictures for trained models."""

from __future__ import annotations

import numpy as np
from PIL import Image

import fnx_nn as torch
from fnx_nn.vision.transforms import functional
from fnx_nn.vision.transforms.presets import ImageClassification


def test_pictures_are_resized_cropped_scaled_and_normalised(rng):
    picture = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8))
    prepare = ImageClassification(crop_size=16, resize_size=20, mean=(0.1, 0.2, 0.3))
    small = np.asarray(picture.resize((30, 20), Image.Resampling.BILINEAR))[2:18, 7:23]
    wanted = (small / 255 - (0.1, 0.2, 0.3)) / (0.229, 0.224, 0.225)
    found = prepare(picture)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), wanted.transpose(2, 0, 1), atol=1e-5)
    batch = torch.stack([functional.pil_to_tensor(picture)] * 2)
    close = prepare(batch).numpy()  # resampled in floating point: within a level
    assert close.shape == (2, 3, 16, 16)
    np.testing.assert_allclose(close[1], wanted.transpose(2, 0, 1), atol=1.1 / 255 / 0.224)


def test_it_tells_what_it_does():
    assert repr(ImageClassification(crop_size=16)).splitlines()[:3] == [
        "ImageClassification(",
        "    crop_size=[16]",
        "    resize_size=[256]",
    ]
