"""Training time of DeepFeatIoT with the frozen-feature store, without it, and with frozen branches as published.

All train the same architecture on the training part of Iowa, batch 32, an epoch of each in turn, so that a
machine that slows down slows all of them; ratios are between the sums over all epochs. What the store spends before the
first epoch (computing, writing, standardizing) is reported and added in full.

`TensorFlow's tuner` is a dataset whose buffers TensorFlow tunes, as it does unless told not to (`fixed_pipeline.py`).
`published kernels` replaces the fused random-kernel layer by a plain convolution over the batch, as in the
authors' code.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from common import RESULTS, write_table

import deepfeatiot_tf as dfi
from deepfeatiot_tf.layers import RandomKernels

# All ways have the random kernels of the authors' code, so that one of them can compute these as that code does.
PUBLISHED = {"sampling": "published", "dilation": 4}


def plain_convolution(layer: RandomKernels, channels: tf.Tensor, length: tf.Tensor | None = None) -> tf.Tensor:
    """The published random kernels: one convolution (dilation 4, one channel) for the batch, every output stored."""
    kernel = tf.convert_to_tensor(layer.kernel)[:, None, :]
    answers = tf.nn.convolution(channels[..., :1], kernel, padding="VALID", dilations=[4])
    positive = tf.reduce_mean(tf.cast(answers > 0, tf.float32), axis=1)
    return tf.concat([tf.reduce_max(answers, axis=1), positive], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="iowa")
    parser.add_argument("--variant", default="robust", choices=["robust", "paper"])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "training_time.csv")
    options = parser.parse_args()
    readings = dfi.load_dataset(options.data)
    train, _, _ = dfi.split(readings, test="paper", validation=0)
    ways = ("store", "no store", "no store, TensorFlow's tuner", "no store, published kernels")
    models, seconds, before = {}, {way: 0.0 for way in ways}, {}
    fused = RandomKernels.call
    with tempfile.TemporaryDirectory() as cache:
        for way in ways:
            keras.utils.clear_session(free_memory=False)
            model = dfi.DeepFeatIoT(readings.class_names, variant=options.variant, head="mlp", **PUBLISHED)
            model.compile()
            models[way] = model
        for epoch in range(options.epochs + 1):  # the first traces the graphs and fills the store
            for way, model in models.items():
                RandomKernels.call = plain_convolution if way.endswith("published kernels") else fused
                start = time.perf_counter()
                data = train.to_dataset(shuffle=True, seed=epoch)
                if way.endswith("tuner"):
                    tuned = tf.data.Options()
                    tuned.autotune.enabled = True
                    data = data.with_options(tuned)
                model.fit(data, epochs=1, verbose=0, feature_cache=cache if way == "store" else False)
                taken = time.perf_counter() - start
                if epoch:
                    seconds[way] += taken
                else:
                    before[way] = taken
            RandomKernels.call = fused
            if epoch:
                print(epoch, {way: round(s / epoch, 2) for way, s in seconds.items()}, flush=True)
    rows = [
        {
            "data": options.data,
            "variant": options.variant,
            "series": len(train),
            "epochs": options.epochs,
            "way": way,
            "first_epoch_seconds": round(before[way], 1),
            "seconds_per_epoch": round(total / options.epochs, 3),
            "store_takes_share": round(seconds["store"] / total, 3),
        }
        for way, total in seconds.items()
    ]
    write_table(rows, options.output)


if __name__ == "__main__":
    main()
