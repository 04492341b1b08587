"""Label one series on a gateway: LiteRT and NumPy, no TensorFlow.

It needs `pip install ai-edge-litert numpy`. Example: `python serving/lite_client.py sensor_type.tflite readings.csv`, a
table with a header, an id in the first column and readings in the others; an empty cell is a missing reading.
"""

import csv
import json
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class SensorType:
    """The model in a `.tflite` file.

    Args:
        path: of the file that `deepfeatiot export` wrote.
    """

    def __init__(self, path: str) -> None:
        self.run = Interpreter(path).get_signature_runner("serving_default")
        with zipfile.ZipFile(path) as archive:
            self.labels = archive.read("labels.txt").decode().splitlines()
            self.threshold = json.loads(archive.read("about.json"))["threshold"]

    def label(self, series: np.ndarray) -> tuple[str, float]:
        """Sensor type and confidence of float32 `[time]`, of any length; NaN for missing. `unknown` where in doubt."""
        if not np.isfinite(series).any():
            return "", 0.0
        probabilities = self.run(readings=series[None])["probabilities"][0]
        best = int(probabilities.argmax())
        unsure = probabilities[best] < np.float32(self.threshold)
        return "unknown" if unsure else self.labels[best], float(probabilities[best])


if __name__ == "__main__":
    model = SensorType(sys.argv[1])
    with open(sys.argv[2], newline="", encoding="utf-8") as file:
        for name, *cells in [row for row in csv.reader(file) if row][1:]:
            readings = np.array([float(cell) if cell else np.nan for cell in cells], np.float32)
            print(name, *model.label(readings), sep=",")
