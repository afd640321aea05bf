"""Attention and transformers give what PyTorch 2.13 gives: see `tests.support.sequence_programs`.

First values by their bytes; results and gradients of operands and parameters; second derivatives;
texts, warnings and errors.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.nn import functional as F
from tests.support.nn_programs import agree
from tests.support.sequence_programs import STORED, read_sequence_programs, sequence_outcome

OUTCOMES = json.loads(STORED.read_text())
PROGRAMS = read_sequence_programs()


@pytest.mark.parametrize("name", [name for name in PROGRAMS if not name.startswith("ctc")])
def test_program(name):
    assert OUTCOMES[name]["program"] == PROGRAMS[name], "write the references anew"
    got = sequence_outcome(torch, PROGRAMS[name])
    want = OUTCOMES[name]["outcome"]
    assert agree(want, got, 1e-10), f"\n{PROGRAMS[name]}\n--- torch\n{want}\n--- fnx_nn\n{got}"


def test_nothing_is_stored_that_is_not_run():
    assert OUTCOMES.keys() == PROGRAMS.keys()


@pytest.mark.parametrize("options", [{}, {"is_causal": True}])
def test_derivatives_of_the_path_without_weights(options):
    torch.manual_seed(0)
    mask = nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
    operands = [torch.randn(3, 1, 2, dtype=torch.float64) for _ in range(3)]
    operands += [torch.randn(*shape, dtype=torch.float64) for shape in ((6, 2), (6,), (2, 2))]

    def attended(q, k, v, packed, bias, out):
        return F.multi_head_attention_forward(
            q, k, v, 2, 2, packed, bias, None, None, False, 0.0, out, None,
            need_weights=False, attn_mask=mask, **options,
        )[0]  # fmt: skip

    operands = [x.requires_grad_() for x in operands]
    assert torch.autograd.gradcheck(attended, operands)
    assert torch.autograd.gradgradcheck(attended, operands)


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_in_training_only(need_weights):
    torch.manual_seed(3)
    layer = nn.MultiheadAttention(8, 2, dropout=0.5)
    x = torch.randn(6, 4, 8)
    first, second = (layer(x, x, x, need_weights=need_weights)[0] for _ in range(2))
    assert not torch.equal(first, second)
    layer.eval()
    first, second = (layer(x, x, x, need_weights=need_weights)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_sequence_that_is_all_padding_gives_what_the_bias_gives():
    layer = nn.MultiheadAttention(4, 2)
    nn.init.constant_(layer.out_proj.bias, 0.5)
    x = torch.randn(3, 2, 4)
    padding = torch.tensor([[True] * 3, [False] * 3])
    out, _ = layer(x, x, x, key_padding_mask=padding, need_weights=False)
    np.testing.assert_array_equal(out[:, 0].detach().numpy(), np.full((3, 4), 0.5))


def test_a_mask_of_the_future_hides_it():
    torch.manual_seed(0)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    x = torch.randn(2, 5, 4)
    changed = x.clone()
    changed[:, 3:] += 1
    difference = (encoder(x, mask) - encoder(changed, mask)).detach().numpy()
    np.testing.assert_array_equal(difference[:, :3], 0)
    assert (np.abs(difference[:, 3:]).max(-1) > 1e-3).all()


def test_transforms_of_an_encoder_that_takes_padding_out():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dtype=torch.float64)
    encoder = nn.TransformerEncoder(layer, 2).eval().requires_grad_(False)
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    padding = torch.tensor([[False, True, True], [False, False, True]])
    state = dict(encoder.named_parameters())

    def encoded(state, x, padding):
        named = {"src_key_padding_mask": padding}
        return torch.func.functional_call(encoder, state, (x,), named)

    want = encoder(x, src_key_padding_mask=padding).numpy()
    assert not want[0, 1:].any() and not want[1, 2:].any() and want[1, :2].all()
    one = torch.func.vmap(lambda x, padding: encoded(state, x[None], padding[None])[0])
    np.testing.assert_allclose(one(x, padding).numpy(), want, rtol=1e-13)
    found = torch.func.grad(lambda state: encoded(state, x, padding).pow(3).sum())(state)
    step = 1e-5
    direction = {name: torch.randn_like(p) for name, p in state.items()}
    above, below = (
        encoded({n: p + s * direction[n] for n, p in state.items()}, x, padding).pow(3).sum()
        for s in (step, -step)
    )
    along = sum((found[name] * direction[name]).sum() for name in state)
    np.testing.assert_allclose(((above - below) / (2 * step)).item(), along.item(), rtol=1e-6)


def test_it_learns_to_copy():
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 1, 1, 16, 0.0, batch_first=True)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    source = torch.randn(4, 3, 8)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = F.mse_loss(model(source, source), F.layer_norm(source, (8,)))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
