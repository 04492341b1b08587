"""The byte-level BPE tokenizer of Hugging Face's `tokenizers` for a vocabulary of ours."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers


def byte_level_tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]], single_digits: bool) -> Tokenizer:
    """GPT-2's splitting of text, after that into single digits if asked."""
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words]) if single_digits else words
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
