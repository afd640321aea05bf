"""Recurrent layers, cells and packed batches give what PyTorch 2.13 gives.

Results, gradients and second ones, first values by their bytes, texts, warnings and errors: see
`tests.support.recurrent_programs`. What PyTorch has no outcome for is checked against differences,
loops of cells, and layers on single sequences.
"""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import fnx
import fnx.numpy as jnp
import fnx_nn as torch
from fnx_nn import nn
from fnx_nn.nn.utils import rnn
from fnx_nn.tensor.traced import from_array, to_array, tracing
from tests.support.nn_programs import DATA, agree
from tests.support.recurrent_programs import (
    STORED,
    read_recurrent_programs,
    recurrent_outcome,
)

OUTCOMES = json.loads(STORED.read_text())
PROGRAMS = read_recurrent_programs()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert OUTCOMES[name]["program"] == PROGRAMS[name], "write the references anew"
    got = recurrent_outcome(torch, PROGRAMS[name])
    want = OUTCOMES[name]["outcome"]
    assert agree(want, got, 1e-10), f"\n{PROGRAMS[name]}\n--- torch\n{want}\n--- fnx_nn\n{got}"


def test_nothing_is_stored_that_is_not_run():
    assert OUTCOMES.keys() == PROGRAMS.keys()


def test_weights_that_pytorch_saved():
    saved = torch.load(DATA / "recurrent_weights.pth")
    layer = nn.LSTM(3, 4, bidirectional=True, proj_size=2, dtype=torch.float64)
    layer.load_state_dict(saved["state"])
    found = layer(saved["input"])[0].detach().numpy()
    np.testing.assert_allclose(found, saved["output"].numpy(), rtol=1e-13)


MAKERS = {
    "RNN": (nn.RNN, nn.RNNCell),
    "LSTM": (nn.LSTM, nn.LSTMCell),
    "GRU": (nn.GRU, nn.GRUCell),
}


@pytest.mark.parametrize("steps", [3, 5])  # step by step, and compiled
@pytest.mark.parametrize("name", MAKERS)
def test_a_layer_is_a_loop_of_its_cell(name, steps):
    make, make_cell = MAKERS[name]
    torch.manual_seed(1)
    layer, cell = make(2, 3, dtype=torch.float64), make_cell(2, 3, dtype=torch.float64)
    cell.load_state_dict({key.removesuffix("_l0"): t for key, t in layer.state_dict().items()})
    x = torch.randn(steps, 2, 2, dtype=torch.float64)
    states, state = [], None
    for row in x:
        state = cell(row, state)
        states.append(state[0] if name == "LSTM" else state)
    want = torch.stack(states).detach().numpy()
    np.testing.assert_allclose(layer(x)[0].detach().numpy(), want, rtol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_a_packed_batch_is_its_sequences_one_by_one(name):
    torch.manual_seed(1)
    layer = MAKERS[name][0](2, 3, 2, bidirectional=True, dtype=torch.float64)
    sequences = [torch.randn(n, 2, dtype=torch.float64) for n in (2, 3, 1)]
    output, last = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    outputs = rnn.unpack_sequence(output)
    hidden = last[0] if name == "LSTM" else last
    for k, sequence in enumerate(sequences):
        alone, last_alone = layer(sequence)
        hidden_alone = last_alone[0] if name == "LSTM" else last_alone
        np.testing.assert_allclose(outputs[k].detach().numpy(), alone.detach().numpy(), rtol=1e-12)
        found, want = hidden[:, k].detach().numpy(), hidden_alone.detach().numpy()
        np.testing.assert_allclose(found, want, rtol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_forward_mode_and_forward_over_reverse(name):
    torch.manual_seed(2)
    options = {"proj_size": 1} if name == "LSTM" else {}
    layer = MAKERS[name][0](2, 2, bidirectional=True, dtype=torch.float64, **options)
    parameters = {key: p.detach() for key, p in layer.named_parameters()}
    x = torch.randn(3, 2, 2, dtype=torch.float64)

    def loss(parameters, x):
        output, last = torch.func.functional_call(layer, parameters, (x,))
        return output.pow(3).sum() + (last[-1] if name == "LSTM" else last).sin().sum()

    directions = {key: torch.randn_like(p) for key, p in parameters.items()}, torch.randn_like(x)
    value, moved = torch.func.jvp(loss, (parameters, x), directions)
    first, second = torch.func.jvp(torch.func.grad(loss, 1), (parameters, x), directions)

    step = 1e-5

    def at(s):
        moved = {key: p + s * directions[0][key] for key, p in parameters.items()}
        return moved, x + s * directions[1]

    above, below = (loss(*at(s)) for s in (step, -step))
    np.testing.assert_allclose(moved.item(), ((above - below) / (2 * step)).item(), rtol=1e-7)
    np.testing.assert_allclose(value.item(), loss(parameters, x).item(), rtol=1e-13)
    gradients = []
    for s in (0.0, step, -step):
        leaf = at(s)[1].requires_grad_()
        gradients.append(torch.autograd.grad(loss(at(s)[0], leaf), leaf)[0].numpy())
    np.testing.assert_allclose(first.numpy(), gradients[0], rtol=1e-12)
    want = (gradients[1] - gradients[2]) / (2 * step)
    np.testing.assert_allclose(second.numpy(), want, rtol=1e-6, atol=1e-8)


def test_inside_of_fnx_transforms():
    torch.manual_seed(0)
    layer = nn.LSTM(2, 3, 2, bidirectional=True, batch_first=True, dtype=torch.float64)
    x = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    layer(x)[0].pow(3).sum().backward()

    def loss(array):
        with tracing():
            return to_array(layer(from_array(array))[0].pow(3).sum())

    array = jnp.asarray(x.detach().numpy())
    found = fnx.jit(fnx.grad(loss))(array)
    np.testing.assert_allclose(np.asarray(found), x.grad.numpy(), rtol=1e-11, atol=1e-13)
    each = fnx.vmap(fnx.grad(loss))(array)  # unbatched sequences
    np.testing.assert_allclose(np.asarray(each), x.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_a_packed_batch_inside_of_fnx_transforms():
    torch.manual_seed(0)
    layer = nn.GRU(2, 3, dtype=torch.float64)
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)

    def loss(x):
        packed = rnn.pack_padded_sequence(x, [1, 3], enforce_sorted=False)
        return rnn.pad_packed_sequence(layer(packed)[0])[0].pow(2).sum()

    def traced(array):
        with tracing():
            return to_array(loss(from_array(array)))

    loss(x).backward()
    found = fnx.jit(fnx.grad(traced))(jnp.asarray(x.detach().numpy()))
    np.testing.assert_allclose(np.asarray(found), x.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_what_is_padded_has_no_influence_and_no_gradient():
    layer = nn.GRU(2, 3, bidirectional=True)
    x = torch.full((4, 2, 2), torch.nan)
    x[:2, 0], x[:3, 1] = 0.5, -0.5
    x.requires_grad_()
    output, last = layer(rnn.pack_padded_sequence(x, [2, 3], enforce_sorted=False))
    (output.data.sum() + last.sum()).backward()
    present = torch.tensor([[True, True], [True, True], [False, True], [False, False]])
    gradient = x.grad.numpy()
    assert np.isfinite(gradient).all()
    assert ((gradient != 0).all(-1) == present.numpy()).all()


def test_one_operation_on_the_tape_for_each_layer_and_direction():
    output, _ = nn.LSTM(2, 3, 2, bidirectional=True)(torch.randn(6, 2, 2))
    found, stack = set(), [output.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in found:
            found.add(node)
            stack += [below for below, _ in node.next_functions]
    assert (
        sorted(n.name() for n in found if n.sequence)
        == ["CatBackward0"] * 2 + ["LstmBackward0"] * 4
    )


def test_lengths_that_are_not_there_are_refused():
    with pytest.raises(RuntimeError, match="is 4, but the padded sequences have 3 steps"):
        rnn.pack_padded_sequence(torch.zeros(3, 2), [4, 1])
    with pytest.raises(ValueError, match="2 sequences, but 1 lengths"):
        rnn.unpad_sequence(torch.zeros(3, 2), torch.tensor([3]))
    with pytest.raises(RuntimeError, match="sequence 1 has the shape"):
        rnn.pad_sequence([torch.zeros(3, 2), torch.zeros(3, 4)])


def test_lengths_must_be_known_while_tracing():
    def traced(lengths):
        with tracing():
            return to_array(rnn.pack_padded_sequence(torch.zeros(3, 2), from_array(lengths)).data)

    with pytest.raises(TypeError, match="can't be known while tracing"):
        fnx.jit(traced)(jnp.asarray([3, 2]))


def test_dtypes_of_states_and_packed_batches_are_checked():
    x = torch.zeros(2, 1, 3)
    with pytest.raises(RuntimeError, match="same dtype, but got Double and Float"):
        nn.LSTM(3, 4)(x, (torch.zeros(1, 1, 4), torch.zeros(1, 1, 4, dtype=torch.float64)))
    packed = rnn.pack_sequence([torch.zeros(2, 3)])
    assert packed.to(torch.float32) is packed and packed.cpu() is packed
    assert not packed.is_cuda and not packed.is_pinned()
    with pytest.raises(RuntimeError, match="Expected hidden\\[1\\] size"):
        nn.LSTM(3, 4)(packed, (torch.zeros(1, 1, 4), torch.zeros(1, 2, 4)))


def test_a_copy_and_a_conversion_have_weights_of_their_own():
    layer = nn.GRU(2, 3)
    other = copy.deepcopy(layer).double()
    assert other.all_weights[0][0] is other.weight_ih_l0
    assert other(torch.zeros(2, 1, 2, dtype=torch.float64))[0].dtype == torch.float64
    assert layer(torch.zeros(2, 1, 2))[0].dtype == torch.float32
    other.flatten_parameters()
    other.weight_hh_l0 = nn.Parameter(torch.zeros(9, 3, dtype=torch.float64))
    assert other.all_weights[0][1] is other.weight_hh_l0


def test_it_learns_to_remember():
    torch.manual_seed(0)
    layer, head = nn.LSTM(1, 8), nn.Linear(8, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 0.03)
    x = torch.randn(8, 16, 1)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(head(layer(x)[0][-1]), x[0])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5
