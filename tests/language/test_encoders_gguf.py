import hashlib

import gguf
import numpy as np
import pytest
from encoder_helpers import hidden_states, refused, write_small_llama

from deepfeatiot_tf.language.blocks import build_blocks
from deepfeatiot_tf.language.sources import load_encoder
from tests.reference.small_gpt2 import MERGES, token_rows, vocabulary


def test_a_gguf_file_is_read_whole_by_default(tmp_path):
    path = write_small_llama(tmp_path / "small.gguf")
    encoder = load_encoder(path)
    assert (encoder.name, encoder.weights_from) == ("small", "file small.gguf")
    assert encoder.checksum == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (encoder.config["num_layers"], encoder.config["final_norm"]) == (2, True)
    assert encoder.vocabulary == vocabulary()
    assert encoder.merges == MERGES
    assert encoder.single_digits
    assert not load_encoder(write_small_llama(tmp_path / "b.gguf", {"tokenizer.ggml.pre": "gpt-2"}), 1).single_digits


def test_nothing_learns(tmp_path):
    encoder = load_encoder(write_small_llama(tmp_path / "small.gguf"), 1)
    blocks = build_blocks("llama", encoder.config)
    blocks.set_weights(encoder.weights)
    assert blocks.trainable_weights == []
    assert len(blocks.weights) == 1 + 9


def test_order_matters_and_the_future_does_not(tmp_path):
    ids, _ = token_rows()
    encoder = load_encoder(write_small_llama(tmp_path / "small.gguf"))
    states = hidden_states(encoder, ids, np.ones_like(ids))
    longer = hidden_states(encoder, np.pad(ids, [[0, 0], [0, 5]], mode="edge"), np.ones((3, 15), "int32"))
    np.testing.assert_allclose(longer[:, :10], states, atol=1e-5)
    swapped = ids[:, [1, 0, *range(2, 10)]]
    assert np.abs(hidden_states(encoder, swapped, np.ones_like(ids))[:, -1] - states[:, -1]).max() > 0.01


def test_files_of_less_precision_give_nearly_the_same_states(tmp_path):
    plain = load_encoder(write_small_llama(tmp_path / "plain.gguf"))
    half = load_encoder(write_small_llama(tmp_path / "half.gguf", dtype="float16"))
    bytes_only = gguf.quantize(plain.weights[0], gguf.GGMLQuantizationType.Q8_0)
    quantized = load_encoder(write_small_llama(tmp_path / "small.gguf", tensors={"token_embd.weight": bytes_only}))
    assert [encoder.weights[0].dtype for encoder in (plain, half, quantized)] == ["float32", "float16", "float32"]
    ids, mask = token_rows()
    expected, *others = (hidden_states(encoder, ids, mask)[mask > 0].ravel() for encoder in (plain, half, quantized))
    for found in others:
        assert np.corrcoef(found, expected)[0, 1] > 0.999


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"general.architecture": "qwen2"}, "general.architecture is 'qwen2'; only llama"),
        ({"tokenizer.ggml.model": "llama"}, "tokenizer.ggml.model is 'llama'; only gpt2"),
        ({"tokenizer.ggml.pre": "llama-bpe"}, "tokenizer.ggml.pre is 'llama-bpe'; only gpt-2, smollm"),
        ({"llama.feed_forward_length": None}, "llama.feed_forward_length is missing"),
        ({"llama.rope.scaling.type": "yarn"}, "scales RoPE"),
        ({"llama.rope.dimension_count": 4}, "a part of each head"),
        ({"llama.attention.head_count": 5}, "a part of each head"),
        ({"llama.feed_forward_length": 64}, r"blk.0.ffn_up.weight is \[48, 32\] where the settings mean \[64, 32\]"),
        ({"tokenizer.ggml.merges": ["1 2", "12"]}, "merges: '12' is not two tokens"),
    ],
)
def test_what_is_no_plain_llama_is_refused(tmp_path, settings, says):
    refused(write_small_llama(tmp_path / "small.gguf", settings), says)


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"blk.1.ffn_down.weight": None}, "tensor blk.1.ffn_down.weight is missing"),
        ({"rope_freqs.weight": np.ones(4, "float32")}, "has rope_freqs.weight, which a plain Llama has not"),
        ({"blk.0.attn_q.bias": np.ones(32, "float32")}, "has attn_q.bias, which a plain Llama has not"),
        ({"output_norm.weight": np.full(32, np.nan, "float32")}, "output_norm.weight holds NaN"),
    ],
)
def test_tensors_of_another_model_are_refused(tmp_path, tensors, says):
    refused(write_small_llama(tmp_path / "small.gguf", tensors=tensors), says)


@pytest.mark.parametrize("block", [0, 3, -1])
def test_blocks_that_are_not_there_are_refused(tmp_path, block):
    refused(write_small_llama(tmp_path / "small.gguf"), f"has no block {block}; give one from 1 to 2", block)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.99])
def test_a_cut_off_file_is_refused(tmp_path, share):
    path = write_small_llama(tmp_path / "small.gguf")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "small.gguf: no whole GGUF file")


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "text.gguf"
    path.write_text("no model " * 1000)
    refused(path, "text.gguf: no whole GGUF file")


def test_a_kind_of_numbers_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    def dequantize(data, kind):
        raise NotImplementedError("soon")

    monkeypatch.setattr("gguf.dequantize", dequantize)
    refused(write_small_llama(tmp_path / "small.gguf"), "is stored as F32, which the package gguf cannot read")
