import subprocess
import sys

import numpy as np
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import run_protocol
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.language import load_encoder
from deepfeatiot_tf.peers import PEERS
from deepfeatiot_tf.peers.inputs import filled, level_and_shape
from deepfeatiot_tf.readings import SensorReadings
from tests.language.encoder_helpers import write_small_llama

SHORT = Training(epochs=15, patience=15, batch_size=8)
QUICK = [name for name, peer in PEERS.items() if peer.quick]


def build(name, training=SHORT):
    peer = PEERS[name]
    if peer.missing:
        pytest.skip(f"{peer.missing} is not installed")
    return peer.build(training)


@pytest.fixture(autouse=True)
def encoder(small_sentence_encoder):
    """No test waits for the pretrained one."""


@pytest.mark.parametrize("name", [*QUICK, "patchtst", "patchtsmixer"])
def test_each_peer_tells_plain_shapes_with_gaps_apart(fleet, name):
    cell = run_protocol(build(name), fleet, seeds=[0]).cells.iloc[0]
    # An unregularized mixer of 84 series is not sure of all; chance is a third.
    assert cell["accuracy"] >= (0.6 if name in ("patchtst", "patchtsmixer") else 0.9)


@pytest.mark.parametrize("name", QUICK)
def test_the_same_seed_gives_the_same_probabilities(fleet, name):
    system = build(name, Training(epochs=2))
    answers = []
    for _ in range(2):
        system.fit(fleet, fleet if system.selects else None, seed=3, protocol="honest")
        answers.append(system.predict(fleet))
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("name", QUICK)
def test_a_series_of_three_readings_is_padded_not_refused(fleet, name):
    short = SensorReadings(fleet.values[:, :3], labels=fleet.labels, metadata=fleet.metadata, name="short")
    system = build(name)
    system.fit(short, seed=0)
    assert np.isfinite(system.predict(short)).all()


def test_inception_time_runs_quietly_and_leaves_no_file(fleet, tmp_path, monkeypatch, capsys):
    pytest.importorskip("aeon")
    from deepfeatiot_tf.peers.inception_time import InceptionTimeInTemporaryFolder

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    classifier = InceptionTimeInTemporaryFolder(1, 16, custom_filters=True, seed=0, networks=1, patience=1)
    channels = level_and_shape(fleet.values)
    probabilities = classifier.fit(channels, fleet.label_indices).predict_proba(channels)
    assert probabilities.shape == (120, 3)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_on_a_gpu_too_inception_time_trains_without_xla():
    import keras

    from deepfeatiot_tf.peers.inception_time import StepsWithoutXLA

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse", jit_compile=True)
    model.fit(np.zeros((2, 3)), np.zeros((2, 1)), verbose=0, callbacks=[StepsWithoutXLA()])
    assert not model.jit_compile


def test_missing_readings_are_interpolated_and_none_at_all_is_zero():
    nan = np.nan
    whole = filled(np.array([[1, nan, 3, nan], [nan] * 4], np.float32))
    np.testing.assert_array_equal(whole[0], [1, 2, 3, 3, 3, 3, 3, 3, 3, 3])
    assert not whole[1].any()


def test_networks_read_level_and_shape():
    low, high = np.float32([1, 3] * 5), np.float32([1001, 3001] * 5)
    channels = level_and_shape(np.stack([low, high]))
    assert channels.shape == (2, 2, 10)
    np.testing.assert_allclose(channels[0, 0], np.log1p(low), rtol=1e-6)
    np.testing.assert_allclose(channels[0, 1], channels[1, 1], atol=1e-5)
    np.testing.assert_allclose(channels[0, 1], [-1, 1] * 5, atol=1e-5)


def test_a_patch_holds_sixteen_readings_of_both_channels():
    from deepfeatiot_tf.peers.patches import Patches

    values = np.arange(24, dtype=np.float32)[None]
    patches = np.array(Patches()(values)).reshape(1, 3, 16, 2)
    np.testing.assert_allclose(patches[0, 1, :, 0], np.log1p(values[0, 8:]), rtol=1e-6)
    np.testing.assert_allclose(patches[0, 2, 8:, 0], np.log1p(23), rtol=1e-6)  # the last reading, eight times more


def test_gpt4ts_trains_the_norms_of_its_blocks_and_none_of_what_lies_between(fleet, tmp_path, monkeypatch):
    from deepfeatiot_tf.peers import gpt4ts

    pretrained = load_encoder(write_small_llama(tmp_path / "small.gguf"))
    monkeypatch.setattr(gpt4ts, "load_encoder", lambda source, block: pretrained)
    system = gpt4ts.gpt4ts(SHORT)
    assert run_protocol(system, fleet, seeds=[0]).cells.iloc[0]["accuracy"] >= 0.6
    assert len(system.model.trainable_weights) == 2 + 2 * 2 + 1 + 2 + 2  # embedding, norms of the blocks, last, head
    moved = {"norms": [], "others": []}
    for block in (0, 1):
        weights = {each.path: np.array(each) for each in system.model.get_layer(f"transformer_layer_{block}").weights}
        before = [np.array(each) for each in pretrained.weights if each.shape in {w.shape for w in weights.values()}]
        for path, weight in weights.items():
            same = any(np.array_equal(weight, each) for each in before if each.shape == weight.shape)
            moved["norms" if "layernorm" in path else "others"].append(not same)
    assert moved == {"norms": 4 * [True], "others": 14 * [False]}


def test_a_peer_that_is_not_here_says_why():
    with pytest.raises(InputError, match="not in aeon or sktime"):
        PEERS["mace"].build(SHORT)


def test_a_missing_package_is_one_line_that_names_the_extra():
    entry = SystemEntry("Hydra", lambda training: None, packages=("no_such_package",), extra="peers-torch")
    with pytest.raises(InputError, match=r"Hydra needs no_such_package, .* 'deepfeatiot_tf\[peers-torch\]'"):
        entry.build(SHORT)


def test_the_table_of_peers_imports_none_of_them():
    script = "import sys, deepfeatiot_tf.peers; print({'aeon', 'torch', 'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"


def test_network_settings_belong_to_networks():
    assert PEERS["rocket"].settings(SHORT) == {}
    assert PEERS["patchtst"].settings(SHORT) == {"epochs": 15, "patience": 15, "batch_size": 8}
