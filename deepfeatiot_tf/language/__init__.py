"""Pretrained, frozen language encoders, where their weights come from, and readings as their text."""

from deepfeatiot_tf.language.byte_pair_encoding import BytePairEncoding
from deepfeatiot_tf.language.encoder import LanguageEncoder
from deepfeatiot_tf.language.number_text import NumberText
from deepfeatiot_tf.language.sentence_encoder import SentenceEncoder
from deepfeatiot_tf.language.sentence_sources import load_sentence_encoder
from deepfeatiot_tf.language.sources import load_encoder
from deepfeatiot_tf.language.unigram_pieces import UnigramPieces
from deepfeatiot_tf.language.word_pieces import WordPieces

__all__ = [
    "BytePairEncoding",
    "LanguageEncoder",
    "NumberText",
    "SentenceEncoder",
    "UnigramPieces",
    "WordPieces",
    "load_encoder",
    "load_sentence_encoder",
]
