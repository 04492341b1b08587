"""Random kernels against ROCKET (aeon, numba) and a plain TensorFlow convolution.

Same series, kernel count, length; two threads each; every candidate is called once before it is timed, then all take
turns, so that a machine that slows down slows all of them. Seconds are medians over the rounds; `times_faster` is the
median, over the rounds, of ROCKET's seconds by the candidate's.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numba
import numpy as np
import tensorflow as tf
from aeon.transformations.collection.convolution_based import Rocket
from common import RESULTS, write_table

from deepfeatiot_tf.layers import MultiScaleConv, RandomKernels

LENGTH, DILATION = 9, 4


def candidates(readings: np.ndarray, kernels: int, threads: int) -> dict[str, Callable[[], object]]:
    """The things to time, each already called once."""
    numba.set_num_threads(threads)
    series = tf.constant(readings[..., None])
    weights = tf.random.stateless_normal([LENGTH, 1, kernels], [0, 0], stddev=0.05)

    @tf.function
    def convolution(x: tf.Tensor) -> tf.Tensor:
        def pooled(row: tf.Tensor) -> tf.Tensor:
            answer = tf.nn.convolution(row[None], weights, padding="VALID", dilations=[DILATION])[0]
            return tf.concat([tf.reduce_max(answer, 0), tf.reduce_mean(tf.cast(answer > 0, tf.float32), 0)], 0)

        return tf.map_fn(pooled, x)

    xla, plain = (tf.function(RandomKernels(kernels, jit_compile=jit)) for jit in (True, False))
    learnable = tf.function(MultiScaleConv())
    many = tf.constant(np.repeat(readings[..., None], 4, axis=2))
    rocket = Rocket(n_kernels=kernels, n_jobs=threads, random_state=0)
    panel = readings[:, None, :].astype(np.float64)
    rocket.fit(panel)
    runs: dict[str, Callable[[], object]] = {
        "ROCKET (aeon)": lambda: rocket.transform(panel),
        "this layer, XLA": lambda: xla(series),
        "this layer, plain ops": lambda: plain(series),
        "plain convolution": lambda: convolution(series),
        "learnable convolutions": lambda: learnable(many),
    }
    for run in runs.values():
        run()
    return runs


def learnable_operations(time_steps: int) -> float:
    """Multiplications and additions of `MultiScaleConv` with four channels, per series."""
    total = 0.0
    for size in (3, 5, 7, 11):
        width, steps = 4, time_steps
        for filters in (128, 64, 64):
            for _ in range(3):
                total += 2.0 * steps * size * width * filters
                width = filters
            steps = -(-steps // 2)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--time", type=int, default=168, help="readings per series")
    parser.add_argument("--kernels", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "random_kernels.csv")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    readings = np.random.default_rng(0).normal(size=(options.series, options.time)).astype("float32")
    runs = candidates(readings, options.kernels, options.threads)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            result = run()
            np.asarray(result)
            seconds[name].append(time.perf_counter() - start)
    rocket = np.array(seconds["ROCKET (aeon)"])
    windows = options.time - (LENGTH - 1) * DILATION
    operations = 2.0 * options.series * windows * options.kernels * LENGTH
    rows = []
    for name, taken in seconds.items():
        work = options.series * learnable_operations(options.time) if name.startswith("learnable") else operations
        median = float(np.median(taken))
        rows.append(
            {
                "candidate": name,
                "series": options.series,
                "readings": options.time,
                "kernels": "" if name.startswith("learnable") else options.kernels,
                "threads": options.threads,
                "rounds": options.rounds,
                "seconds": round(median, 4),
                "seconds_min": round(min(taken), 4),
                # ROCKET draws lengths and dilations at random, so its operations are not these.
                "gflop_per_s": "" if name.startswith("ROCKET") else round(work / median / 1e9, 1),
                "times_faster": "" if name.startswith("learnable") else round(float(np.median(rocket / taken)), 1),
            }
        )
    write_table(rows, options.output)


if __name__ == "__main__":
    main()
