"""The networks, as Keras functional graphs from raw readings to probabilities."""

from deepfeatiot_tf.models.collective_classifier import CollectiveClassifier
from deepfeatiot_tf.models.deepfeatiot import DeepFeatIoT
from deepfeatiot_tf.models.deepheteroiot import DeepHeteroIoT
from deepfeatiot_tf.models.deepmetaiot import DeepMetaIoT
from deepfeatiot_tf.models.loading import load_model

__all__ = ["CollectiveClassifier", "DeepFeatIoT", "DeepHeteroIoT", "DeepMetaIoT", "load_model"]
