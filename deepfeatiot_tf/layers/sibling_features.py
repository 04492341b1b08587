"""What the other sensors of a table say about one: which move as it does, of which type, how far away."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

PER_TYPE = 5  # features of the nearest sibling of a type
RELATED = 0.3  # correlation from which on levels are compared
SHARPNESS = 8  # power of the correlation by which siblings vote
SMALLEST = 1e-6  # deviation, in the readings' unit
FAR = 1e38
ELEMENTS = 2**24  # of the largest tensor that a step holds: 64 MiB


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class SiblingFeatures(keras.layers.Layer):
    """How each series of a table stands to the others, which were measured at the same times.

    Sensors of one device or place move together: particulate matter below 1, 2.5 and 10 µm, or air temperature and dew
    point. Alone they look alike; side by side the larger one is told. Two series are compared twice, by the
    correlation of their first differences and by that of their readings (over the readings that each has; what one of
    the two lacks counts for nothing). Each comparison gives, for every type, of the sibling with the highest
    correlation among those believed to be of that type:

    - the correlation `r`; zeros, here and below, where no other series is of that type;
    - the difference of the mean levels, once of their inverse hyperbolic sines and once within it; the log of the ratio
      of the standard deviations; and how much more often than not it lies above the sibling, −½ to ½. All four are
      zero where `r` is 0.3 or less;

    and then the highest `r` of all, `r` times the beliefs about the sibling that has it, and the mean of the beliefs
    about all others, weighed by `r⁸` where `r` is positive.

    Memory grows with the number of series, time with its square.

    Input: readings float32 `[batch, time]`, NaN for missing, and beliefs float32 `[batch, types]`: probabilities, or 1
    for the type of a labelled sensor. A series' own beliefs are not looked at.

    Output: float32 `[batch, 2 · (5 · types + 1 + 2 · types)]`; of a series alone, zeros.

    Reference: Sen et al., Collective Classification in Network Data, AI Magazine 2008, for labels that follow from the
    labels of neighbours; that correlation finds sensors of one room: Hong et al., Towards Automatic Spatial
    Verification of Sensor Placement in Buildings, BuildSys 2013.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})

    def call(self, readings: tf.Tensor, beliefs: tf.Tensor) -> tf.Tensor:
        # A request may hold no series; a step needs one.
        count = tf.shape(readings)[0]
        more = [[0, tf.cast(count == 0, tf.int32)], [0, 0]]
        return self._compared(tf.pad(readings, more), tf.pad(beliefs, more))[:count]

    def _compared(self, readings: tf.Tensor, beliefs: tf.Tensor) -> tf.Tensor:
        observed = tf.math.is_finite(readings)
        x = tf.where(observed, readings, 0.0)
        both = observed[:, 1:] & observed[:, :-1]
        # In units of the largest, so that sums and differences of readings near the end of float32 stay finite.
        scale = tf.maximum(tf.reduce_max(tf.abs(x), axis=1, keepdims=True), 1.0)
        scaled = x / scale
        level, deviation, of_levels = _standardized(scaled, observed)
        _, _, of_differences = _standardized(scaled[:, 1:] - scaled[:, :-1], both)
        level, deviation = level * scale[:, 0], deviation * scale[:, 0]
        shape = tf.shape(readings)
        types = beliefs.shape[-1]
        # Each step compares some rows with all.
        rows = tf.clip_by_value(ELEMENTS // (types * tf.reduce_sum(shape)), 1, shape[0])
        fleet = _Fleet(x, observed, level, tf.math.log(deviation + SMALLEST), beliefs)

        def step(start: tf.Tensor) -> tf.Tensor:
            # The last step begins early, so that all are of one size.
            mine = tf.minimum(start, shape[0] - rows) + tf.range(rows)
            return tf.concat([fleet.compared(mine, each) for each in (of_differences, of_levels)], axis=1)

        starts = tf.range(0, shape[0], rows)
        found = tf.map_fn(
            step,
            starts,
            fn_output_signature=tf.TensorSpec([None, self._width(types)], tf.float32),
            parallel_iterations=1,
        )
        found = tf.reshape(found, [-1, self._width(types)])
        last = shape[0] - rows * (tf.shape(starts)[0] - 1)  # rows of the last step that are no repetition
        return tf.concat([found[: shape[0] - last], found[tf.shape(found)[0] - last :]], axis=0)

    def _width(self, types: int) -> int:
        return 2 * (PER_TYPE * types + 1 + 2 * types)

    def compute_output_shape(self, readings_shape: tuple, beliefs_shape: tuple) -> tuple:
        return (readings_shape[0], self._width(beliefs_shape[-1]))

    def compute_output_spec(self, readings: Any, beliefs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(readings.shape, beliefs.shape), "float32")


class _Fleet:
    """All series of a table, to compare some of them with."""

    def __init__(
        self, x: tf.Tensor, observed: tf.Tensor, level: tf.Tensor, log_deviation: tf.Tensor, beliefs: tf.Tensor
    ) -> None:
        self.x, self.observed, self.level, self.log_deviation, self.beliefs = x, observed, level, log_deviation, beliefs
        believed = tf.argmax(beliefs, axis=1)
        self.of_type = tf.transpose(tf.one_hot(believed, beliefs.shape[-1], on_value=True, off_value=False))

    def compared(self, mine: tf.Tensor, directions: tf.Tensor) -> tf.Tensor:
        """The features of the rows `mine`, int `[rows]`, by one comparison: unit vectors `[batch, time]` of all."""
        r = tf.matmul(tf.gather(directions, mine), directions, transpose_b=True)
        itself = mine[:, None] == tf.range(tf.shape(directions)[0])[None]
        r = tf.where(itself, -2.0, r)
        by_type = tf.where(self.of_type[None], r[:, None, :], -2.0)
        siblings = tf.argmax(by_type, axis=2, output_type=tf.int32)  # [rows, types]
        nearest = tf.reduce_max(by_type, axis=2)
        of_types = tf.stack([nearest, *self._apart(mine, siblings)], axis=2)
        of_types = tf.where((nearest > RELATED)[:, :, None], of_types, of_types * [1.0, 0.0, 0.0, 0.0, 0.0])
        of_types = tf.where((nearest > -1.5)[:, :, None], of_types, 0.0)
        best = tf.maximum(tf.reduce_max(r, axis=1, keepdims=True), -1.0)
        known = tf.gather(self.beliefs, tf.argmax(r, axis=1))
        votes = tf.pow(tf.clip_by_value(r, 0.0, 1.0), SHARPNESS)
        voted = tf.math.divide_no_nan(tf.matmul(votes, self.beliefs), tf.reduce_sum(votes, axis=1, keepdims=True))
        alone = tf.shape(directions)[0] == 1
        rest = tf.where(alone, 0.0, tf.concat([best, best * known, voted], axis=1))
        return tf.concat([tf.reshape(of_types, [tf.shape(mine)[0], PER_TYPE * self.beliefs.shape[-1]]), rest], axis=1)

    def _apart(self, mine: tf.Tensor, siblings: tf.Tensor) -> list[tf.Tensor]:
        """How levels and deviations of the rows differ from those of their siblings, each `[rows, types]`."""
        x, level = tf.gather(self.x, mine)[:, None], tf.gather(self.level, mine)[:, None]
        other, beside = tf.gather(self.x, siblings), tf.gather(self.level, siblings)
        both = tf.cast(tf.gather(self.observed, mine)[:, None] & tf.gather(self.observed, siblings), tf.float32)
        above = tf.reduce_sum(both * tf.sign(x - other), axis=2) / 2.0
        return [
            tf.asinh(level) - tf.asinh(beside),
            tf.asinh(tf.clip_by_value(level - beside, -FAR, FAR)),
            tf.gather(self.log_deviation, mine)[:, None] - tf.gather(self.log_deviation, siblings),
            tf.math.divide_no_nan(above, tf.reduce_sum(both, axis=2)),
        ]


def _standardized(x: tf.Tensor, observed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Mean and deviation `[batch]`, and what is left without the mean, zero where missing, of length 1 or 0."""
    known = tf.cast(observed, tf.float32)
    count = tf.maximum(tf.reduce_sum(known, axis=1, keepdims=True), 1.0)
    mean = tf.reduce_sum(x * known, axis=1, keepdims=True) / count
    centred = tf.where(observed, x - mean, 0.0)
    # By the largest, as squares of a small swing around a high level vanish.
    largest = tf.maximum(tf.reduce_max(tf.abs(centred), axis=1, keepdims=True), 0.0)  # of no reading it is −∞
    scaled = tf.math.divide_no_nan(centred, largest)
    deviation = largest * tf.sqrt(tf.reduce_sum(scaled**2, axis=1, keepdims=True) / count)
    # What rounding leaves of a constant series points nowhere.
    moves = deviation > 1e-6 * tf.abs(mean)
    direction = tf.where(moves, tf.math.l2_normalize(scaled, axis=1), 0.0)
    return mean[:, 0], deviation[:, 0], direction
