"""A closed-form head and a network in one model."""

import keras
import numpy as np
import pytest

from deepfeatiot_tf import DeepFeatIoT, load_model
from deepfeatiot_tf.models.refit import refit

BRANCHES = ("local", "randomized", "statistics")


@pytest.fixture(scope="module")
def blended(fleet):
    model = DeepFeatIoT(fleet.class_names, kernels=32, head="blend", branches=BRANCHES)
    model.compile()
    model.fit(
        fleet.take(range(30)).to_dataset(), validation_data=fleet.take(range(30, 40)).to_dataset(), epochs=2, verbose=0
    )
    return model


def parts(model, fleet):
    """What the two have to say, out of the whole graph."""
    read = keras.Model(model.network.inputs, model.network.get_layer("blend").input)
    features = {f"{name}_features": np.array(frozen(fleet.values)) for name, frozen in model.frozen.items()}
    return [np.array(each) for each in read({"readings": fleet.values, **features})]


def test_it_answers_with_the_weighted_mean_of_both(blended, fleet):
    share = float(blended.network.get_layer("blend").share)
    assert 0 < share < 1
    assert share != 0.5
    solved, learned = parts(blended, fleet)
    np.testing.assert_allclose(
        blended.predict(fleet.values, verbose=0), (1 - share) * solved + share * learned, atol=1e-5
    )


def test_without_validation_data_both_count_alike(fleet):
    model = DeepFeatIoT(fleet.class_names, kernels=32, head="blend", branches=("statistics",))
    model.compile()
    model.fit(fleet.to_dataset(), epochs=1, verbose=0)
    assert float(model.blend.share) == 0.5


def test_validation_series_of_no_weight_weigh_nothing(fleet):
    def share(y, weights=None):
        model = DeepFeatIoT(fleet.class_names, head="blend", branches=("statistics",))
        model.compile()
        given = (fleet.values[20 : len(y)], y[20:], *(() if weights is None else (weights[20:],)))
        model.fit(fleet.take(range(20)).to_dataset(), validation_data=given, epochs=1, verbose=0)
        return float(model.blend.share), model.temperature

    y = np.eye(2, dtype="float32")[fleet.label_indices]
    wrong, weights = y.copy(), np.ones(40)
    wrong[30:], weights[30:] = y[30:, ::-1], 0.0
    half = share(y[:30])
    np.testing.assert_allclose(share(wrong, weights), half, rtol=1e-3)
    assert share(wrong)[1] > 1.5 * half[1]


def test_saved_and_loaded_it_is_the_same(blended, fleet, tmp_path):
    blended.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(fleet.values, verbose=0), blended.predict(fleet.values, verbose=0))


def test_trained_once_more_it_weighs_as_before(fleet):
    def build():
        model = DeepFeatIoT(fleet.class_names, kernels=32, head="blend", branches=("statistics",))
        model.compile()
        return model

    train, validation = fleet.take(range(30)), fleet.take(range(30, 40))
    first = build()
    first.fit(train.to_dataset(), validation_data=validation.to_dataset(), epochs=1, verbose=0)
    again = refit(first, build, train, validation, seed=0, epochs=1, verbose=0)
    assert float(again.blend.share) == float(first.blend.share) != 0.5
    assert again.temperature == first.temperature != 1
    assert sum(len(rows) for rows in again.left_out.values()) > sum(len(rows) for rows in first.left_out.values())


def test_a_blend_is_calibrated_like_blends_alone(blended, fleet):
    network = DeepFeatIoT(fleet.class_names, kernels=32, branches=("statistics",), head="mlp")
    for one, other in ((blended, network), (network, blended)):
        with pytest.raises(ValueError, match="one of these is a blend"):
            one.calibrate_like(other)


def test_it_is_trained_by_the_robust_recipe(blended):
    assert isinstance(blended.optimizer, keras.optimizers.AdamW)


@pytest.mark.parametrize(
    ("options", "says"), [({"branches": ("local",)}, "frozen branch"), ({"variant": "paper"}, "standardized")]
)
def test_what_it_cannot_read_is_said(fleet, options, says):
    with pytest.raises(ValueError, match=says):
        DeepFeatIoT(fleet.class_names, head="blend", **options)


def test_its_learning_rate_falls_over_the_epochs_of_fit(fleet):
    model = DeepFeatIoT(fleet.class_names, kernels=32, head="blend", branches=("statistics",))
    model.compile()
    rates = model.fit(fleet.to_dataset(), epochs=4, verbose=0).history["learning_rate"]
    np.testing.assert_allclose(rates, 1e-3 * np.array([1, 0.853553, 0.5, 0.146447]), rtol=1e-4)
