import keras
import numpy as np
import pytest

from deepfeatiot_tf import DeepFeatIoT, InputError, load_model


def refuse(path, says):
    with pytest.raises(InputError, match=says) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    refuse(tmp_path / "none.keras", "no such model file")


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "text.keras").write_text("hello")
    refuse(tmp_path / "text.keras", "not a .keras file")


def test_a_truncated_file(tmp_path):
    path = tmp_path / "model.keras"
    DeepFeatIoT(["a", "b"], kernels=4, branches=("randomized",)).save(path)
    content = path.read_bytes()
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        refuse(path, "not a .keras file|cannot be opened")


def test_a_damaged_member_inside_a_sound_zip(tmp_path):
    import zipfile

    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    refuse(path, "cannot be opened")


def test_a_foreign_model(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    refuse(tmp_path / "other.keras", "not a model of this library")


def test_code_in_a_file_is_not_run(tmp_path):
    # A Lambda layer carries Python bytecode; Keras's safe mode must stay on.
    evil = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * np.float32(2))])
    evil.save(tmp_path / "evil.keras")
    refuse(tmp_path / "evil.keras", "cannot be opened")


def test_a_model_saved_before_it_was_compiled_is_not_compiled(tmp_path):
    DeepFeatIoT(["high", "low"], branches=("statistics",)).save(tmp_path / "model.keras")
    assert not load_model(tmp_path / "model.keras").compiled
