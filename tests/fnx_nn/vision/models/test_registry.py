"""Models and weights by name, and the words of before."""

from __future__ import annotations

import copy
import pickle

import pytest

from fnx_nn.vision import models
from fnx_nn.vision.models import VGG16_Weights, VGG19_Weights, registry


@pytest.fixture
def toy(monkeypatch):
    """A registered builder that returns its arguments."""
    monkeypatch.setattr(registry, "_models", dict(registry._models))

    def toy(*, weights=None, progress=True, **kwargs):
        return weights, progress, kwargs

    return registry.register_model(VGG19_Weights, VGG19_Weights.IMAGENET1K_V1)(toy)


def test_models_are_listed():
    assert models.list_models() == sorted(
        f"vgg{n}{b}" for n in (11, 13, 16, 19) for b in ("", "_bn")
    )
    assert models.list_models(models, include=["vgg11*", "vgg19"], exclude="*_bn") == [
        "vgg11",
        "vgg19",
    ]
    assert models.get_model_builder("VGG19") is models.vgg19
    with pytest.raises(ValueError, match="Unknown model 'vgg12'; there are vgg11"):
        models.get_model("vgg12")


def test_weights_are_found():
    assert models.get_model_weights(models.vgg19) is VGG19_Weights
    assert models.get_weight("VGG19_Weights.DEFAULT") is VGG19_Weights.IMAGENET1K_V1
    with pytest.raises(ValueError, match="there are no weights 'VGG12_Weights.DEFAULT'"):
        models.get_weight("VGG12_Weights.DEFAULT")
    with pytest.raises(ValueError, match=r"write ENUM\.MEMBER"):
        models.get_weight("VGG19_Weights")
    with pytest.raises(KeyError, match="has no 'V9'; it has IMAGENET1K_V1"):
        models.get_weight("VGG19_Weights.V9")


def test_members_are_values():
    member = VGG19_Weights.IMAGENET1K_V1
    assert repr(member) == "VGG19_Weights.IMAGENET1K_V1"
    assert member.hash_prefix == "dcbb9e9d" and member.file_path.name == "vgg19-dcbb9e9d.pth"
    assert copy.deepcopy(member) is member and pickle.loads(pickle.dumps(member)) is member
    assert member.meta["categories"][0] == "tench"
    assert member.meta["categories"][999] == "toilet tissue"
    assert VGG19_Weights.verify("VGG19_Weights.DEFAULT") is member
    with pytest.raises(TypeError, match="expected a VGG19_Weights"):
        VGG19_Weights.verify(VGG16_Weights.DEFAULT)


def test_what_is_asked_in_todays_words(toy):
    member = VGG19_Weights.IMAGENET1K_V1
    assert toy() == (None, True, {})
    assert toy(weights=member, dropout=0.1) == (member, True, {"dropout": 0.1})
    assert toy(weights="DEFAULT", progress=False) == (member, False, {})
    assert toy(None, False) == (None, False, {})
    assert models.get_model("toy", weights=member)[0] is member
    with pytest.raises(TypeError, match="takes 2 positional arguments, but 3 were given"):
        toy(None, True, 3)
    with pytest.raises(TypeError, match="multiple values for argument 'weights'"):
        toy(None, weights=None)
    with pytest.raises(ValueError, match="there is a model named 'toy' already"):
        registry.register_model(VGG19_Weights, member)(toy)


def test_what_is_asked_in_the_words_of_before(toy):
    member = VGG19_Weights.IMAGENET1K_V1
    with pytest.warns(UserWarning, match=r"write weights=VGG19_Weights\.IMAGENET1K_V1"):
        assert toy(pretrained=True) == (member, True, {})
    with pytest.warns(UserWarning, match="write weights=None"):
        assert toy(pretrained=False) == (None, True, {})
    with pytest.warns(UserWarning, match="pretrained=True is the old way"):
        assert toy(True, False) == (member, False, {})
