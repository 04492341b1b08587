"""What the first `fit` takes from the training data without a gradient: standardization, kernels, closed-form heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.layers import FeatureStandardization, LaplacianFeatures, SampleSizeScale
from deepfeatiot_tf.models.branch_features import Branch, feature_input, inputs_of
from deepfeatiot_tf.models.lessons import Lessons, with_wrong_metadata
from deepfeatiot_tf.models.training_data import (
    METADATA,
    READINGS,
    WEIGHTS,
    Batches,
    check_one_hot,
    counted,
    has,
    whole_rows,
)
from deepfeatiot_tf.training.closed_form import SolvedHead, ridge_head

# The dense layers that are solved, and what a row has to have so that they learn from it.
SOLVED = {
    "closed_form": (READINGS, METADATA),
    "closed_form_readings": (READINGS,),
    "closed_form_metadata": (METADATA,),
}
# Rows with wrong metadata that a head learns from, at most: with 20,000 features each they take a third of a gigabyte.
WRONG_ROWS = 2000


class NetworkRows:
    """What is found inside a network for rows of the training data, the features of its frozen branches looked up.

    Args:
        network: from readings and features of the branches to probabilities.
        branches: by name.
    """

    def __init__(self, network: keras.Model, branches: Mapping[str, Branch]) -> None:
        self.network = network
        self.branches = branches
        self.reads_metadata = any(each.source == METADATA for each in branches.values())

    def values(
        self, tensors: Sequence[keras.KerasTensor], batches: Batches, needs: Sequence[str] = ()
    ) -> list[np.ndarray]:
        """Values of tensors for the rows `[rows, width]`, then their one-hot labels, weights and series.

        Of a network that reads metadata, only for the rows that have all of the inputs in `needs`; for metadata alone,
        without windows, which have the text of their series.

        Raises:
            InputError: there is no row, or none that has these inputs; or the labels are not one-hot.
        """
        part = keras.Model({each.name: each for each in self.network.inputs}, list(tensors))
        values = []
        for inputs, one_hot, series in batches():
            rows = whole_rows(series) if needs == (METADATA,) else np.ones(len(series), bool)
            for name in needs if self.reads_metadata else ():
                rows &= has(inputs, name)
            looked_up = {feature_input(branch): each.look_up(inputs) for branch, each in self.branches.items()}
            found = part(inputs_of(part, {READINGS: inputs[READINGS], **looked_up}))
            check_one_hot(one_hot, len(series), self.network.output_shape[-1], inputs.get(WEIGHTS))
            weights = np.reshape(inputs.get(WEIGHTS, np.ones(len(series))), len(series))
            values.append([np.array(each)[rows] for each in (*tf.nest.flatten(found), one_hot, weights, series)])
        if not values:
            raise InputError("fit: the data has no series to learn from, or none of a weight above 0")
        every = [np.concatenate(each) for each in zip(*values, strict=True)]
        if not len(every[-1]):
            raise InputError(f"fit: no series has {' and '.join(needs)} to learn from; leave the text encoder out")
        return every


def adapt_layers(rows: NetworkRows, batches: Batches) -> None:
    """Give the layers before the heads what they take from the rows that count: standardization, sample size, kernels.

    Args:
        rows: of the network whose layers these are.
        batches: `Lessons.series`.
    """
    counting = counted(batches)
    for branch, each in rows.branches.items():
        for layer in rows.network.layers:
            if layer.name == f"{branch}_standardized":
                layer.adapt(
                    each.look_up(inputs)[has(inputs, each.source) & (whole_rows(series) | (each.source == READINGS))]
                    for inputs, _, series in counting()
                )
    for layer in rows.network.layers:
        if isinstance(layer, SampleSizeScale):
            layer.adapt(sum(len(np.unique(series)) for _, _, series in counting()))
        if isinstance(layer, LaplacianFeatures):
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            needs = (READINGS,) if len(inputs) == 1 else (READINGS, METADATA)
            layer.adapt(*rows.values(inputs, counting, needs)[:-2])


def forget_layers(network: keras.Model) -> None:
    """Let the network be one that has taken nothing from any data."""
    for layer in network.layers:
        if isinstance(layer, FeatureStandardization):
            layer.forget()


def solve_heads(
    rows: NetworkRows, lessons: Lessons, class_weight: Mapping[int, float] | None, wrong_metadata: float
) -> dict[str, SolvedHead]:
    """Solve the closed-form heads of a network, whose layers before them are adapted.

    Args:
        rows: of the network.
        lessons: what there is to learn from.
        class_weight: what the rows of a class count for, by its index; 1 where it is not there.
        wrong_metadata: what rows with wrong metadata count for in all, as a share of all others.

    Returns:
        by name of the layer.
    """
    heads = {}
    for layer in rows.network.layers:
        if layer.name in SOLVED:
            heads[layer.name] = _solved(layer, rows, lessons, class_weight, wrong_metadata)
            layer.kernel.assign(heads[layer.name].kernel)
            layer.bias.assign(heads[layer.name].bias)
    return heads


def _solved(
    head: keras.layers.Dense,
    rows: NetworkRows,
    lessons: Lessons,
    class_weight: Mapping[int, float] | None,
    wrong_metadata: float,
) -> SolvedHead:
    needs = SOLVED[head.name]
    parts = [rows.values([head.input], lessons.series, needs)]
    if lessons.copies is not None and READINGS in needs:
        parts.append(rows.values([head.input], lessons.copies, needs))
    unit = _usual(parts[0][2])
    for part in parts:
        part[2] = part[2] / unit
    count = sum(weights.sum() for *_, weights, _ in parts)
    if wrong_metadata and len(needs) == 2:
        parts.append(rows.values([head.input], with_wrong_metadata(lessons.series, WRONG_ROWS), needs))
        parts[-1][2] = parts[-1][2] * (wrong_metadata * count / parts[-1][2].sum())
    features, one_hot, weights, series = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
    del parts  # of a large fleet, half a gigabyte
    return ridge_head(features, one_hot, weights, series, class_weight)


def _usual(weights: np.ndarray) -> float:
    """The mean of those above 0: penalties are of rows that count for 1, in whatever unit the weights are."""
    above = weights[weights > 0]
    return float(above.mean()) if len(above) else 1.0
