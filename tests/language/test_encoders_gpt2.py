import hashlib
import json
import shutil
from pathlib import Path

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from encoder_helpers import hidden_states

from deepfeatiot_tf.language import keras_preset
from deepfeatiot_tf.language.blocks import build_blocks
from deepfeatiot_tf.language.sources import load_encoder
from tests.reference.byte_level_tokenizer import byte_level_tokenizer
from tests.reference.small_gpt2 import BLOCKS, MERGES, POSITIONS, WIDTH, token_rows, vocabulary, write_folder


@pytest.fixture(scope="module")
def golden():
    return np.load(Path(__file__).parent.parent / "reference" / "language_golden_values.npz")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("checkpoints") / "small")


@pytest.fixture(scope="module")
def preset(folder, tmp_path_factory):
    """The same checkpoint as Keras Hub converts and writes it."""
    preset = tmp_path_factory.mktemp("checkpoints") / "small_preset"
    keras_hub.models.GPT2Backbone.from_preset(str(folder)).save_to_preset(str(preset))
    tokenizer = keras_hub.models.GPT2Tokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer.save_to_preset(str(preset))
    return preset


@pytest.mark.parametrize("source", ["folder", "preset"])
@pytest.mark.parametrize("block", [1, 2, 3, None])
def test_states_are_those_of_transformers(source, block, golden, request):
    ids, mask = token_rows()
    encoder = load_encoder(request.getfixturevalue(source), block)
    found = hidden_states(encoder, ids, mask)
    expected = golden[f"gpt2_block_{block or BLOCKS}"]
    assert encoder.config["num_layers"] == (block or BLOCKS)
    meant = mask.astype(bool)  # transformers' answers for padding mean nothing either
    np.testing.assert_allclose(found[meant], expected[meant], atol=1e-4)


def test_tensors_may_be_named_as_those_of_a_language_model(folder, tmp_path):
    named = load_encoder(write_folder(tmp_path / "named", prefix="transformer."), 2)
    for found, expected in zip(named.weights, load_encoder(folder, 2).weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_short_text_means_the_same_among_longer_ones(folder):
    ids, mask = token_rows()
    encoder = load_encoder(folder)
    together = hidden_states(encoder, ids, mask)
    alone = hidden_states(encoder, ids[1:2, :7], mask[1:2, :7])
    np.testing.assert_allclose(together[1, :7], alone[0], atol=1e-5)


def test_what_stands_in_the_padding_does_not_matter(folder):
    ids, mask = token_rows()
    encoder = load_encoder(folder)
    other = hidden_states(encoder, np.where(mask, ids, 5), mask.astype(bool))
    np.testing.assert_allclose(other[mask > 0], hidden_states(encoder, ids, mask)[mask > 0], atol=1e-5)


def test_a_row_of_padding_alone_gives_finite_states(folder):
    ids, mask = token_rows()
    assert np.isfinite(hidden_states(load_encoder(folder), ids, 0 * mask)).all()


def test_nothing_learns_and_nothing_drops_out(folder):
    ids, mask = token_rows()
    encoder = load_encoder(folder, 2)
    blocks = build_blocks("gpt2", encoder.config)
    blocks.set_weights(encoder.weights)
    assert blocks.trainable_weights == []
    assert len(blocks.weights) == 2 + 2 * 16  # two embeddings, two blocks, no norm behind them
    assert len(load_encoder(folder, 3).weights) == 2 + 3 * 16 + 2
    inputs = {"token_ids": ids, "padding_mask": mask}
    np.testing.assert_array_equal(blocks(inputs, training=True), blocks(inputs, training=False))


def test_blocks_work_in_a_graph_of_unknown_size(folder):
    ids, mask = token_rows()
    encoder = load_encoder(folder, 2)
    blocks = build_blocks("gpt2", encoder.config)
    blocks.set_weights(encoder.weights)
    rows = tf.TensorSpec([None, None], tf.int32)
    run = tf.function(lambda ids, mask: blocks({"token_ids": ids, "padding_mask": mask}), input_signature=[rows, rows])
    np.testing.assert_allclose(run(ids, mask), hidden_states(encoder, ids, mask), atol=1e-5)
    np.testing.assert_allclose(run(ids[:1, :4], mask[:1, :4]), run(ids, mask)[:1, :4], atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", keras.DTypePolicy("mixed_bfloat16")])
def test_half_precision_stays_near(folder, policy):
    ids, mask = token_rows()
    encoder = load_encoder(folder)
    half = hidden_states(encoder, ids, mask, policy)
    full = hidden_states(encoder, ids, mask)
    assert half.dtype in ("float16", "bfloat16")
    assert np.corrcoef(half[mask > 0].astype("float32").ravel(), full[mask > 0].ravel())[0, 1] > 0.999


def test_half_precision_files_stay_small(tmp_path):
    encoder = load_encoder(write_folder(tmp_path / "half", dtype="float16"), 1)
    assert {weight.dtype for weight in encoder.weights} == {np.dtype("float16")}
    ids, mask = token_rows()
    assert hidden_states(encoder, ids, mask).dtype == "float32"


@pytest.mark.parametrize("source", ["folder", "preset"])
def test_says_what_was_read(source, request):
    path = request.getfixturevalue(source)
    encoder = load_encoder(str(path))
    weights = path / ("model.safetensors" if source == "folder" else "model.weights.h5")
    assert encoder.name == path.name
    assert encoder.weights_from == f"folder {path.name}"
    assert encoder.checksum == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert encoder.vocabulary == vocabulary()
    assert encoder.merges == MERGES
    assert not encoder.single_digits
    assert json.loads(json.dumps(encoder.config)) == {
        "vocabulary_size": 256 + len(MERGES) + 1,
        "num_layers": BLOCKS,
        "num_heads": 4,
        "hidden_dim": WIDTH,
        "intermediate_dim": 4 * WIDTH,
        "max_sequence_length": POSITIONS,
        "final_norm": True,
    }


def test_vocabulary_and_merges_are_the_ones_text_is_encoded_with(folder):
    encoder = load_encoder(folder, 1)
    tokenizer = byte_level_tokenizer(encoder.vocabulary, encoder.merges, encoder.single_digits)
    assert tokenizer.encode("123 12 2.5").tokens == ["123", "Ġ", "12", "Ġ2", ".", "5"]
    assert tokenizer.encode("é–\n").tokens == ["Ã", "©", "â", "Ģ", "ĵ", "Ċ"]


def test_a_smaller_vocabulary_gives_the_same_states(folder):
    encoder = load_encoder(folder)
    ids, mask = token_rows()
    kept, places = np.unique(ids, return_inverse=True)
    kept, places = kept[::-1], len(kept) - 1 - places.reshape(ids.shape)  # the order given is the order had
    cut = encoder.with_vocabulary(kept)
    np.testing.assert_array_equal(hidden_states(cut, places, mask), hidden_states(encoder, ids, mask))
    assert cut.config["vocabulary_size"] == len(cut.vocabulary) == len(cut.weights[0]) == len(kept)
    spelled = {token_id: token for token, token_id in encoder.vocabulary.items()}
    assert cut.vocabulary == {spelled[token_id]: place for place, token_id in enumerate(kept)}
    assert (cut.checksum, cut.merges) == (encoder.checksum, encoder.merges)
    assert len(encoder.weights[0]) == encoder.config["vocabulary_size"] == len(encoder.vocabulary)


@pytest.mark.parametrize("bad", [[0, 1, 0], [-1], [263]])
def test_a_vocabulary_of_other_tokens_is_refused(folder, bad):
    with pytest.raises(ValueError, match="each id once, from 0 to 262"):
        load_encoder(folder, 1).with_vocabulary(bad)


def test_the_name_gpt2_reads_the_preset_that_keras_hub_offers(preset, monkeypatch):
    fetched = []

    def model_download(handle, path):
        fetched.append((handle, path))
        return str(preset / path)

    monkeypatch.setattr("kagglehub.model_download", model_download)
    encoder = load_encoder("gpt2", 2)
    assert encoder.name == "gpt2"
    assert encoder.weights_from == "keras-hub preset gpt2_base_en"
    assert [path for _, path in fetched] == list(keras_preset.FILES)
    assert {handle.rpartition("/")[0] for handle, _ in fetched} == {"keras/gpt2/keras/gpt2_base_en"}
    for found, expected in zip(encoder.weights, load_encoder(preset, 2).weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_every_name_is_a_preset_that_keras_hub_knows():
    from deepfeatiot_tf.language.sources import PRESETS

    assert set(PRESETS.values()) <= set(keras_hub.models.GPT2Backbone.presets)


def test_a_folder_with_the_name_of_an_encoder_is_written_as_a_path(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "gpt2")
    monkeypatch.chdir(tmp_path)
    assert load_encoder("./gpt2", 1).weights_from == "folder gpt2"


def test_other_architectures_are_not_built():
    with pytest.raises(ValueError, match="'bert': give 'gpt2' or 'llama'"):
        build_blocks("bert", {"final_norm": True})
