import numpy as np
import pytest

import deepfeatiot_tf as dfi
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models.collective import CollectiveModel
from deepfeatiot_tf.readings import SensorReadings
from tests.devices import TYPES, devices


def one_hot(readings):
    return np.eye(len(readings.class_names), dtype="float32")[readings.label_indices]


@pytest.fixture(scope="module")
def fleet():
    readings = devices(np.random.default_rng(0), 60)
    return readings.take(np.arange(80)), readings.take(np.arange(80, 120))


@pytest.fixture(scope="module")
def learned(fleet):
    train, _ = fleet
    second = CollectiveModel(TYPES)
    unsure = np.full((len(train), 2), 0.5, "float32")
    left_out = second.learn(train.values, unsure, unsure, one_hot(train))
    return second, left_out


def right(probabilities, readings):
    return (probabilities.argmax(axis=1) == readings.label_indices).mean()


def test_sensors_that_are_alike_alone_are_told_apart_beside_labelled_ones(fleet, learned):
    train, test = fleet
    second, left_out = learned
    assert second.share > 0.8
    assert right(left_out, train) > 0.75  # some siblings are in the other part
    unsure = np.full((len(train) + len(test), 2), 0.5, "float32")
    known = np.concatenate([one_hot(train), np.zeros((len(test), 2), "float32")])
    found = second.answer(np.concatenate([train.values, test.values]), unsure, known)[len(train) :]
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    assert right(found, test) > 0.9


def test_a_sensor_alone_keeps_what_was_believed_of_it(fleet, learned):
    _, test = fleet
    beliefs = np.array([[0.3, 0.7]], "float32")
    np.testing.assert_array_equal(learned[0].answer(test.values[:1], beliefs), beliefs)


def test_where_nothing_moves_alike_beliefs_come_out_as_they_went_in(rng):
    values = rng.normal(size=(60, 300)).astype("float32")  # the largest of so many correlations is about 0.2
    labels = np.eye(2, dtype="float32")[rng.integers(2, size=60)]
    beliefs = rng.dirichlet([1, 1], size=60).astype("float32")
    second = CollectiveModel(TYPES)
    np.testing.assert_array_equal(second.learn(values, beliefs, beliefs, labels), beliefs)
    assert second.share == 0.0
    np.testing.assert_array_equal(second.answer(values, beliefs), beliefs)


def test_one_type_is_too_few():
    with pytest.raises(ValueError, match="at least two"):
        CollectiveModel(("only",))


@pytest.fixture(scope="module")
def classifier(fleet):
    model = dfi.DeepFeatIoT(TYPES, branches=("statistics",), windows=())
    model.compile()
    model.fit(fleet[0].to_dataset(), verbose=0)
    both = dfi.CollectiveClassifier(model)
    both.fit(fleet[0])
    return both


def test_a_classifier_adds_to_its_model_what_siblings_say(fleet, classifier):
    train, test = fleet
    alone = classifier.model.predict(test.to_dataset(), verbose=0)
    assert right(alone, test) < 0.75
    together = classifier.predict(test, beside=train)
    assert right(together, test) > 0.9
    # As sure as it is right: of answers left out in turn, labels could be read that no other sensor gives away.
    assert np.take_along_axis(together, test.label_indices[:, None], axis=1).mean() > 0.8
    shorter = SensorReadings(test.values[:, :30], labels=test.labels, class_names=TYPES)
    assert right(classifier.predict(shorter, beside=train), shorter) > 0.8


def test_what_the_series_of_a_class_count_for_moves_the_head(fleet, classifier):
    weighted = dfi.CollectiveClassifier(classifier.model)
    weighted.fit(fleet[0], class_weight={0: 1.0, 1: 50.0})
    lean = [np.diff(each.second.get_layer("closed_form").bias)[0] for each in (classifier, weighted)]
    assert lean[1] > lean[0]


def test_a_saved_classifier_answers_as_before(fleet, classifier, tmp_path):
    train, test = fleet
    classifier.save(tmp_path / "collective.keras")
    again = dfi.CollectiveClassifier.load(classifier.model, tmp_path / "collective.keras")
    np.testing.assert_allclose(
        again.predict(test, beside=train), classifier.predict(test, beside=train), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda both, train: dfi.CollectiveClassifier(both.model).predict(train), "has not been fitted"),
        (lambda both, train: both.predict(train, beside=SensorReadings(train.values)), "no labels"),
        (
            lambda both, train: both.predict(train, beside=SensorReadings(train.values, labels=["wind"] * len(train))),
            "label 'wind' is unknown",
        ),
        (lambda both, train: both.fit(train.take([0, 1])), "2 series, but the model was fitted on 80"),
        (lambda both, train: both.fit(train.take(np.arange(80)[::-1])), "in another order than the model was fitted"),
        (lambda both, train: both.load(both.model, "nowhere.keras"), "nowhere.keras: cannot be opened"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(fleet, classifier, ask, message):
    with pytest.raises(InputError, match=message):
        ask(classifier, fleet[0])


def test_a_network_does_not_know_what_it_says_of_series_left_out(fleet):
    model = dfi.DeepFeatIoT(TYPES, head="mlp", branches=("statistics",))
    with pytest.raises(InputError, match="closed-form head alone"):
        dfi.CollectiveClassifier(model).fit(fleet[0])


def test_another_models_second_look_is_refused(classifier, tmp_path):
    classifier.save(tmp_path / "collective.keras")
    other = dfi.DeepFeatIoT(("a", "b", "c"), branches=("statistics",))
    with pytest.raises(InputError, match="is not of this model"):
        dfi.CollectiveClassifier.load(other, tmp_path / "collective.keras")


def test_types_are_matched_by_name_whatever_their_order(fleet, classifier):
    train, test = fleet
    turned = SensorReadings(train.values, labels=train.labels, class_names=TYPES[::-1])
    again = dfi.CollectiveClassifier(classifier.model)
    again.fit(turned)
    np.testing.assert_allclose(again.predict(test, turned), classifier.predict(test, train), atol=1e-6)


def test_a_type_that_the_model_does_not_know_is_not_learned_from(fleet, classifier):
    strange = SensorReadings(fleet[0].values, labels=["strange", *fleet[0].labels[1:]])
    with pytest.raises(InputError, match="label 'strange' is unknown to the model"):
        dfi.CollectiveClassifier(classifier.model).fit(strange)


def test_no_sensors_get_no_answers(fleet):
    train, test = fleet
    model = dfi.DeepFeatIoT(TYPES, branches=("statistics",))
    model.compile()
    model.fit(train.to_dataset(), verbose=0)
    together = dfi.CollectiveClassifier(model)
    together.fit(train)
    assert together.predict(test.take(np.arange(0)), beside=train).shape == (0, len(TYPES))
