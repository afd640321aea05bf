"""The command: files in, files out; one line for what is wrong, and then no file at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fnx_nn as torch
from fnx_nn.style import command, loss_plot, options
from fnx_nn.style.command import main
from fnx_nn.style.features import StyleFeatures
from fnx_nn.vision.picture_files import read_picture
from tests.support.warm_process import run_program

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def no_official_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def out(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def words(out) -> list[str]:
    return [
        *("--content", str(DATA / "content.png"), "--style", str(DATA / "style.png")),
        *("--output", str(out / "result.png"), "--size", "32", "--steps", "4"),
    ]


@pytest.fixture
def weights(tmp_path) -> Path:
    with torch.fork_rng():
        torch.manual_seed(0)
        network = StyleFeatures()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_paints(words, out, capsys):
    assert main(words) == 0
    assert names(out) == ["result-losses.png", "result-strip.png", "result.png"]
    result = read_picture(out / "result.png")
    assert result.size == (32, 32)
    strip = np.asarray(read_picture(out / "result-strip.png"))
    content = Image.open(DATA / "content.png").convert("RGB").resize((32, 32), Image.BILINEAR)
    np.testing.assert_array_equal(strip[:, :32], np.asarray(content))
    np.testing.assert_array_equal(strip[:, -32:], np.asarray(result))
    said = capsys.readouterr()
    assert "style loss " in said.out and "evaluations: 4, in " in said.out
    assert f"wrote {out / 'result.png'}, {out / 'result-strip.png'}, " in said.out
    assert "painting: 100%" in said.err
    assert "style " in said.err and "content " in said.err  # both losses, beside the bar


def test_the_embedded_filters_name_the_remedy(words, tmp_path, capsys):
    assert main([*words, "--quiet"]) == 0
    said = capsys.readouterr()
    assert "embedded random filters, seed 0; the trained ones of VGG-19 are not here" in said.out
    assert "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth (548 MB)" in said.out
    assert str(tmp_path / "torch" / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth") in said.out
    assert "--weights FILE" in said.out and "dcbb9e9d, is checked" in said.out
    assert said.err == ""
    assert main([*words, "--quiet", "--weights", "random", "--seed", "2"]) == 0
    assert "weights: embedded random filters, seed 2\n" in capsys.readouterr().out


def test_the_same_command_paints_the_same_picture(words, out):
    assert main([*words, "--quiet"]) == 0
    first = (out / "result.png").read_bytes()
    assert main([*words, "--quiet"]) == 0
    assert (out / "result.png").read_bytes() == first
    assert main([*words, "--quiet", "--seed", "1"]) == 0
    assert (out / "result.png").read_bytes() != first


def test_a_weight_file_is_used(words, weights, tmp_path, capsys):
    assert main([*words, "--weights", str(weights), "--dtype", "float64"]) == 0
    assert f"weights: {weights} (its name announces no hash to check)" in capsys.readouterr().out


def test_the_official_file_is_found_and_checked(words, weights, out, tmp_path, capsys):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    weights.rename(folder / "vgg19-dcbb9e9d.pth")
    assert main(words) == 1
    assert "announces the SHA-256 dcbb9e9d" in capsys.readouterr().err
    assert names(out) == []
    assert main([*words, "--weights", "random"]) == 0


def test_a_picture_that_is_none_is_refused(words, out, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes((DATA / "style.png").read_bytes()[:400])
    text = tmp_path / "text.png"
    text.write_text("no picture")
    for path, message in ((broken, "is broken"), (text, "no known picture format")):
        for name in ("--content", "--style"):
            assert main([*words, name, str(path)]) == 1
            said = capsys.readouterr().err.splitlines()
            assert len(said) == 1 and str(path) in said[0] and message in said[0]
            assert said[0].startswith("python -m fnx_nn.style: error: ")
    assert names(out) == []


def test_a_weight_file_that_is_none_is_refused(words, weights, out, tmp_path, capsys):
    damaged = tmp_path / "damaged.pth"
    damaged.write_bytes(weights.read_bytes()[:-1000])
    empty = tmp_path / "empty.pth"
    empty.write_bytes(b"")
    state = torch.load(weights)
    torch.save({**state, "features.2.weight": torch.ones(64, 64, 1, 1)}, tmp_path / "shape.pth")
    torch.save({"w": torch.ones(2)}, tmp_path / "other.pth")
    for name, message in (
        ("damaged", "damaged"),
        ("empty", "the file is empty"),
        ("shape", "(64, 64, 1, 1), and VGG-19's is (64, 64, 3, 3)"),
        ("other", "holds no 'features.0.weight'"),
    ):
        path = tmp_path / f"{name}.pth"
        assert main([*words, "--weights", str(path)]) == 1
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1 and str(path) in said[0] and message in said[0]
    assert names(out) == []


def test_a_wrong_command_line_is_refused(words, out, capsys):
    for extra, message in (
        (["--size", "0"], "--size is 32 to 4096"),
        (["--content", "absent.png"], "there is no file 'absent.png'"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main([*words, *extra])
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err.splitlines()[-1]
    assert names(out) == []


def test_losses_that_overflow_are_refused(words, weights, out, tmp_path, capsys):
    state = torch.load(weights)
    huge = {**state, "features.0.weight": state["features.0.weight"] * 1e10}
    torch.save(huge, tmp_path / "huge.pth")
    assert main([*words, "--quiet", "--weights", str(tmp_path / "huge.pth")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "too large for float32; choose smaller weights" in said[0]
    assert names(out) == []


def test_an_interruption_leaves_nothing(words, out, monkeypatch, capsys):
    def interrupted(*args, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "paint", interrupted)
    assert main([*words, "--quiet"]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert names(out) == []


def test_without_matplotlib(words, out, monkeypatch, capsys):
    for module in (loss_plot, command, options):
        monkeypatch.setattr(module, "can_plot", lambda: False)
    assert main([*words, "--quiet"]) == 0
    assert "no plot of the losses: install matplotlib" in capsys.readouterr().out
    assert names(out) == ["result-strip.png", "result.png"]
    with pytest.raises(SystemExit):
        main([*words, "--plot", str(out / "plot.png")])
    assert "--plot needs matplotlib: install matplotlib" in capsys.readouterr().err


def test_the_second_process_compiles_nothing(words, out, tmp_path):
    arguments = [*words, "--quiet"]
    first = run_program("fnx_nn.style", arguments, tmp_path / "store", walled_up=False)
    painted = (out / "result.png").read_bytes()
    assert first.store["written"] > 0
    assert {p["steps_in_python"] for p in first.programs} == {0}
    second = run_program("fnx_nn.style", arguments, tmp_path / "store", walled_up=True)
    assert second.store["written"] == second.store["misses"] == 0
    assert {p["cache"] for p in second.programs} == {"hit"}
    assert len(second.programs) == len(first.programs) == 2
    assert (out / "result.png").read_bytes() == painted
