"""docs/your-data.md is true: its files read as it says, its calls and commands run."""

import doctest
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from deepfeatiot_tf.cli import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "your-data.md"
# The page is about reading: a branch that takes no time, and no windows that the card leaves out once more, do as well.
QUICK = {"train": ["--branches", "statistics", "--windows", "none"]}


def blocks() -> Iterator[tuple[int, str, str, str]]:
    """Line, language, file name and text of every fenced block, in order."""
    for token in MarkdownIt().parse(PAGE.read_text(encoding="utf-8")):
        if token.type == "fence":
            language, _, name = token.info.partition(" ")
            yield token.map[0] + 1, language, name, token.content


def put(name: str, text: str, line: int) -> None:
    """Writes the file that a block shows; of a file of the repository, the block is the beginning."""
    if name.startswith("data/"):
        assert Path(name).read_text(encoding="utf-8").startswith(text.rstrip("\n")), f"line {line}: {name}"
    else:
        Path(name).write_text(text, encoding="utf-8")


def call(text: str, names: dict, line: int) -> None:
    """Runs the Python calls of a block, which may leave names behind, and compares what they say."""
    example = doctest.DocTestParser().get_doctest(text, names, PAGE.name, str(PAGE), line)
    said: list[str] = []
    result = doctest.DocTestRunner().run(example, clear_globs=False, out=said.append)
    assert result.failed == 0, "".join(said)
    names.update(example.globs)


def command(text: str, line: int) -> None:
    """Runs a command in this process, where TensorFlow is imported already."""
    program, verb, *arguments = shlex.split(text)
    assert program == "deepfeatiot"
    result = CliRunner().invoke(app, [verb, *arguments, *QUICK.get(verb, [])])
    assert result.exit_code == 0, f"line {line}: {text}\n{result.output}"


@pytest.mark.usefixtures("log_levels")
def test_the_page_is_true_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").symlink_to(ROOT / "data")
    names: dict = {}
    for line, language, name, text in blocks():
        if language == "csv":
            put(name, text, line)
        elif language == "pycon":
            call(text, names, line)
        elif language == "bash":
            for each in text.splitlines():
                command(each, line)
        else:
            assert not language, f"line {line}: nobody runs {language!r}"
