"""How fast language features are computed, beside what the same cores reach in a plain matrix product.

All series of a data set, 32 at a time as `fit` takes them, with a matrix product of the model's largest kernel timed
between the batches, so that both meet the same other load. Also the size of what is saved and exported.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from common import RESULTS, write_table

import deepfeatiot_tf as dfi

BATCH = 32


def flops(layer: dfi.LanguageFeatures, tokens: np.ndarray) -> float:
    """Of all matrix products: two per weight and token, and those of attention."""
    kernels = sum(int(np.prod(w.shape)) for w in layer.weights[1:] if len(w.shape) > 1)
    config = layer.encoder["config"]
    attention = 4 * config["num_layers"] * config["hidden_dim"] * np.sum(tokens.astype(np.float64) ** 2)
    return 2.0 * kernels * tokens.sum() + attention


def megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def sizes(layer: dfi.LanguageFeatures) -> dict[str, float]:
    model = dfi.DeepFeatIoT(["a", "b"], branches=(), head="mlp", language=layer)
    model.compile()
    with tempfile.TemporaryDirectory() as scratch:
        model.save(Path(scratch, "model.keras"))
        dfi.export_saved_model(model, Path(scratch, "serving", "1"))
        return {
            "keras_mb": megabytes(Path(scratch, "model.keras")),
            "saved_model_mb": megabytes(Path(scratch, "serving")),
        }


def measure(readings: dfi.SensorReadings, storage: str) -> dict[str, object]:
    layer = dfi.LanguageFeatures.from_pretrained("smollm2", storage=storage)
    config = layer.encoder["config"]
    run = tf.function(layer, input_signature=[tf.TensorSpec([None, None], tf.float32)])
    left = tf.random.normal([2000, config["hidden_dim"]])
    right = tf.random.normal([config["hidden_dim"], config["intermediate_dim"]])
    product = tf.function(lambda: tf.reduce_sum(left @ right))
    run(readings.values[:BATCH]), product()
    model_seconds = product_seconds = products = 0.0
    for i in range(0, len(readings), BATCH):
        start = time.perf_counter()
        run(readings.values[i : i + BATCH]).numpy()
        model_seconds += time.perf_counter() - start
        start = time.perf_counter()
        for _ in range(100):
            product().numpy()
        product_seconds += time.perf_counter() - start
        products += 100
    _, mask = layer._encoding(*layer._text(tf.constant(readings.values)))
    tokens = mask.numpy().sum(axis=1)
    reached = flops(layer, tokens) / model_seconds / 1e9
    possible = products * 2.0 * left.shape[0] * left.shape[1] * right.shape[1] / product_seconds / 1e9
    return {
        "data": readings.name,
        "encoder": "smollm2",
        "blocks": config["num_layers"],
        "storage": storage,
        "series": len(readings),
        "tokens_per_series": tokens.mean(),
        "seconds": model_seconds,
        "tokens_per_second": tokens.sum() / model_seconds,
        "mflop_per_token": flops(layer, tokens) / tokens.sum() / 1e6,
        "gflop_per_second": reached,
        "matmul_gflop_per_second": possible,
        "share_of_matmul": reached / possible,
        **sizes(layer),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss"])
    parser.add_argument("--storage", nargs="+", default=["float16", "float32"])
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "language_speed.csv")
    options = parser.parse_args()
    rows = [measure(dfi.load_dataset(data), storage) for data in options.data for storage in options.storage]
    write_table(rows, options.output)


if __name__ == "__main__":
    main()
