import os
import time
from pathlib import Path

import pytest

from deepfeatiot_tf import InputError
from deepfeatiot_tf.files import write_beside
from deepfeatiot_tf.training.cache_size import limit_cache

KIB = 1 / 2**20  # in GiB
DAY = 24 * 3600


@pytest.fixture
def cache(tmp_path):
    """Three versions of a branch, 1 KiB each, last used three, five and no days ago."""
    for name, days in (("old", 3), ("older", 5), ("new", 0)):
        version = tmp_path / "randomized" / name
        version.mkdir(parents=True)
        (version / "1.rows.npy").write_bytes(bytes(1024))
        os.utime(version, (time.time() - days * DAY,) * 2)
    return tmp_path


def left(cache):
    return {version.name for version in cache.glob("*/*")}


def test_what_was_not_used_for_longest_goes_first(cache):
    assert [version.name for version in limit_cache(cache, 2 * KIB)] == ["older"]
    assert left(cache) == {"old", "new"}


def test_a_cache_within_its_limit_is_left_alone(cache):
    assert not limit_cache(cache, 3 * KIB)
    assert not limit_cache(cache / "not there yet", 0)


def test_what_was_used_lately_stays_whatever_the_limit(cache):
    limit_cache(cache, 0)
    assert left(cache) == {"new"}


def test_what_is_not_ours_stays(cache):
    folder = cache / "randomized" / "older"
    for name in ("notes.txt", "measured.npy"):
        (folder / name).write_text("mine")
    os.utime(folder, (time.time() - 5 * DAY,) * 2)
    limit_cache(cache, 0)
    assert {file.name for file in folder.iterdir()} == {"notes.txt", "measured.npy"}


def test_what_a_killed_process_left_half_written_goes_too(cache, monkeypatch):
    folder = cache / "randomized" / "older"
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # killed: nobody tidies up
    with pytest.raises(InputError):
        write_beside(folder / "2.rows.npy", lambda beside: beside.write_bytes(b"half") and os.replace(beside, folder))
    monkeypatch.undo()
    assert len(list(folder.iterdir())) == 2
    os.utime(folder, (time.time() - 5 * DAY,) * 2)
    limit_cache(cache, 0)
    assert left(cache) == {"new"}


def test_the_limit_comes_from_the_environment(cache, monkeypatch):
    monkeypatch.setenv("DEEPFEATIOT_CACHE_GIB", "0")
    limit_cache(cache)
    assert left(cache) == {"new"}


@pytest.mark.parametrize("asked", ["much", "-1", "nan"])
def test_a_limit_that_is_no_size_gets_one_line(cache, monkeypatch, asked):
    monkeypatch.setenv("DEEPFEATIOT_CACHE_GIB", asked)
    with pytest.raises(InputError, match=r"DEEPFEATIOT_CACHE_GIB is .*; give a number of GiB"):
        limit_cache(cache)
    assert left(cache) == {"old", "older", "new"}
