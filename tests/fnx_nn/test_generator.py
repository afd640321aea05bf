"""The generator's stream, seeds and saved state, against the published numbers of MT19937,
NumPy's legacy generator and the state bytes of PyTorch."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from fnx_nn.generator import Generator
from fnx_nn.random_fill import normal_

REFERENCE = json.loads((Path(__file__).parent / "data" / "torch_random.json").read_text())


@pytest.mark.parametrize("seed", [0, 1, 5489, 2**32 - 1])
def test_the_stream_is_that_of_the_reference_algorithm(seed):
    expected = np.random.RandomState(seed).randint(0, 1 << 32, size=2000, dtype=np.uint32)
    drawn = Generator().manual_seed(seed).words32(2000)
    np.testing.assert_array_equal(drawn, expected)


def test_the_ten_thousandth_word_of_the_published_seed():
    # The C++ standard fixes it ([rand.predef]): the 10000th word after seed 5489.
    assert int(Generator().manual_seed(5489).words32(10000)[-1]) == 4123659995


def test_words_do_not_depend_on_how_they_are_asked_for():
    whole = Generator().manual_seed(3).words32(2000)
    pieces = Generator().manual_seed(3)
    drawn = [pieces.words32(n) for n in (1, 0, 700, 623, 624, 52)]
    np.testing.assert_array_equal(np.concatenate(drawn), whole)
    skipped = Generator().manual_seed(3)
    skipped.discard(1999)
    assert skipped.words32(1)[0] == whole[-1]


def test_64_bit_words_take_the_high_half_first():
    halves = Generator().manual_seed(3).words32(6).astype(object)
    wide = Generator().manual_seed(3).words64(3)
    assert [int(w) for w in wide] == [(halves[2 * k] << 32) + halves[2 * k + 1] for k in range(3)]


def test_a_negative_seed_is_the_unsigned_number_of_the_same_bits():
    assert Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    with pytest.raises(ValueError, match="64 bits"):
        Generator().manual_seed(2**64)
    with pytest.raises(TypeError):
        Generator().manual_seed(1.5)


def test_seed_restarts_from_entropy():
    generator = Generator()
    assert generator.initial_seed() == 67280421310721
    seed = generator.seed()
    assert seed == generator.initial_seed()
    np.testing.assert_array_equal(generator.words32(5), Generator().manual_seed(seed).words32(5))


def test_state_has_the_bytes_of_pytorch():
    generator = Generator().manual_seed(REFERENCE["seed"])
    normal_(np.empty(3, dtype=np.float32), generator)
    state = generator.state_bytes()
    assert state.size == REFERENCE["state_size"]
    assert state[:32].tolist() == REFERENCE["state_head"]
    assert state[-48:].tolist() == REFERENCE["state_tail"]


@pytest.mark.parametrize("consumed", [0, 1, 623, 624, 625, 1248])
def test_a_restored_state_continues_the_stream(consumed):
    generator = Generator().manual_seed(11)
    generator.words32(consumed)
    normal_(np.empty(1, dtype=np.float32), generator)
    state = generator.state_bytes()
    other = Generator()
    other.load_state_bytes(state)
    np.testing.assert_array_equal(other.state_bytes(), state)
    assert other.initial_seed() == 11
    for same in (other, generator.clone_state(), copy.deepcopy(generator)):
        ours, theirs = np.empty(5), np.empty(5)
        restart = Generator()
        restart.load_state_bytes(state)
        normal_(theirs, restart)
        normal_(ours, same)
        np.testing.assert_array_equal(ours, theirs)
    assert pickle.loads(pickle.dumps(generator)).words32(1) == generator.words32(1)


def test_a_fresh_state_survives_the_round_trip():
    state = Generator().manual_seed(4).state_bytes()
    other = Generator()
    other.load_state_bytes(state)
    np.testing.assert_array_equal(other.state_bytes(), state)
    np.testing.assert_array_equal(other.words32(3), Generator().manual_seed(4).words32(3))


def test_wrong_states_are_refused_and_change_nothing():
    generator = Generator().manual_seed(2)
    before = generator.state_bytes()
    with pytest.raises(TypeError, match="uint8"):
        generator.load_state_bytes(before.astype(np.int64))
    with pytest.raises(RuntimeError, match="5056 bytes"):
        generator.load_state_bytes(before[:-1])
    with pytest.raises(RuntimeError, match="no valid generator state"):
        generator.load_state_bytes(np.zeros_like(before))
    np.testing.assert_array_equal(generator.state_bytes(), before)


def test_an_unknown_device_is_refused():
    with pytest.raises(RuntimeError, match="'cuda'"):
        Generator("cuda")
