"""The layers of the networks, one public Keras layer per file."""

from deepfeatiot_tf.layers.bi_gru import BiGRU
from deepfeatiot_tf.layers.blend import Blend
from deepfeatiot_tf.layers.character_ngrams import CharacterNGrams
from deepfeatiot_tf.layers.cross_residual import CrossResidual
from deepfeatiot_tf.layers.dense_feature_transform import DenseFeatureTransform
from deepfeatiot_tf.layers.feature_standardization import FeatureStandardization
from deepfeatiot_tf.layers.input_channels import InputChannels
from deepfeatiot_tf.layers.joint_kernel_features import JointKernelFeatures
from deepfeatiot_tf.layers.language_features import LanguageFeatures
from deepfeatiot_tf.layers.laplacian_features import LaplacianFeatures
from deepfeatiot_tf.layers.modality_choice import ModalityChoice
from deepfeatiot_tf.layers.modality_dropout import ModalityDropout
from deepfeatiot_tf.layers.multi_scale_conv import MultiScaleConv
from deepfeatiot_tf.layers.presence import Presence
from deepfeatiot_tf.layers.random_kernels import RandomKernels
from deepfeatiot_tf.layers.sample_size_scale import SampleSizeScale
from deepfeatiot_tf.layers.sibling_features import SiblingFeatures
from deepfeatiot_tf.layers.summary_statistics import SummaryStatistics
from deepfeatiot_tf.layers.text_features import TextFeatures

__all__ = [
    "BiGRU",
    "Blend",
    "CharacterNGrams",
    "CrossResidual",
    "DenseFeatureTransform",
    "FeatureStandardization",
    "InputChannels",
    "JointKernelFeatures",
    "LanguageFeatures",
    "LaplacianFeatures",
    "ModalityChoice",
    "ModalityDropout",
    "MultiScaleConv",
    "Presence",
    "RandomKernels",
    "SampleSizeScale",
    "SiblingFeatures",
    "SummaryStatistics",
    "TextFeatures",
]
