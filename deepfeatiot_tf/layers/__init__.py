"""The layers of the networks, one public Keras layer per file."""

from deepfeatiot_tf.layers.bi_gru import BiGRU
from deepfeatiot_tf.layers.dense_feature_transform import DenseFeatureTransform
from deepfeatiot_tf.layers.feature_standardization import FeatureStandardization
from deepfeatiot_tf.layers.input_channels import InputChannels
from deepfeatiot_tf.layers.language_features import LanguageFeatures
from deepfeatiot_tf.layers.multi_scale_conv import MultiScaleConv
from deepfeatiot_tf.layers.random_fourier_features import RandomFourierFeatures
from deepfeatiot_tf.layers.random_kernels import RandomKernels
from deepfeatiot_tf.layers.summary_statistics import SummaryStatistics
from deepfeatiot_tf.layers.text_features import TextFeatures

__all__ = [
    "BiGRU",
    "DenseFeatureTransform",
    "FeatureStandardization",
    "InputChannels",
    "LanguageFeatures",
    "MultiScaleConv",
    "RandomFourierFeatures",
    "RandomKernels",
    "SummaryStatistics",
    "TextFeatures",
]
