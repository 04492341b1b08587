import numpy as np
import pytest
import tensorflow as tf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language import WordPieces
from tests.reference.sentence_golden_values import TEXTS
from tests.reference.small_bert import VOCABULARY

AWKWARD = (
    "",
    " \t\n",
    "a\u00a0b\u2028c",
    "a\x00b\x0bc\x85 \ufffd\u200b",
    "(a,b){c}[abc]:%$^`|~",
    "ÀÉ µg/m³ ½ ﬁ Å",
    "İSTANBUL ΣΑΣ ǅ",
    "e\u0301 ≠ \u037e",
    "湿度㐀豈\U00020000",
    "한국 습도 भारत ความชื้น",
    "😀\U000e0001\U000f0000",
    "a" * 100,
    "a" * 101,
    "[SEP",
    "abcabcabcabcabcabc abcabc",
    "zebra abc",
)


def hugging_face(vocabulary, lower_case, length) -> Tokenizer:
    place = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(place, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", place["[SEP]"]), ("[CLS]", place["[CLS]"]))
    tokenizer.enable_truncation(length)
    return tokenizer


@pytest.mark.parametrize("lower_case", [True, False])
def test_tokens_are_those_of_hugging_face(lower_case):
    vocabulary = [*VOCABULARY, *"ABxyz§", "##A", "##ab", "##abc", "##x", "é", "##é", "##ss", "½", "##½"]
    tokenizer = WordPieces(vocabulary, lower_case=lower_case, strip_accents=lower_case, length=40)
    expected = hugging_face(vocabulary, lower_case, 40)
    texts = [*TEXTS, *AWKWARD]
    ids, counts = tokenizer(tf.constant(texts))
    for text, row, count in zip(texts, ids.numpy(), counts.numpy(), strict=True):
        assert row[:count].tolist() == expected.encode(text).ids, text
        assert not row[count:].any()


def test_every_character_that_the_vocabulary_can_know_is_read_as_there():
    """All characters up to the CJK blocks, except those younger than the Unicode tables of Hugging Face."""
    import unicodedata

    old = unicodedata.ucd_3_2_0
    points = [p for p in range(1, 0x3100) if old.category(chr(p)) == unicodedata.category(chr(p)) != "Cn"]
    texts = [f"a{chr(p)}b {chr(p)}" for p in points]
    ids, counts = WordPieces(VOCABULARY)(tf.constant(texts))
    expected = hugging_face(VOCABULARY, True, 512)
    wrong = [
        text
        for text, row, n in zip(texts, ids.numpy(), counts.numpy(), strict=True)
        if row[:n].tolist() != expected.encode(text).ids
    ]
    assert not wrong


def test_it_is_the_same_in_a_graph_and_from_its_config():
    tokenizer = WordPieces.from_config(WordPieces(VOCABULARY, length=12).get_config())
    texts = tf.constant(TEXTS)
    traced = tf.function(tokenizer, input_signature=[tf.TensorSpec([None], tf.string)])
    for found, expected in zip(traced(texts), tokenizer(texts), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert traced(tf.constant([], tf.string))[0].shape == (0, 0)


def test_bytes_that_are_no_text_are_dropped():
    ids, _ = WordPieces(VOCABULARY)(tf.constant([b"a\xff\xfeb", b"ab"]))
    np.testing.assert_array_equal(ids[0], ids[1])


@pytest.mark.parametrize(
    ("vocabulary", "length", "says"),
    [
        ((*VOCABULARY, "temp"), 12, "the vocabulary has 'temp' twice"),
        (("[PAD]", "[UNK]", "a"), 12, r"the vocabulary lacks \[CLS\], \[SEP\]"),
        (VOCABULARY, 1, "length is 1"),
    ],
)
def test_what_makes_no_tokenizer_is_refused(vocabulary, length, says):
    with pytest.raises(InputError, match=says):
        WordPieces(vocabulary, length=length)
