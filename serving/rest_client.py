"""Ask TF Serving over REST what sensors measure. Standard library only.

Examples: `python serving/rest_client.py readings.csv`, and with another server, model name or version
`python serving/rest_client.py readings.csv --url http://gateway:8501 --model sensor_type --version 3`.

The table: a header, an id in the first column, readings in the others; an empty cell is a missing reading. Prints id,
label and confidence.
"""

import argparse
import csv
import json
import math
import sys
import urllib.error
import urllib.request

ROWS = 32  # of one request


def label(readings: list[list[float]], url: str, model: str, version: int | None = None) -> list[dict]:
    """What each series measures: `label`, `confidence`, `runner_up`, `runner_up_confidence`, `probabilities`.

    Args:
        readings: one series each, all of one length; NaN for missing.
        url: of the server, `http://host:8501`.
        model: its name.
        version: of the model. Default: what the server serves.
    """
    place = f"{url}/v1/models/{model}" + (f"/versions/{version}" if version else "") + ":predict"
    # NaN is written as NaN, which JSON proper lacks and TF Serving reads; null it refuses.
    body = json.dumps({"instances": [{"readings": series} for series in readings]}).encode()
    request = urllib.request.Request(place, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["predictions"]


def main() -> None:
    """Label the table that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--url", default="http://localhost:8501")
    parser.add_argument("--model", default="sensor_type")
    parser.add_argument("--version", type=int)
    options = parser.parse_args()
    with open(options.table, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    width = max((len(row) for row in rows), default=1) - 1
    print("id,label,confidence")
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        readings = [[float(cell) if cell else math.nan for cell in row[1:]] for row in part]
        padded = [series + [math.nan] * (width - len(series)) for series in readings]
        try:
            answers = label(padded, options.url, options.model, options.version)
        except urllib.error.HTTPError as error:
            sys.exit(f"{options.url}: {error.read().decode()}")
        except OSError as error:
            sys.exit(f"{options.url}: {error}")
        for row, answer in zip(part, answers, strict=True):
            print(f"{row[0]},{answer['label']},{answer['confidence']:.3f}")


if __name__ == "__main__":
    main()
