"""The functional graph of DeepFeatIoT: frozen branches, and the network that fuses them with the learned ones."""

from __future__ import annotations

from typing import Any

import keras

from deepfeatiot_tf.layers import (
    Blend,
    CharacterNGrams,
    CrossResidual,
    DenseFeatureTransform,
    InputChannels,
    ModalityDropout,
    Presence,
    SummaryStatistics,
)
from deepfeatiot_tf.models.branch_features import feature_input
from deepfeatiot_tf.models.branches import NGRAMS, feature_inputs, frozen_branch, learned_branches, standardized
from deepfeatiot_tf.models.deepfeatiot_options import DeepFeatIoTOptions
from deepfeatiot_tf.models.heads import (
    closed_form_heads,
    concatenated,
    perceptron_head,
    probabilities_layer,
    statistics_kernel,
)
from deepfeatiot_tf.models.training_data import METADATA, READINGS

# Of the frozen branches' transforms: the share of the features dropped in training, and the widths before the common
# one. As published, that of the random features has 20 million weights: on two cores a step of it alone took 0.61 s of
# CPU time, against 0.08 s at a quarter of the width. The robust ones were chosen on validation parts of Swiss and Iowa:
# many random features say the same, of the few statistics each says its own.
FROZEN_DFT: dict[str, dict[str, tuple[float, tuple[int, ...]]]] = {
    "robust": {"randomized": (0.8, (256,)), "statistics": (0.1, (256,)), "language": (0.3, (256,))},
    "paper": {"randomized": (0.0, (1024,)), "statistics": (0.0, ()), "language": (0.0, ())},
}
# Of the kernel of the statistics in the robust network; a row of it is of size 1, shared by up to 1,000 features.
KERNEL_SCALE = 10.0
HEAD_DROPOUT = {"robust": 0.3, "paper": 0.5}


def frozen_models(options: DeepFeatIoTOptions) -> dict[str, keras.Model]:
    """The models of the frozen branches, by name: of readings, of metadata, of its n-grams.

    Args:
        options: with the layers of pretrained models in them, `options.loaded()`.
    """
    kernels = options.random_kernels()
    layers: dict[str, Any] = {
        "randomized": lambda readings: kernels(*_kernel_input(options.variant, readings)),
        "statistics": SummaryStatistics(name="summary_statistics"),
        "language": options.language,
    }
    models = {branch: frozen_branch(branch, layers[branch]) for branch in options.frozen}
    if isinstance(options.text_encoder, keras.layers.Layer):
        models[METADATA] = frozen_branch(METADATA, options.text_encoder, METADATA)
    if options.reads_ngrams:
        models[NGRAMS] = frozen_branch(NGRAMS, CharacterNGrams(name="character_ngrams"), METADATA)
    return models


def fused_network(frozen: dict[str, keras.Model], options: DeepFeatIoTOptions, classes: int) -> keras.Model:
    """The network from readings and frozen features to probabilities `[batch, classes]`.

    Args:
        frozen: of `frozen_models`.
        options: of these.
        classes: their number.
    """
    readings = keras.Input((None,), name=READINGS, dtype="float32")
    features = feature_inputs(frozen)
    parts = learned_branches(
        readings,
        options.learned,
        channels=options.variant,
        global_stride=options.global_stride,
        seed=options.seed,
    )
    robust = options.variant == "robust"
    for branch, feature in features.items():
        if branch != NGRAMS:
            parts[branch] = standardized(branch, feature) if robust else feature
    texts = {METADATA: parts.pop(METADATA, None), NGRAMS: features.get(NGRAMS)}
    texts = {branch: part for branch, part in texts.items() if part is not None}
    embedding = features.get(METADATA, features.get(NGRAMS))
    presence = None if embedding is None else Presence(name="presence")(readings, embedding)
    kernel = None
    if robust and "statistics" in options.frozen:
        kernel = statistics_kernel(parts["statistics"], options.seed)
    answers = []
    if options.head != "mlp":
        solved = {branch: parts[branch] for branch in options.frozen}
        logits = closed_form_heads(solved, kernel, texts, embedding, presence, classes, options.seed)
        answers.append(probabilities_layer("solved")(logits))
    if options.head != "closed_form":
        if kernel is not None:
            scaled = keras.layers.Rescaling(KERNEL_SCALE, dtype="float32", name="statistics_scaled")
            parts["statistics"] = scaled(kernel)
        fused = concatenated(_transformed(parts, options) if options.fusion == "dft" else parts)
        if METADATA in texts:
            fused = _joined(fused, texts[METADATA], presence, options)
        logits = perceptron_head(fused, classes, options.seed, HEAD_DROPOUT[options.variant])
        answers.append(probabilities_layer("learned")(logits))
    probabilities = Blend(name="blend")(*answers) if options.head == "blend" else answers[0]
    inputs = {READINGS: readings, **{feature_input(branch): feature for branch, feature in features.items()}}
    if not options.learned and embedding is None:
        del inputs[READINGS]
    return keras.Model(inputs, probabilities, name="network")


def _kernel_input(variant: str, readings: Any) -> tuple:
    if variant == "paper":
        return (InputChannels(variant)(readings)[0],)
    signal, length = InputChannels(variant)(readings)
    return signal[..., 1:3], length  # shape and change; the level is for the statistics


def _transformed(parts: dict[str, Any], options: DeepFeatIoTOptions) -> dict[str, Any]:
    """Every part in `dft_width` features."""
    frozen = FROZEN_DFT[options.variant]
    # Raw features, as raw readings, overflow float16.
    precision = {"dtype": "float32"} if options.variant == "paper" else {}
    transformed = {}
    for i, (branch, part) in enumerate(parts.items()):
        dropout, widths = frozen.get(branch, (0.0, ()))
        if options.feature_dropout is not None and branch in frozen:
            dropout = options.feature_dropout
        layer = DenseFeatureTransform(
            (*widths, options.dft_width),
            dropout,
            seed=options.seed + 200 + 10 * i,
            name=f"{branch}_dft",
            **precision,
        )
        transformed[branch] = layer(part)
    return transformed


def _joined(fused: Any, metadata: Any, presence: Any, options: DeepFeatIoTOptions) -> Any:
    """What was fused of the readings, and the metadata beside it."""
    dropout = ModalityDropout(options.modality_dropout, seed=options.seed + 500, name="modality_dropout")
    pair = CrossResidual(seed=options.seed + 600, name="cross_residual")(*dropout(fused, metadata, presence))
    return keras.layers.Concatenate(name="joined")(pair)
