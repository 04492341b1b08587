"""Helpers for tests that read tables."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deepfeatiot_tf.errors import InputError


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a text table, by default `fleet.csv`."""

    def _write(text: str, name: str = "fleet.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding=encoding, newline="")
        return path

    return _write


@pytest.fixture
def complaint() -> Callable[[Callable[[], object]], str]:
    """The message of the `InputError` that a call raises, which has to be one line."""

    def _complaint(call: Callable[[], object]) -> str:
        with pytest.raises(InputError) as caught:
            call()
        message = str(caught.value)
        assert "\n" not in message
        return message

    return _complaint
