import pandas as pd

from deepfeatiot_tf import export_saved_model, predict, predict_table

NAMES = ["brick_class", "quantity_kind", "senml_unit"]


def test_names_used_elsewhere_stand_beside_the_labels_and_change_nothing_else(quick_model, fleet):
    plain, named = predict(quick_model, fleet), predict(quick_model, fleet, standard_names=True)
    assert list(named.columns) == [*plain.columns, *NAMES]
    assert named[plain.columns].equals(plain)
    by_label = dict(zip(named["label"], named["brick_class"], strict=True))
    assert all(by_label.get(label, brick) == brick for label, brick in {"CO2": "brick:CO2_Level_Sensor"}.items())


def test_an_unknown_sensor_has_no_name_elsewhere_either(quick_model, fleet):
    frame = predict(quick_model, fleet, threshold=1.0, standard_names=True)
    assert set(frame["label"]) == {"unknown"}
    assert set(frame[NAMES].to_numpy().ravel()) == {""}


def test_files_of_both_kinds_have_the_names_in_the_same_columns(quick_model, fleet, tmp_path):
    table = pd.DataFrame(fleet.values[:5], columns=[f"reading_{i}" for i in range(fleet.values.shape[1])])
    table.to_csv(tmp_path / "fleet.csv", index=False)
    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        predict_table(quick_model, tmp_path / "fleet.csv", tmp_path / f"out{ending}", standard_names=True)
        found = read(tmp_path / f"out{ending}").fillna("")
        expected = predict(quick_model, fleet.take(range(5)), standard_names=True)
        assert found[["label", *NAMES]].astype(object).equals(expected[["label", *NAMES]].astype(object))


def test_an_exported_folder_carries_the_names_in_the_order_of_its_classes(quick_model, tmp_path):
    folder = export_saved_model(quick_model, tmp_path / "1", standard_names=True)
    found = pd.read_csv(folder / "assets.extra" / "standard_names.csv").fillna("")
    assert tuple(found["label"]) == quick_model.class_names
    assert found.set_index("label").loc["wind speed"].tolist() == [
        *("brick:Wind_Speed_Sensor", "quantitykind:Speed", "m/s")
    ]
