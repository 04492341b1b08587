import pytest

from deepfeatiot_tf import load_dataset, read_table
from deepfeatiot_tf.readings.parsing.text_repair import repaired


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        ("UmiditÃ\xa0", "Umidità"),
        ("WilgotnoÅ\x9bÄ\x87", "Wilgotność"),
        ("TempÃ©rature (Â°C)", "Température (°C)"),
        ("Wind  m/s \n", "Wind m/s"),
        ("12 &deg;C", "12 °C"),
        ("", ""),
        ("{'supplier': 'Sensirion', 'units': '%', 'site': None}", "supplier: Sensirion, units: %"),
        ('{"type": "PM10", "calibrated": true, "note": null}', "type: PM10, calibrated: True"),
        ("{'site': 'UmiditÃ\xa0'}", "site: Umidità"),
    ],
)
def test_what_was_meant_is_read(damaged, meant):
    assert repaired(damaged) == meant


@pytest.mark.parametrize(
    "sound",
    ["VL FBH (°C)", "PM10 µg/m³", "湿度 ℃", "½ bar", "{'units': %}", "{1, 2}", "{broken", "Humedad relativa – 3"],
)
def test_sound_text_and_units_stay_as_they_are(sound):
    assert repaired(sound) == sound


def test_a_table_is_repaired_unless_told_otherwise(tmp_path):
    path = tmp_path / "fleet.csv"
    path.write_text("site,unit,v_0,v_1\nUmiditÃ\xa0,{'units': '%'},1,2\n,°C,3,4\n", encoding="utf-8")
    columns = {"metadata": ["site", "unit"]}
    assert list(read_table(path, **columns).metadata) == ["Umidità units: %", "°C"]
    raw = read_table(path, **columns, repair_text=False)
    assert list(raw.metadata) == ["UmiditÃ\xa0 {'units': '%'}", "°C"]


def test_the_damage_of_a_public_data_set_is_undone(data_folder):
    raw = load_dataset("ts-n", data_folder, repair_text=False)
    read = load_dataset("ts-n", data_folder)
    assert sum("Ã" in text for text in raw.metadata) > 50
    assert not any("Ã" in text for text in read.metadata)
    assert "Umidità" in set(read.metadata)
