"""From files, catalogue or simulation to `SensorReadings`, and on to training, validation and test part."""

from deepfeatiot_tf.readings.datasets import list_datasets, load_dataset
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.simulate import simulate_fleet
from deepfeatiot_tf.readings.splits import split
from deepfeatiot_tf.readings.table import iter_tables, read_table
from deepfeatiot_tf.readings.vocabularies import standard_names

__all__ = [
    "SensorReadings",
    "iter_tables",
    "list_datasets",
    "load_dataset",
    "read_table",
    "simulate_fleet",
    "split",
    "standard_names",
]
