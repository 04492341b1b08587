import os
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from deepfeatiot_tf import simulate_fleet
from deepfeatiot_tf.readings.vocabularies import COLUMNS, standard_names

CATALOGUE = files("deepfeatiot_tf.readings").joinpath("catalogue")
TABLE = tomllib.loads(CATALOGUE.joinpath("standard_names.toml").read_text(encoding="utf-8"))
DATASETS = tomllib.loads(CATALOGUE.joinpath("datasets.toml").read_text(encoding="utf-8"))
# Nothing in these vocabularies is certain to be what the data set means.
NAMELESS = {"Lysimeter", "Moisture", "rain index", "UV index"}
# Unit names of the IANA registry: RFC 8428 (primary), RFC 8798 (secondary).
SENML = {"Cel", "%RH", "Pa", "m/s", "W/m2", "lx", "V", "A", "dB", "m", "ppm", "hPa", "ug/m3", "cm", "mm", "dBm"}


def test_every_label_of_every_data_set_and_of_simulated_fleets_has_a_name_or_is_known_to_have_none():
    labels = {name for data in DATASETS.values() for name in data.get("class_names", ())}
    labels |= set(simulate_fleet(1).class_names)
    found = standard_names(sorted(labels))
    nameless = {label for label, row in zip(sorted(labels), found.to_numpy(), strict=True) if not any(row)}
    assert nameless == NAMELESS


def test_a_label_means_one_thing():
    labels = [re.sub(r"[\s_]", "", label).casefold() for entry in TABLE.values() for label in entry["labels"]]
    assert len(labels) == len(set(labels))


def test_entries_say_nothing_but_names_of_the_three_vocabularies():
    for name, entry in TABLE.items():
        assert set(entry) <= {"labels", *COLUMNS}, name
        assert len(entry) > 1, name
        assert entry.get("senml_unit", "m") in SENML, name
        assert re.fullmatch(r"brick:[\w.]+_Sensor", entry.get("brick_class", "brick:A_Sensor")), name
        assert re.fullmatch(r"(quantitykind|brick):[\w.]+", entry.get("quantity_kind", "brick:A")), name


def test_writing_does_not_matter_and_what_is_not_known_stays_empty():
    found = standard_names(["co2", "DEW_POINT", " Pm 2.5", "unknown", ""])
    assert found["brick_class"].tolist() == [
        *("brick:CO2_Level_Sensor", "brick:Dewpoint_Sensor", "brick:PM2.5_Level_Sensor"),
        *("", ""),
    ]


def test_brick_has_these_classes_and_they_are_not_deprecated():
    """Checked against Brick.ttl 1.5.0, which DEEPFEATIOT_BRICK names (in the package brickschema 0.8.0)."""
    path = os.environ.get("DEEPFEATIOT_BRICK")
    if not path:
        pytest.skip("DEEPFEATIOT_BRICK names no Brick.ttl")
    text = Path(path).read_text(encoding="utf-8")
    assert 'owl:versionInfo "1.5.0"' in text
    blocks = {block.split()[0].replace("\\", ""): block for block in text.split("\n\n") if block.startswith("brick:")}
    for name, entry in TABLE.items():
        for column in ("brick_class", "quantity_kind"):
            term = entry.get(column, "")
            if term.startswith("brick:"):
                assert term in blocks, f"{name}: {term}"
                assert "deprecated" not in blocks[term].lower(), f"{name}: {term}"
