"""Networks that read metadata: DeepMetaIoT, DeepFeatIoT with a text encoder, and DeepHeteroIoT without."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from deepfeatiot_tf import (
    DeepFeatIoT,
    DeepHeteroIoT,
    DeepMetaIoT,
    InputError,
    SensorReadings,
    TextFeatures,
    load_model,
    predict,
)
from deepfeatiot_tf.models.lessons import with_wrong_metadata
from deepfeatiot_tf.models.training_data import batches_of
from deepfeatiot_tf.training.feature_store import FeatureStore
from tests.reference.small_bert import write_folder

FROZEN = ("randomized", "statistics")


@pytest.fixture(scope="module")
def told() -> SensorReadings:
    """Forty sensors of four kinds: the readings tell two from two, the metadata the other two from two."""
    rng = np.random.default_rng(1)
    kinds = np.arange(40) % 4
    values = (rng.normal(size=(40, 24)) + 5 * (kinds % 2)[:, None]).astype("float32")
    texts = [("temp °c", "hum %")[kind // 2] + " (a)" * (i % 3) for i, kind in enumerate(kinds)]
    return SensorReadings(values, labels=[f"kind {k}" for k in kinds], metadata=texts, name="told")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("bert") / "small")
    return lambda: TextFeatures.from_pretrained(folder)


def without(readings: SensorReadings, *, metadata=False, values=False) -> SensorReadings:
    return SensorReadings(
        np.full_like(readings.values, np.nan) if values else readings.values,
        labels=readings.labels,
        metadata=[" "] * len(readings) if metadata else readings.metadata,
        class_names=readings.class_names,
    )


def accuracy(model, readings) -> float:
    return float((model.predict(readings.to_dataset(), verbose=0).argmax(axis=1) == readings.label_indices).mean())


@pytest.fixture(scope="module")
def solved(told, encoder):
    model = DeepFeatIoT(told.class_names, kernels=32, head="closed_form", branches=FROZEN, text_encoder=encoder())
    model.compile()
    model.fit(told.to_dataset(), verbose=0)
    return model


def test_a_closed_form_head_answers_from_both_and_from_what_there_is(solved, told):
    assert accuracy(solved, told) == 1.0
    for part in (without(told, metadata=True), without(told, values=True)):
        probabilities = solved.predict(part.to_dataset(), verbose=0)
        # Half of the truth is in each: two kinds share nearly all of the probability.
        kinds = part.label_indices
        group = kinds % 2 if np.isfinite(part.values).any() else kinds // 2
        others = np.arange(4) % 2 if np.isfinite(part.values).any() else np.arange(4) // 2
        right = np.where(others[None] == group[:, None], probabilities, 0).sum(axis=1)
        assert right.min() > 0.7
    nothing = without(told, metadata=True, values=True)
    assert np.isfinite(solved.predict(nothing.to_dataset(), verbose=0)).all()


def test_readings_left_out_count_as_missing(solved, told):
    missing = solved.predict(without(told, values=True).to_dataset(), verbose=0)
    np.testing.assert_array_equal(solved.predict({"metadata": told.metadata}, verbose=0), missing)


def test_metadata_left_out_counts_as_blank(solved, told):
    blank = solved.predict(without(told, metadata=True).to_dataset(), verbose=0)
    np.testing.assert_array_equal(solved.predict(told.values, verbose=0), blank)
    np.testing.assert_array_equal(solved.predict({"readings": told.values}, verbose=0), blank)


@pytest.fixture(scope="module")
def spelled(told):
    model = DeepFeatIoT(told.class_names, branches=("statistics",), windows=(), text_encoder="ngrams")
    model.compile()
    model.fit(told.to_dataset(), verbose=0)
    return model


def test_metadata_is_read_without_pretrained_weights(spelled, told, tmp_path):
    assert list(spelled.frozen) == ["statistics", "ngrams"]
    assert accuracy(spelled, told) == 1.0
    alone = spelled.predict({"metadata": np.array(["TEMP °C", "hum %", ""], object)}, verbose=0)
    assert alone[0, :2].sum() > 0.8
    assert alone[1, 2:].sum() > 0.8
    blank = without(told, metadata=True)
    bare = DeepFeatIoT(told.class_names, branches=("statistics",), windows=())
    bare.compile()
    bare.fit(blank.to_dataset(), verbose=0)
    np.testing.assert_allclose(
        spelled.predict(blank.to_dataset(), verbose=0), bare.predict(blank.values, verbose=0), atol=1e-4
    )
    spelled.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(told.to_dataset(), verbose=0), spelled.predict(told.to_dataset(), verbose=0), atol=1e-6
    )


def test_a_closed_form_head_reads_ngrams_beside_the_embedding_unless_told_otherwise(solved, told, encoder):
    assert "ngrams" in solved.frozen
    assert "ngrams" not in DeepFeatIoT(told.class_names, text_encoder=encoder(), ngrams=False).frozen
    assert "ngrams" not in DeepFeatIoT(told.class_names, text_encoder=encoder(), head="mlp", branches=FROZEN).frozen
    config = solved.get_config()
    del config["ngrams"]
    assert "ngrams" not in DeepFeatIoT.from_config(config).frozen  # of a model saved before there were any


@pytest.mark.parametrize("options", [{"head": "mlp"}, {"head": "blend"}, {"ngrams": False}])
def test_ngrams_alone_are_for_a_closed_form_head_that_reads_them(options):
    with pytest.raises(ValueError, match="is for a closed-form head"):
        DeepFeatIoT(["a", "b"], text_encoder="ngrams", **options)
    with pytest.raises(ValueError, match="is for the closed-form head of DeepFeatIoT"):
        DeepMetaIoT(["a", "b"], text_encoder="ngrams")


def test_arrays_and_datasets_are_equivalent(solved, told):
    found = solved.predict({"readings": told.values, "metadata": told.metadata}, verbose=0)
    np.testing.assert_array_equal(found, solved.predict(told.to_dataset(), verbose=0))


@pytest.mark.parametrize(
    "kind", [np.array, list, pd.Series, pd.Index, lambda texts: np.char.encode(list(texts)), tf.constant]
)
def test_metadata_may_be_text_as_numpy_has_it_or_a_list(solved, told, kind):
    texts = kind([str(text) for text in told.metadata])
    inputs = {"readings": told.values, "metadata": texts}
    whole = {**inputs, "metadata": np.asarray(told.metadata, object)}
    np.testing.assert_array_equal(solved.predict(inputs, verbose=0), solved.predict(whole, verbose=0))
    y = np.eye(4)[told.label_indices]
    assert solved.evaluate(inputs, y, verbose=0) == solved.evaluate(whole, y, verbose=0)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (lambda texts: texts[:-1], r"metadata of shape \(\d+,\) for"),
        (lambda texts: texts[:, None], r"metadata has the shape \[\d+, 1\]; give one text per series"),
        (lambda texts: np.array(["a\ud83d", *texts[1:]], object), "metadata of row 0 is no text of Unicode"),
    ],
)
def test_metadata_that_is_not_one_text_per_series_is_found_before_anything_is_learned(told, metadata, message):
    model = DeepFeatIoT(told.class_names, branches=("statistics",), text_encoder="ngrams")
    model.compile()
    one_hot = np.eye(len(told.class_names), dtype=np.float32)[told.label_indices]
    with pytest.raises(InputError, match=message):
        model.fit({"readings": told.values, "metadata": metadata(told.metadata.copy())}, one_hot, verbose=0)
    assert not model.adapted


def test_spaces_of_any_alphabet_are_no_metadata(told, tmp_path):
    one_hot = np.eye(len(told.class_names), dtype=np.float32)[told.label_indices]
    answers = []
    for blanks in ([""], [None, "\u00a0", " \u3000\x85"]):
        texts = told.metadata.copy()
        texts[::2] = np.resize(np.array(blanks, object), len(texts[::2]))
        model = DeepFeatIoT(told.class_names, branches=("statistics",), text_encoder="ngrams", windows=())
        model.compile()
        model.fit({"readings": told.values, "metadata": texts}, one_hot, verbose=0, feature_cache=tmp_path)
        answers.append(model.predict({"readings": told.values, "metadata": texts}, verbose=0))
        unknown = SensorReadings(np.full((len(blanks), 3), np.nan), metadata=blanks)
        assert set(predict(model, unknown)["label"]) == {""}
    np.testing.assert_allclose(*answers, atol=1e-6)


def test_a_saved_model_is_the_same(solved, told, tmp_path):
    solved.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(told.to_dataset(), verbose=0), solved.predict(told.to_dataset(), verbose=0)
    )
    assert loaded.text_encoder.get_config() == solved.text_encoder.get_config()


def test_rows_that_lack_something_teach_what_they_have(told, encoder):
    texts = np.where(np.arange(40) < 12, "", told.metadata)
    part = SensorReadings(told.values, labels=told.labels, metadata=texts)
    model = DeepFeatIoT(told.class_names, head="closed_form", branches=("statistics",), text_encoder=encoder())
    model.compile()
    model.fit(part.to_dataset(), verbose=0)
    assert accuracy(model, told) == 1.0


def test_readings_are_believed_where_the_metadata_contradicts_them(told, encoder):
    kinds = np.arange(40) % 2  # which readings tell, and names
    texts = np.array(["temp °c", "hum %"])
    fleet = SensorReadings(told.values, labels=np.array(["hot", "wet"])[kinds], metadata=texts[kinds])
    wrong = SensorReadings(told.values, labels=fleet.labels, metadata=texts[1 - kinds])
    options = {"head": "closed_form", "branches": ("statistics",), "text_encoder": encoder()}
    model = DeepFeatIoT(fleet.class_names, wrong_metadata=0.05, **options)
    model.compile()
    model.fit(fleet.to_dataset(), verbose=0)
    assert accuracy(model, fleet) == 1.0
    assert accuracy(model, wrong) >= 0.9  # without rows of wrong metadata in training it is less


def test_rows_without_metadata_get_none_that_is_wrong(told, encoder):
    texts = ["", *told.metadata[1:]]
    fleet = SensorReadings(told.values, labels=told.labels, metadata=texts)
    batches = batches_of(fleet.to_dataset(batch_size=16), None, None)
    series = np.concatenate([series for *_, series in with_wrong_metadata(batches, 40)()])
    np.testing.assert_array_equal(series, np.arange(1, 40))
    options = {"head": "closed_form", "branches": ("statistics",), "text_encoder": encoder()}
    model = DeepFeatIoT(fleet.class_names, wrong_metadata=0.05, **options)
    model.compile()
    model.fit(fleet.to_dataset(), verbose=0)
    assert len(model.left_out["closed_form"]) == 39


def test_a_batch_without_any_metadata_gets_no_rows_of_wrong_metadata(told):
    fleet = SensorReadings(told.values, labels=told.labels, metadata=[*told.metadata[:32], *[""] * 8])
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",), text_encoder="ngrams", wrong_metadata=0.05)
    model.compile()
    model.fit(fleet.to_dataset(batch_size=8), verbose=0)
    assert len(model.left_out["closed_form"]) == 32


def test_metadata_is_blank_in_arrays_where_it_is_in_a_dataset(told):
    texts = np.array(["\u00a0", " \t", "", *told.metadata[3:]], object)
    fleet = SensorReadings(told.values, labels=told.labels, metadata=texts)
    y = np.eye(len(fleet.class_names), dtype="float32")[fleet.label_indices]
    found = []
    for data in ((fleet.to_dataset(batch_size=40),), ({"readings": fleet.values, "metadata": texts}, y)):
        model = DeepFeatIoT(fleet.class_names, branches=("statistics",), text_encoder="ngrams")
        model.compile()
        model.fit(*data, verbose=0)
        found.append({head: len(answers) for head, answers in model.left_out.items()})
    assert found[0] == found[1]


def test_without_any_metadata_a_network_still_learns_from_readings(told, encoder):
    blank = without(told, metadata=True)
    model = DeepFeatIoT(told.class_names, head="mlp", branches=("statistics",), text_encoder=encoder())
    model.compile()
    history = model.fit(blank.to_dataset(), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(model.predict(blank.to_dataset(), verbose=0)).all()


@pytest.mark.parametrize(
    ("share", "reads", "head", "says"),
    [
        (1.5, True, "closed_form", "from 0 to 1"),
        (0.1, False, "closed_form", "give a text_encoder"),
        (0.1, True, "mlp", "for a closed-form head"),
    ],
)
def test_wrong_metadata_is_a_share_and_for_closed_form_heads_that_read_metadata(
    told, encoder, share, reads, head, says
):
    with pytest.raises(ValueError, match=says):
        DeepFeatIoT(told.class_names, wrong_metadata=share, head=head, text_encoder=encoder() if reads else None)


def test_wrong_metadata_is_that_of_other_rows_however_they_are_batched(told):
    fleet = SensorReadings(told.values, labels=told.labels, metadata=[f"name {i}" for i in range(40)])

    def rows(size, most=40):
        batches = batches_of(fleet.to_dataset(batch_size=size), None, None)
        parts = [
            (inputs["readings"], inputs["metadata"], *rest) for inputs, *rest in with_wrong_metadata(batches, most)()
        ]
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    values, texts, one_hot, series = rows(16)
    np.testing.assert_array_equal(values, fleet.values)
    np.testing.assert_array_equal(one_hot.argmax(axis=1), fleet.label_indices)
    np.testing.assert_array_equal(series, np.arange(40))
    mine = [text.decode() if isinstance(text, bytes) else text for text in texts]
    assert sorted(mine) == sorted(fleet.metadata)
    assert not (np.array(mine) == fleet.metadata).any()
    np.testing.assert_array_equal(texts, rows(7)[1])
    few = rows(16, most=10)
    assert len(few[3]) == 10
    np.testing.assert_array_equal(few[1], texts[few[3]])


def test_rows_of_no_weight_lend_no_wrong_metadata(told):
    texts = np.array([f"name {i}" for i in range(40)], object)
    weights = np.repeat([1.0, 0.0], 20)
    batches = batches_of({"readings": told.values, "metadata": texts}, np.eye(4)[told.label_indices], None, weights)
    (inputs, _, series), *rest = with_wrong_metadata(batches, 40)()
    assert not rest
    np.testing.assert_array_equal(series, np.arange(20))
    assert sorted(inputs["metadata"]) == sorted(texts[:20])


def test_without_any_metadata_there_is_nothing_to_solve(told, encoder):
    model = DeepFeatIoT(told.class_names, head="closed_form", branches=("statistics",), text_encoder=encoder())
    model.compile()
    with pytest.raises(InputError, match="no series has readings and metadata"):
        model.fit(without(told, metadata=True).to_dataset(), verbose=0)


def test_each_text_is_read_once(told, encoder, tmp_path, monkeypatch):
    computed = []
    add = FeatureStore.add
    monkeypatch.setattr(FeatureStore, "add", lambda self, rows: (computed.append(n := add(self, rows)), n)[1])
    model = DeepFeatIoT(told.class_names, branches=("statistics",), head="mlp", text_encoder=encoder())
    model.compile()
    model.fit(told.to_dataset(), epochs=2, verbose=0, feature_cache=tmp_path)
    assert sum(computed) == len(told) + len(set(told.metadata))
    assert list(tmp_path.glob("metadata/*/*.rows.npy"))


def build_metaiot(told, encoder):
    return DeepMetaIoT(told.class_names, text_encoder=encoder())


def build_featiot(told, encoder):
    return DeepFeatIoT(told.class_names, branches=("statistics",), head="mlp", text_encoder=encoder())


@pytest.mark.parametrize("build", [build_metaiot, build_featiot])
def test_a_network_trains_on_stored_features_and_answers_from_the_whole_graph(build, told, encoder, tmp_path):
    model = build(told, encoder)
    model.compile()
    before = [np.array(weight) for weight in model.frozen["metadata"].weights]
    history = model.fit(told.to_dataset(), validation_data=told.to_dataset(), epochs=2, verbose=0).history
    for old, weight in zip(before, model.frozen["metadata"].weights, strict=True):
        np.testing.assert_array_equal(old, weight)  # bit-identical after fit
    assert accuracy(model, told) == pytest.approx(history["val_accuracy"][-1], abs=1e-6)
    for part in (without(told, metadata=True), without(told, values=True)):
        assert np.isfinite(model.predict(part.to_dataset(), verbose=0)).all()
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        load_model(tmp_path / "model.keras").predict(told.to_dataset(), verbose=0),
        model.predict(told.to_dataset(), verbose=0),
    )


def test_training_needs_the_metadata(told, encoder):
    model = build_featiot(told, encoder)
    model.compile()
    one_hot = np.eye(4)[told.label_indices]
    with pytest.raises(InputError, match="the data has no 'metadata', which the model reads"):
        model.fit(told.values, one_hot, verbose=0)
    with pytest.raises(InputError, match="the data has no 'metadata', which the model reads"):
        model.fit(told.to_dataset(), validation_data=(told.values, one_hot), verbose=0)
    assert not model.adapted


def test_published_layouts_have_the_published_widths(told, encoder):
    model = DeepMetaIoT(told.class_names, text_encoder=encoder(), variant="paper")
    layers = {layer.name: layer for layer in model.network.layers}
    assert layers["channels"].missing_value == pytest.approx(1e-16)
    assert layers["global"].mask_value == pytest.approx(1e-16)
    assert not layers["global"].relu
    assert layers["modality_dropout"].rate == 0
    assert layers["fusion"].output.shape[-1] == 384
    assert layers["joined"].output.shape[-1] == 384 + model.frozen["metadata"].output.shape[-1]
    model.compile()
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    model.compile(recipe="deepmetaiot-ts-m")
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-2)
    assert isinstance(model.loss, keras.losses.CategoricalCrossentropy)
    hetero = DeepHeteroIoT(told.class_names, variant="paper")
    assert [hetero.network.get_layer(f"head_{width}").units for width in (1024, 512, 256, 64)] == [1024, 512, 256, 64]
    assert not hetero.network.get_layer("global").relu


def test_heteroiot_trains_saves_and_leaves_metadata_alone(told, tmp_path):
    model = DeepHeteroIoT(told.class_names)
    model.compile(run_eagerly=True)  # a step takes less time than its graph takes to make; runs train in graphs
    history = model.fit(told.to_dataset(), epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(told.values, verbose=0), model.predict(told.values, verbose=0))
    assert loaded.get_config() == model.get_config()


@pytest.mark.parametrize("build", [DeepMetaIoT, DeepHeteroIoT])
def test_impossible_options_are_refused(build, encoder):
    with pytest.raises(ValueError, match="variant is 'raw'"):
        build(["a", "b"], variant="raw")
    with pytest.raises(ValueError, match="two or more"):
        build(["a"])


def test_what_is_no_text_encoder_is_refused(told):
    with pytest.raises(ValueError, match="text_encoder is 7"):
        DeepMetaIoT(told.class_names, text_encoder=7)
    with pytest.raises(InputError, match="no sentence encoder"):
        DeepMetaIoT(told.class_names, text_encoder="word2vec")
    with pytest.raises(ValueError, match="recipe is 'fast'"):
        DeepHeteroIoT(told.class_names).compile(recipe="fast")
