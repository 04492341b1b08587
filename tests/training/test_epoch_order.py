import numpy as np
import pytest

from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.training.epoch_order import EpochOrder


@pytest.fixture
def readings() -> SensorReadings:
    return SensorReadings(np.arange(20, dtype=np.float32)[:, None], labels=[f"class {i % 4}" for i in range(20)])


def _pass(dataset):
    batches = [(inputs["readings"].numpy()[:, 0], one_hot.numpy()) for inputs, one_hot in dataset]
    series, one_hot = (np.concatenate(column) for column in zip(*batches, strict=True))
    return series.astype(int), one_hot


def test_no_tuner_makes_the_end_of_an_epoch_wait(readings):
    assert EpochOrder(seed=3).dataset(readings).options().autotune.enabled is False


def test_the_order_of_an_epoch_does_not_depend_on_what_was_read_before(readings):
    unbroken, resumed = EpochOrder(seed=3), EpochOrder(seed=3)
    data, data_again = unbroken.dataset(readings), resumed.dataset(readings)
    orders = []
    for epoch in range(4):
        unbroken.on_epoch_begin(epoch)
        orders.append(_pass(data)[0])
    _pass(data_again)  # such as the pass that computes features
    resumed.on_epoch_begin(2)
    np.testing.assert_array_equal(_pass(data_again)[0], orders[2])
    assert len({tuple(order) for order in orders}) == 4


def test_each_series_comes_once_with_its_own_label(readings):
    series, one_hot = _pass(EpochOrder(seed=0).dataset(readings, batch_size=6))
    assert sorted(series) == list(range(20))
    np.testing.assert_array_equal(one_hot.argmax(axis=1), readings.label_indices[series])


def test_batches_have_the_size_asked_for_and_their_number_is_known(readings):
    data = EpochOrder(seed=0).dataset(readings, batch_size=6)
    assert [len(one_hot) for _, one_hot in data] == [6, 6, 6, 2]
    assert int(data.cardinality()) == 4


def test_another_seed_gives_another_order(readings):
    first, second = (_pass(EpochOrder(seed).dataset(readings))[0] for seed in (0, 1))
    assert not np.array_equal(first, second)
