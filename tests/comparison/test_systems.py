import numpy as np
import pytest

from deepfeatiot_tf.comparison.published import published
from deepfeatiot_tf.comparison.systems import OURS, SYSTEMS, chosen
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import run_protocol
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.readings import SensorReadings

QUICK = [name for name, entry in SYSTEMS.items() if entry.quick]


@pytest.mark.parametrize("name", [*QUICK, "deepfeatiot-augmented", "deepfeatiot-metadata-collective"])
def test_trained_on_permuted_labels_a_system_scores_at_chance(name, small_sentence_encoder):
    entry = SYSTEMS[name]
    if entry.missing:
        pytest.skip(f"{entry.missing} is not installed")
    rng = np.random.default_rng(0)
    kinds = np.arange(150) % 3
    values = np.array([400.0, 50.0, 20.0])[kinds, None] + rng.normal(size=(150, 24)).cumsum(axis=1)
    labels = np.array(["co2", "humidity", "temperature"])[rng.permutation(kinds)]
    readings = SensorReadings(values, labels=labels, metadata=np.array(["co2", "rh", "temp"])[kinds], name="permuted")
    cell = run_protocol(entry.build(Training()), readings, seeds=[0], splits="resample").cells.iloc[0]
    # 45 series, three classes: 0.33 ± 0.07 by chance; readings or metadata without the permutation give 1.
    assert cell["accuracy"] < 0.6


def test_names_and_groups_are_chosen_in_the_order_of_the_table():
    assert list(chosen(["rocket", "deepfeatiot"])) == ["deepfeatiot", "rocket"]
    assert list(chosen(["quick"])) == QUICK
    assert "deepfeatiot-augmented" not in QUICK
    assert list(chosen(["all"])) == list(SYSTEMS)


def test_an_unknown_system_is_named_with_its_neighbour():
    with pytest.raises(InputError, match="system 'rockt' is unknown, did you mean 'rocket'"):
        chosen(["rockt"])


def test_networks_as_published_and_blends_select_and_nothing_else_of_ours_does(small_sentence_encoder):
    selecting = {name for name, entry in OURS.items() if entry.build(Training()).selects}
    assert selecting == {name for name in OURS if "paper" in name or "blend" in name}


def test_no_two_systems_share_a_title():
    assert len({entry.title for entry in SYSTEMS.values()}) == len(SYSTEMS)


def test_published_figures_stand_beside_the_systems_of_the_table():
    assert published("DeepFeatIoT, full network", "Swiss") == pytest.approx((0.9135, 0.9098))
    assert published("MACE", "SBAS") == pytest.approx((0.9740, 0.9749))
    assert published("QUANT", "Swiss") is None
    assert published("ROCKET", "TS-M") is None


def test_fewer_epochs_than_those_of_the_comparison_bind_every_network(small_sentence_encoder):
    networks = {name: entry for name, entry in OURS.items() if entry.network}
    assert {entry.build(Training(epochs=2)).epochs for entry in networks.values()} == {2}
    assert OURS["deepfeatiot-network"].build(Training(epochs=500)).epochs == 40
