"""The command line of the style transfer: defaults, and one clear message for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from fnx_nn.style.options import parse_options

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def words(tmp_path) -> list[str]:
    return [
        *("--content", str(DATA / "content.png")),
        *("--style", str(DATA / "style.png")),
        *("--output", str(tmp_path / "result.png")),
    ]


def test_defaults(words, tmp_path):
    options = parse_options(words)
    assert (options.size, options.steps, options.seed) == (256, 300, 0)
    assert (options.style_weight, options.content_weight) == (1e6, 1.0)
    assert options.weights_file is None and not options.wants_embedded
    assert options.strip_path == tmp_path / "result-strip.png"
    assert options.plot_path == tmp_path / "result-losses.png"


def test_the_embedded_filters_can_be_asked_for(words):
    options = parse_options([*words, "--weights", "random"])
    assert options.weights_file is None and options.wants_embedded


def test_everything_can_be_chosen(words, tmp_path):
    weights = tmp_path / "vgg19.pth"
    weights.write_bytes(b"weights")
    options = parse_options(
        [
            *words,
            *("--size", "64", "--steps", "5", "--weights", str(weights), "--seed", "3"),
            *("--style-weight", "10", "--content-weight", "0", "--dtype", "float64"),
            *("--strip", str(tmp_path / "a.png"), "--plot", str(tmp_path / "b.PNG"), "--quiet"),
        ]
    )
    assert options.weights_file == weights
    assert (options.style_weight, options.content_weight, options.dtype) == (10.0, 0.0, "float64")
    assert options.strip_path.name == "a.png" and options.plot_path.name == "b.PNG"
    assert options.quiet


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--size", "8"], "--size is 32 to 4096"),
        (["--size", "large"], "invalid int value: 'large'"),
        (["--steps", "0"], "--steps is 1 or more"),
        (["--style-weight", "-1"], "--style-weight is a number from 0 to 1e+30, not -1"),
        (["--style-weight", "1e31"], "--style-weight is a number from 0 to 1e+30, not 1e+31"),
        (["--content-weight", "nan"], "--content-weight is a number from 0 to 1e+30, not nan"),
        (["--style-weight", "0", "--content-weight", "0"], "nothing to optimise"),
        (["--weights", "absent.pth"], "there is no file 'absent.pth'"),
        (["--content", "absent.png"], "--content: there is no file 'absent.png'"),
        (["--style", "."], "--style: '.' is a folder"),
        (["--output", "result.jpg"], "'result.jpg' does not end with .png"),
        (["--output", "no/such/folder/result.png"], "--output: there is no folder"),
        (["--strip", "strip.gif"], "--strip: 'strip.gif' does not end with .png"),
        (["--output", str(DATA / "style.png")], "--output would overwrite --style"),
        (["--dtype", "float16"], "invalid choice: 'float16'"),
    ],
)
def test_what_is_wrong_is_said_once(words, extra, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse_options([*words, *extra])
    assert stopped.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1]


def test_outputs_must_differ(words, tmp_path, capsys):
    with pytest.raises(SystemExit):
        parse_options([*words, "--plot", str(tmp_path / "result.png")])
    assert "--plot would overwrite --output" in capsys.readouterr().err


def test_what_is_required(capsys):
    with pytest.raises(SystemExit):
        parse_options([])
    assert "--content, --style, --output" in capsys.readouterr().err
