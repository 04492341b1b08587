import numpy as np

from deepfeatiot_tf.training.class_balance import balanced_class_weight


def test_classes_weigh_the_same_in_sum():
    weights = balanced_class_weight(np.array([0, 0, 0, 2]))
    assert weights == {0: 4 / 6, 2: 2.0}
