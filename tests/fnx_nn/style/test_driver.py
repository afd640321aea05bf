"""The painting loop: PyTorch's losses, a step without Python between kernels, and a way back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fnx.numpy as jnp
import fnx_nn as torch
from fnx_nn.generator import Generator
from fnx_nn.style import driver
from fnx_nn.style.driver import compile_step, compile_targets, paint
from fnx_nn.style.features import StyleFeatures, embed_filters
from fnx_nn.style.pictures import read_square

DATA = Path(__file__).parents[1] / "data"
REFERENCE = json.loads((DATA / "style_transfer.json").read_text())


def picture(name: str, size: int, dtype: str) -> np.ndarray:
    levels = np.asarray(read_square(DATA / f"{name}.png", size), dtype=np.float32)
    # In single precision first, as ToTensor has it.
    return np.ascontiguousarray(levels.transpose(2, 0, 1)[np.newaxis] / 255).astype(dtype)


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    return picture("content", 48, "float32"), picture("style", 48, "float32")


@pytest.fixture(scope="module")
def network(pictures) -> StyleFeatures:
    with torch.fork_rng():
        made = StyleFeatures()
    embed_filters(made, np.concatenate(pictures), Generator().manual_seed(0))
    return made


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-8), ("float32", 1e-5)])
def test_losses_are_those_of_pytorch(vgg19_with_seed_0, dtype, tolerance):
    with torch.fork_rng():
        network = StyleFeatures()
    state = vgg19_with_seed_0.features.state_dict()
    network.load_state_dict(
        {name: state[name.removeprefix("features.")] for name in network.state_dict()}
    )
    network.to(getattr(torch, dtype))
    wanted = REFERENCE[dtype]
    size = REFERENCE["size"]
    made = paint(
        network,
        picture("content", size, dtype),
        picture("style", size, dtype),
        steps=len(wanted),
    )
    assert made.picture.dtype == dtype
    assert len(made.history) == len(wanted)
    # In single precision the second content loss, 9e-9, is what remains of numbers near 1.
    np.testing.assert_allclose(made.history, wanted, rtol=tolerance, atol=1e-12)


def test_the_style_comes_and_the_content_stays(network, pictures):
    seen = []
    made = paint(
        network, *pictures, steps=45, on_evaluation=lambda style, content: seen.append(style)
    )
    assert seen == [style for style, _ in made.history] and len(seen) == 45
    assert made.history[0][1] < 1e-6  # it begins with the content picture
    assert made.best_losses[0] < 0.02 * made.history[0][0]
    assert made.best_losses in made.history
    assert made.picture.shape == (1, 3, 48, 48)
    assert made.picture.min() >= 0 and made.picture.max() <= 1
    assert not made.converged
    # Nearer to the content picture than to the style picture, as a picture.
    content, style = (np.abs(made.picture - other).mean() for other in pictures)
    assert content < style


def test_the_gradient_is_that_of_the_losses(network, pictures, rng):
    network = StyleFeatures().to(torch.float64)
    weights = {
        name: jnp.asarray(rng.standard_normal(tuple(value.shape)) * 0.1)
        for name, value in network.named_parameters()
    }
    content, style = (jnp.asarray(p[:, :, :16, :16].astype(np.float64)) for p in pictures)
    targets = compile_targets(network)(weights, content, style)
    step = compile_step(network, 1e3, 0.5)
    image = content + 0.1
    (total, (style_loss, content_loss)), gradient = step(image, weights, targets)
    np.testing.assert_allclose(total, style_loss + content_loss, rtol=1e-12)
    direction = rng.standard_normal(image.shape)
    width = 1e-6
    ends = [
        float(step(image + sign * width * direction, weights, targets)[0][0]) for sign in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / (2 * width)
    np.testing.assert_allclose((np.asarray(gradient) * direction).sum(), slope, rtol=1e-6)


def test_a_step_has_no_python_between_its_kernels(network, pictures):
    weights = {
        name: jnp.asarray(value.detach().numpy()) for name, value in network.named_parameters()
    }
    content, style = (jnp.asarray(p) for p in pictures)
    targets = compile_targets(network)(weights, content, style)
    step = compile_step(network, 1e6, 1.0)
    for image in (content, style):
        step(image, weights, targets)
    (program,) = step.explain()["programs"]
    assert program["executable"].python_calls_between_kernels == 0
    assert program["executable"].native_segments == 1 and program["calls"] == 2


def test_equal_pictures_leave_nothing_to_do(network, pictures):
    content, _ = pictures
    made = paint(network, content, content, steps=30)
    assert made.converged and len(made.history) < 30
    np.testing.assert_array_equal(made.picture, content)


@pytest.mark.parametrize("factor", [np.nan, np.inf, 100.0])
def test_a_leap_is_taken_back(network, pictures, monkeypatch, factor):
    compiled = compile_step(network, 1e6, 1.0)
    seen = []

    def leaping(image, weights, targets):
        (total, losses), gradient = compiled(image, weights, targets)
        seen.append(np.asarray(image).copy())
        return (total * np.float32(factor if len(seen) == 15 else 1), losses), gradient

    monkeypatch.setattr(driver, "compile_step", lambda *_: leaping)
    made = paint(network, *pictures, steps=40)
    assert made.leaps == 1 and len(made.history) == 40
    totals = [sum(losses) for losses in made.history[:14]]
    np.testing.assert_array_equal(seen[15], seen[int(np.argmin(totals))])
    assert sum(made.best_losses) < min(totals)
