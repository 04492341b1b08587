"""What a user might take instead of DeepFeatIoT; nothing here is imported before it is asked for."""

from deepfeatiot_tf.peers.table import PEERS

__all__ = ["PEERS"]
