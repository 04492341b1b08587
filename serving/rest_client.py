"""Ask TF Serving over REST what sensors measure. Standard library only.

Examples: `python serving/rest_client.py readings.csv`, and with another server, model name or version
`python serving/rest_client.py readings.csv --url http://gateway:8501 --model sensor_type --version 3`.

The table: a header, an id in the first column, readings in the others; an empty cell is a missing reading. Prints id,
label and confidence.

A model that names the sensors of a table together (`deepfeatiot train --collective`) is asked so with
`python serving/rest_client.py readings.csv --beside labelled.csv`; that table has the type in its second column. With
`--together` they have no labelled ones beside them.
"""

import argparse
import csv
import json
import math
import sys
import urllib.error
import urllib.request

ROWS = 32  # of one request


def label(
    readings: list[list[float]], url: str, model: str, version: int | None = None, known: list[str] | None = None
) -> list[dict]:
    """What each series measures: `label`, `confidence`, `runner_up`, `runner_up_confidence`, `probabilities`.

    Args:
        readings: one series each, all of one length; NaN for missing.
        url: of the server, `http://host:8501`.
        model: its name.
        version: of the model. Default: what the server serves.
        known: of each series the label, "" for none, to have them named together. Default: each by itself.
    """
    place = f"{url}/v1/models/{model}" + (f"/versions/{version}" if version else "") + ":predict"
    # NaN is written as NaN, which JSON proper lacks and TF Serving reads; null it refuses.
    instances = [{"readings": series} for series in readings]
    asked = {"instances": instances}
    if known is not None:
        instances = [{**each, "known_label": name} for each, name in zip(instances, known, strict=True)]
        asked = {"signature_name": "together", "instances": instances}
    request = urllib.request.Request(place, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["predictions"]


def main() -> None:
    """Label the table that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--together", action="store_true", help="name all sensors of the table in one request")
    parser.add_argument("--beside", metavar="TABLE", help="the same, beside labelled sensors of the same times")
    parser.add_argument("--url", default="http://localhost:8501")
    parser.add_argument("--model", default="sensor_type")
    parser.add_argument("--version", type=int)
    options = parser.parse_args()
    rows = table(options.table)
    labelled = table(options.beside) if options.beside else []
    width = max([len(row) - 1 for row in rows] + [len(row) - 2 for row in labelled], default=0)
    beside = [series(row[2:], width) for row in labelled]
    known = [row[1] for row in labelled]
    print("id,label,confidence")
    together = options.together or options.beside is not None
    size = max(len(rows), 1) if together else ROWS
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        readings = beside + [series(row[1:], width) for row in part]
        names = known + [""] * len(part) if together else None
        try:
            answers = label(readings, options.url, options.model, options.version, names)[len(labelled) :]
        except urllib.error.HTTPError as error:
            sys.exit(f"{options.url}: {error.read().decode()}")
        except OSError as error:
            sys.exit(f"{options.url}: {error}")
        for row, answer in zip(part, answers, strict=True):
            print(f"{row[0]},{answer['label']},{answer['confidence']:.3f}")


def table(path: str) -> list[list[str]]:
    """The rows below the header, blank ones left out."""
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.reader(file) if row][1:]


def series(cells: list[str], width: int) -> list[float]:
    """Readings, NaN where there is none, and behind the last."""
    return [float(cell) if cell else math.nan for cell in cells] + [math.nan] * (width - len(cells))


if __name__ == "__main__":
    main()
