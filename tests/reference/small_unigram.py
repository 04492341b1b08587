"""A unigram vocabulary of a few pieces in the file that Hugging Face's tokenizers write."""

from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

MARKS = ("<s>", "<pad>", "</s>", "<unk>")
WORDS = ("▁temp", "eratur", "▁hum", "id", "ab", "▁a", "ba", "▁Temp", "▁pm", "10", "25", "▁wind", "μg", "▁湿度", "fi")
PIECES = (*MARKS, "▁", *WORDS, *"abcdefgh/mnoprst0123.,°C%()")
SCORES = (0.0,) * len(MARKS) + tuple(-2.0 - 0.37 * place for place in range(len(PIECES) - len(MARKS)))


def write_tokenizer(path: Path) -> Tokenizer:
    """As multilingual encoders have it: NFKC, words between spaces, `<s>` before and `</s>` behind."""
    place = {piece: index for index, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.Unigram(list(zip(PIECES, SCORES, strict=True)), unk_id=place["<unk>"]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(mark, place[mark]) for mark in ("<s>", "</s>")]
    )
    tokenizer.add_special_tokens(list(MARKS))
    tokenizer.save(str(path))
    return tokenizer
