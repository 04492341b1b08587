"""What decides the result of a run, beside the readings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from deepfeatiot_tf.errors import InputError

# What the best epoch may be best by.
MONITORED = tuple(f"{part}{name}" for part in ("val_", "") for name in ("loss", "accuracy", "macro_f1"))
LARGEST_SEED = 2_000_000_000  # what layers add to it still fits in 32 bits
LARGEST_BATCH = 2**31 - 1
# Which settings are arguments of each model, beside the class names.
MODEL_OPTIONS: dict[str, tuple[str, ...]] = {
    "deepfeatiot": (
        "variant",
        "branches",
        "language",
        "text_encoder",
        "ngrams",
        "fusion",
        "dft_width",
        "head",
        "kernels",
        "kernel_length",
        "dilation",
        "sampling",
        "global_stride",
        "feature_dropout",
        "modality_dropout",
        "windows",
        "augmented_copies",
        "units",
        "wrong_metadata",
        "seed",
    ),
    "deepheteroiot": ("variant", "global_stride", "seed"),
    "deepmetaiot": ("variant", "text_encoder", "rounds", "modality_dropout", "global_stride", "seed"),
}


@dataclass(frozen=True)
class RunSettings:
    """The settings of one training run.

    Args:
        model: `"deepfeatiot"`, `"deepheteroiot"` or `"deepmetaiot"`. Default `"deepfeatiot"`.
        variant: this and the next nineteen as for `DeepFeatIoT`, `DeepHeteroIoT` or `DeepMetaIoT`, whose defaults are
            theirs.
        branches: see `DeepFeatIoT`.
        language: see `DeepFeatIoT`; the name, folder or file of a pretrained model, or None.
        text_encoder: see `DeepFeatIoT`; the name or folder of a pretrained sentence encoder, `"ngrams"`, or None for a
            model that reads no metadata. Default None, `"minilm"` for DeepMetaIoT.
        ngrams: see `DeepFeatIoT`.
        fusion: see `DeepFeatIoT`.
        dft_width: see `DeepFeatIoT`.
        head: see `DeepFeatIoT`. The default, `"closed_form"`, is frozen features alone, solved in seconds, which on
            fleets of some hundred sensors are more accurate than a network alone
            (benchmarks/results/comparison_paper.csv); epochs, patience and monitor say nothing then.
        kernels: see `DeepFeatIoT`.
        kernel_length: see `DeepFeatIoT`.
        dilation: see `DeepFeatIoT`.
        sampling: see `DeepFeatIoT`.
        global_stride: see `DeepFeatIoT`.
        feature_dropout: see `DeepFeatIoT`.
        modality_dropout: see `DeepMetaIoT`.
        windows: see `DeepFeatIoT`.
        augmented_copies: see `DeepFeatIoT`.
        units: see `DeepFeatIoT`.
        wrong_metadata: see `DeepFeatIoT`.
        rounds: see `DeepMetaIoT`.
        collective: whether sensors of one table are named together; see `CollectiveClassifier`. Of a closed-form head
            without a validation part. Default False.
        recipe: how the network is compiled, by name; see `training.recipe`. Default: the model's own.
        epochs: at most. Default 200 (published), 40 where the learning rate falls over them (recipe `"robust"`).
        batch_size: series per step. Default 32 (published).
        patience: epochs without a better one after which training stops. Default 20.
        monitor: what the best epoch is best by, on the validation part. Default `"val_loss"`. Where the learning rate
            falls over the epochs, the last is kept, and patience and monitor say nothing.
        balance: whether rare classes count as much as frequent ones. Default False.
        test: share of the series to test on, or `"paper"`; see `split`. Default 0.3.
        validation: share of the other series to select on; see `split`. Default 0.15, and 0 for a closed-form head,
            which selects nothing.
        deliver: which model a run leaves behind: `"all"`, one that learned from all labelled series once the test was
            over, or `"tested"`, the very one that was tested. Default `"all"` for a closed-form head; `"tested"` for a
            network, which takes as long again, and has to be one that keeps its last epoch (recipe `"robust"`).
        seed: of split, order, weights, kernels and dropout. Default 0.

    Raises:
        InputError: a number is out of range, an unknown model, or a setting that the model does not have. Its own
            options are checked when it is built.
    """

    model: str = "deepfeatiot"
    variant: str = "robust"
    branches: tuple[str, ...] | None = None
    language: str | None = None
    text_encoder: str | None = None
    ngrams: bool = True
    fusion: str = "dft"
    dft_width: int = 64
    head: str | None = None
    kernels: int = 10_000
    kernel_length: int = 9
    dilation: int | tuple[int, int] | None = None
    sampling: str | None = None
    global_stride: int | None = None
    feature_dropout: float | None = None
    modality_dropout: float | None = None
    windows: tuple[int, ...] | None = None
    augmented_copies: int = 0
    units: dict[str, str] | None = None
    wrong_metadata: float = 0.0
    rounds: int = 1
    collective: bool = False
    recipe: str | None = None
    epochs: int | None = None
    batch_size: int = 32
    patience: int = 20
    monitor: str = "val_loss"
    balance: bool = False
    test: float | Literal["paper"] = 0.3
    validation: float | None = None
    deliver: Literal["all", "tested"] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_model()
        if len(set(self.branches or ())) < len(self.branches or ()):
            raise InputError(f"branches has one twice: {', '.join(self.branches or ())}; give each once")
        if self.monitor not in MONITORED:
            raise InputError(f"monitor is {self.monitor!r}; give one of {', '.join(MONITORED)}")
        if self.model == "deepmetaiot" and self.text_encoder is None:
            object.__setattr__(self, "text_encoder", "minilm")
        if self.model == "deepfeatiot" and self.head is None:
            # It imports TensorFlow, which takes seconds.
            from deepfeatiot_tf.models.deepfeatiot_options import implied_head

            object.__setattr__(self, "head", implied_head(self.variant, self.branches))
        if self.epochs is None:
            object.__setattr__(self, "epochs", self._usual_epochs)
        if self.validation is None:
            object.__setattr__(self, "validation", 0.0 if self.solved else 0.15)
        if self.deliver is None:
            object.__setattr__(self, "deliver", "all" if self.solved else "tested")
        if self.deliver not in ("all", "tested"):
            raise InputError(f"deliver is {self.deliver!r}; give all or tested")
        if self.deliver == "all" and not (self.solved or self._annealed):
            raise InputError(
                "deliver is 'all', but this network keeps the epoch that is best on the validation part, from which it "
                "cannot learn, too; give tested, or --recipe robust"
            )
        for name in ("dft_width", "kernels", "kernel_length", "rounds", "epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give at least 1")
        if self.batch_size > LARGEST_BATCH:
            raise InputError(f"batch_size is {self.batch_size}; give at most {LARGEST_BATCH:,}")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"seed is {self.seed}; give 0 to {LARGEST_SEED:,}")
        if self.collective and (not self.solved or self.validation):
            raise InputError(
                "collective goes with the closed-form head, which knows what it says of series left out, and without a "
                "validation part; leave out head, variant and validation, or collective"
            )
        if not self.solved and not self.validation:
            raise InputError(f"validation is {self.validation}; a network needs a share to be chosen or calibrated on")

    def _check_model(self) -> None:
        if self.model not in MODEL_OPTIONS:
            raise InputError(f"model is {self.model!r}; give one of {', '.join(MODEL_OPTIONS)}")
        foreign = {name for names in MODEL_OPTIONS.values() for name in names} - set(MODEL_OPTIONS[self.model])
        for field in fields(self):
            if field.name in foreign and getattr(self, field.name) != field.default:
                raise InputError(f"{field.name} is no setting of {self.model}; leave it out, or name another model")

    @property
    def _annealed(self) -> bool:
        return self.recipe == "robust" or (self.recipe is None and self.variant == "robust")

    @property
    def _usual_epochs(self) -> int:
        from deepfeatiot_tf.evaluation.system_entry import ROBUST_EPOCHS  # imports pandas

        return ROBUST_EPOCHS if self._annealed else 200

    @property
    def solved(self) -> bool:
        """Whether the head is solved in closed form, so that nothing is trained by gradient."""
        return self.model == "deepfeatiot" and self.head == "closed_form"

    @property
    def idle(self) -> list[str]:
        """The settings that were given, and have no part in what this model becomes."""
        idle: set[str] = set()
        if self.solved:
            idle |= {"fusion", "dft_width", "feature_dropout", "modality_dropout", "global_stride", "recipe", "epochs"}
        if self.solved or self._annealed:
            idle |= {"patience", "monitor"}
        if self.branches is not None and "randomized" not in self.branches:
            idle |= {"kernels", "kernel_length", "dilation", "sampling"}
        if self.branches is not None and "global" not in self.branches:
            idle.add("global_stride")
        if self.text_encoder is None:
            idle.add("modality_dropout")
        if self.text_encoder is None or self.head == "mlp":
            idle.add("ngrams")
        usual = {field.name: field.default for field in fields(self)} | {"epochs": self._usual_epochs}
        return [name for name, value in usual.items() if name in idle and getattr(self, name) != value]

    @property
    def model_options(self) -> dict[str, Any]:
        """The arguments of the model beside the class names."""
        return {name: getattr(self, name) for name in MODEL_OPTIONS[self.model]}

    def to_json(self) -> dict[str, Any]:
        """As it comes back from a JSON file: tuples are lists."""
        return json.loads(json.dumps(asdict(self)))

    def differences(self, recorded: dict[str, Any]) -> list[str]:
        """What a recorded run has otherwise, as `name=there, not here`."""
        mine = self.to_json()
        # A setting that did not exist yet when the run was begun had what is its default now; but for one.
        theirs = {**{field.name: field.default for field in fields(self)}, "deliver": "tested", **recorded}
        return [
            f"{name}={_shown(theirs[name])}, not {_shown(value)}"
            for name, value in mine.items()
            if theirs[name] != value
        ]


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
