import functools
import hashlib
import logging
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pooch
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import datasets, list_datasets, load_dataset

ON_HAND = ["swiss", "iowa", "sbas", "ts-m", "ts-n", "senseur"]


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No data folder, no proxy and no cache of the machine reaches these tests."""
    monkeypatch.delenv("DEEPFEATIOT_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def made_up_table(path, labels=(10, 2, 2, 0)):
    """A file with the columns of Swiss.csv and Urban.csv, shorter."""
    n = len(labels)
    table = {"database_id": range(1, n + 1)} | {f"metadata_{i}": [None] * n for i in range(7)}
    table |= {"label": labels}
    table |= {f"reading_{t}": [float(100 * row + t) for row in range(n)] for t in range(12)}
    pd.DataFrame(table).to_csv(path, index=False)
    return path


def pretend(monkeypatch, name, **changes):
    """The catalogue with another entry for `name`."""
    entries = datasets.catalogue()
    entries = {**entries, name: replace(entries[name], **changes)}
    monkeypatch.setattr(datasets, "catalogue", lambda: entries)


@pytest.fixture
def server(tmp_path):
    """A web server on this machine; gives its address and the folder it serves."""
    root = tmp_path / "served"
    root.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=root)
    handler.log_message = lambda *args: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}", root
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("name", datasets.catalogue())
def test_every_catalogue_entry_agrees_with_itself(name):
    entry = datasets.catalogue()[name]
    assert len(set(entry.class_names)) in (0, entry.classes)
    assert set(entry.inferred) <= set(entry.class_names)
    assert len(entry.sha256) in (0, 64)
    assert entry.url.startswith("https://")
    assert entry.url.endswith(f"/{entry.file}")
    assert entry.origin.split("/", 1)[1] in entry.url


@pytest.mark.parametrize("name", ON_HAND)
def test_the_real_files_hold_what_the_catalogue_says(data_folder, name):
    entry = datasets.catalogue()[name]
    readings = load_dataset(name.upper(), data_folder)
    assert readings.values.shape == (entry.series, entry.readings)
    assert readings.class_names == tuple(entry.class_names)
    assert set(readings.labels) == set(entry.class_names)
    assert (readings.metadata is not None) == (entry.metadata is not None)
    assert np.isnan(readings.values).any() == (entry.missing != "none")
    assert load_dataset(name, data_folder, metadata=False).metadata is None


def test_sbas_has_no_minus_one_so_only_empty_cells_are_missing(data_folder):
    readings = load_dataset("sbas", data_folder)
    assert np.nanmin(readings.values) == 0
    assert np.isnan(readings.values).any(axis=1).sum() == 7


def test_integer_labels_get_the_names_that_fit_the_readings(data_folder):
    readings = load_dataset("swiss", data_folder)
    direction = readings.values[readings.labels == "Wind Direction"]
    assert np.quantile(direction, [0.01, 0.99]) == pytest.approx([10, 350], abs=40)
    readings = load_dataset("ts-m", data_folder)
    assert "CO2" in set(readings.metadata[readings.labels == "CO2"])


def test_urban_is_read_by_its_columns_with_its_integers_as_classes_in_numeric_order(folder, caplog):
    made_up_table(folder / "Urban.csv")
    with caplog.at_level(logging.WARNING):
        readings = load_dataset("Urban", folder)
    assert readings.values[:, [0, -1]].tolist() == [[0, 11], [100, 111], [200, 211], [300, 311]]
    assert readings.labels.tolist() == ["10", "2", "2", "0"]
    assert readings.class_names == ("0", "2", "10")
    assert readings.ids.tolist() == ["1", "2", "3", "4"]
    assert readings.metadata is None
    assert "no checksum is known" in caplog.text


def test_a_changed_file_is_refused_with_both_checksums_and_a_way_out(folder):
    path = made_up_table(folder / "Swiss.csv")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(InputError) as caught:
        load_dataset("swiss", folder)
    for part in (str(path), found, datasets.catalogue()["swiss"].sha256, "read_table"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_named_folder_comes_before_the_environments(folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    made_up_table(folder / "Urban.csv", labels=(1, 2))
    made_up_table(other / "Urban.csv", labels=(3, 4))
    monkeypatch.setenv("DEEPFEATIOT_DATA", str(other))
    assert load_dataset("urban", folder).class_names == ("1", "2")
    assert load_dataset("urban").class_names == ("3", "4")


def test_a_download_is_checked_and_kept_so_that_the_network_is_needed_once(server, monkeypatch):
    address, root = server
    path = made_up_table(root / "Swiss.csv", labels=(10, 2, 2, 0))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    pretend(monkeypatch, "swiss", url=f"{address}/Swiss.csv", sha256=sha256)
    first = load_dataset("swiss")
    path.unlink()
    assert load_dataset("swiss").checksum == first.checksum
    assert first.labels.tolist() == ["Wind Speed", "Lysimeter", "Lysimeter", "CO2"]
    assert list_datasets().set_index("name").path["swiss"].endswith("Swiss.csv")


def test_a_download_with_another_checksum_is_refused_and_not_kept(server, monkeypatch, tmp_path):
    address, root = server
    made_up_table(root / "Swiss.csv")
    pretend(monkeypatch, "swiss", url=f"{address}/Swiss.csv")
    with pytest.raises(InputError, match=r"expected sha256:47130af5.* but got") as caught:
        load_dataset("swiss")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache").rglob("*.csv"))


@pytest.mark.parametrize("reason", ["offline", "gone"])
def test_without_the_file_one_line_lists_the_ways_to_provide_it(server, monkeypatch, reason):
    url = f"{server[0]}/Swiss.csv" if reason == "gone" else "http://127.0.0.1:9/Swiss.csv"
    pretend(monkeypatch, "swiss", url=url)
    with pytest.raises(InputError) as caught:
        load_dataset("swiss")
    for part in ("Swiss.csv", url, "folder=", "DEEPFEATIOT_DATA"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"'swis'.*swiss, urban, iowa"):
        load_dataset("swis")


def test_a_folder_that_is_not_there_is_an_error_not_a_download(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"folder .* is not a folder"):
        load_dataset("swiss", tmp_path / "nowhere")
    monkeypatch.setenv("DEEPFEATIOT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"DEEPFEATIOT_DATA .* is not a folder"):
        list_datasets()


def test_the_list_shows_what_is_on_disk_and_leaves_unknown_sizes_open(folder):
    made_up_table(folder / "Urban.csv")
    table = list_datasets(folder).set_index("name")
    assert table.index.tolist() == ["swiss", "urban", "iowa", "sbas", "ts-m", "ts-n", "senseur"]
    assert table.path["urban"] == str(folder / "Urban.csv")
    assert table.path["swiss"] == ""
    assert pd.isna(table.series["urban"])
    assert table.series["swiss"] == 346
    assert table.metadata["ts-n"] == "sensor_name"
