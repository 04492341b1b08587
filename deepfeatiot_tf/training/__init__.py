"""Compile defaults, the store of frozen features, the closed-form head and resumable training."""

from deepfeatiot_tf.training.run_checkpoint import RunCheckpoint

__all__ = ["RunCheckpoint"]
