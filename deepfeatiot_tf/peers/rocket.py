"""Random-kernel transforms with a ridge classifier, as aeon has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from deepfeatiot_tf.evaluation import EstimatorSystem
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers.inputs import panel, statistics, threads

PENALTIES = np.logspace(-3, 3, 10)  # those of aeon's ROCKET classifiers


def rocket(training: Training) -> EstimatorSystem:
    """ROCKET, 10,000 kernels (Dempster et al. 2020, arXiv 1910.13051)."""
    from aeon.classification.convolution_based import RocketClassifier

    return _on_panel(RocketClassifier)


def minirocket(training: Training) -> EstimatorSystem:
    """MiniROCKET, 10,000 features (Dempster et al. 2021, arXiv 2012.08791)."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    return _on_panel(MiniRocketClassifier)


def multirocket(training: Training) -> EstimatorSystem:
    """MultiROCKET of readings and their differences (Tan et al. 2022, arXiv 2102.00457)."""
    from aeon.classification.convolution_based import MultiRocketClassifier

    return _on_panel(MultiRocketClassifier)


def hydra_multirocket(training: Training) -> EstimatorSystem:
    """Competing kernels beside MultiROCKET (Dempster et al. 2023, arXiv 2203.13652)."""
    from aeon.classification.convolution_based import MultiRocketHydraClassifier

    return _on_panel(MultiRocketHydraClassifier)


def statistics_multirocket(training: Training) -> EstimatorSystem:
    """Summary statistics and MultiROCKET features, each block standardized and scaled by 1/√width, in one ridge."""
    from aeon.transformations.collection.convolution_based import MultiRocket

    def build(seed: int) -> Pipeline:
        blocks = FeatureUnion(
            [
                ("statistics", _block(FunctionTransformer(statistics))),
                ("kernels", _block(FunctionTransformer(panel), MultiRocket(random_state=seed, n_jobs=threads()))),
            ]
        )
        return make_pipeline(blocks, RidgeClassifierCV(PENALTIES))

    return EstimatorSystem(build)


def _on_panel(classifier: Any) -> EstimatorSystem:
    return EstimatorSystem(
        lambda seed: classifier(random_state=seed, n_jobs=threads()), inputs=lambda readings: panel(readings.values)
    )


def _block(*steps: Any) -> Pipeline:
    return make_pipeline(*steps, StandardScaler(), FunctionTransformer(_by_width))


def _by_width(features: np.ndarray) -> np.ndarray:
    return features / np.sqrt(features.shape[1])
