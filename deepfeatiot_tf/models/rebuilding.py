"""What a saved model knows of itself beside the arguments of its class: its precision, and which layers are frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import keras

if TYPE_CHECKING:
    from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel

Model = TypeVar("Model", bound="FrozenFeatureModel")


def own_state(model: FrozenFeatureModel) -> dict[str, Any]:
    """The part of a model's configuration that `rebuild` looks after.

    Returns:
        `name`; `trainable`, of the whole; `dtype`, the dtype policy that the layers were built under; `frozen_layers`,
        the names of the layers of the network that are not trainable.
    """
    return {
        "name": model.name,
        "trainable": model.trainable,
        "dtype": keras.dtype_policies.serialize(model.dtype_policy),
        "frozen_layers": [layer.name for layer in model.network.layers if not layer.trainable],
    }


def rebuild(cls: type[Model], config: Mapping[str, Any]) -> Model:
    """A model from its configuration.

    Args:
        cls: of the model.
        config: its arguments, and what `own_state` adds to them. A model that was saved before there was that is built
            under the policy of the session, every layer trainable that is when it is new.
    """
    arguments = dict(config)
    frozen = arguments.pop("frozen_layers", None)
    with _policy(arguments.pop("dtype", None)):
        model = cls(**arguments)
    for layer in model.network.layers if frozen is not None else ():
        trainable = layer.name not in frozen
        if layer.trainable != trainable:  # set anew, it would reach the layers inside, too
            layer.trainable = trainable
    return model


def in_float32(model: FrozenFeatureModel) -> FrozenFeatureModel:
    """The model itself if it computes in float32, else one with its weights that does."""
    whole = keras.DTypePolicy("float32")
    if model.dtype_policy == whole:
        return model
    same = type(model).from_config({**model.get_config(), "dtype": keras.dtype_policies.serialize(whole)})
    same.set_weights(model.get_weights())
    return same


@contextmanager
def _policy(saved: Any) -> Iterator[None]:
    """Inside, layers are built under a dtype policy; None for that of the session."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(before if saved is None else keras.dtype_policies.deserialize(saved))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
