"""Ensembles of trees on features of the readings."""

from __future__ import annotations

from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier

from deepfeatiot_tf.evaluation import EstimatorSystem
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers.inputs import panel, statistics, threads

TREES = 500


def extra_trees(training: Training) -> EstimatorSystem:
    """500 extra trees on the summary statistics."""
    return EstimatorSystem(
        lambda seed: ExtraTreesClassifier(TREES, random_state=seed, n_jobs=threads()),
        inputs=lambda readings: statistics(readings.values),
    )


def boosting(training: Training) -> EstimatorSystem:
    """Gradient boosting on the summary statistics, with scikit-learn's defaults."""
    return EstimatorSystem(
        lambda seed: HistGradientBoostingClassifier(random_state=seed),
        inputs=lambda readings: statistics(readings.values),
    )


def quant(training: Training) -> EstimatorSystem:
    """QUANT: extra trees on quantiles of intervals (Dempster et al. 2024, arXiv 2308.00928)."""
    from aeon.classification.interval_based import QUANTClassifier

    return EstimatorSystem(
        lambda seed: QUANTClassifier(random_state=seed), inputs=lambda readings: panel(readings.values)
    )
