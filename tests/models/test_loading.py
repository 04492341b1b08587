import keras
import numpy as np
import pytest

from deepfeatiot_tf import DeepFeatIoT, DeepHeteroIoT, InputError, load_model


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


def test_what_was_frozen_before_it_was_saved_is_frozen_afterwards(tmp_path):
    model = DeepFeatIoT(["a", "b"], kernels=4, head="mlp", branches=("local", "statistics"))
    every = len(model.trainable_variables)
    model.network.get_layer("local").trainable = False
    model.compile()
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert [v.shape for v in loaded.trainable_variables] == [v.shape for v in model.trainable_variables]
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
    model.trainable = False
    model.save(tmp_path / "model.keras")
    assert not load_model(tmp_path / "model.keras").trainable
    model.network.get_layer("local").trainable = model.trainable = True
    model.save(tmp_path / "model.keras")
    assert len(load_model(tmp_path / "model.keras").trainable_variables) == every


def test_a_model_computes_in_the_precision_that_it_was_built_for(tmp_path):
    session = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        DeepHeteroIoT(["a", "b"]).save(tmp_path / "half.keras")
    finally:
        keras.config.set_dtype_policy(session)
    layer = load_model(tmp_path / "half.keras").network.get_layer("head_256")
    assert (layer.compute_dtype, layer.variable_dtype) == ("float16", "float32")
    assert keras.config.dtype_policy() == session
    DeepHeteroIoT(["a", "b"]).save(tmp_path / "whole.keras")
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert load_model(tmp_path / "whole.keras").network.get_layer("head_256").compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy(session)


def test_a_configuration_from_before_there_was_that_builds_a_new_model():
    config = DeepHeteroIoT(["a", "b"]).get_config()
    older = {name: value for name, value in config.items() if name not in ("dtype", "frozen_layers")}
    assert DeepHeteroIoT.from_config(older).get_config() == config


def test_a_dtype_that_no_layer_would_have_is_refused():
    with pytest.raises(ValueError, match="set_dtype_policy"):
        DeepHeteroIoT(["a", "b"], dtype="mixed_float16")
