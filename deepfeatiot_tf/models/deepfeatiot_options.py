"""The options of DeepFeatIoT: what is left out is filled in, what does not go together refused."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.layers import LanguageFeatures, RandomKernels
from deepfeatiot_tf.models.branches import LEARNED, NGRAMS, check_choice, text_layer
from deepfeatiot_tf.training.augmentation import AUGMENTATIONS
from deepfeatiot_tf.training.other_sites import check_units

FROZEN = ("randomized", "statistics")  # the language model is an option of its own
# What a variant implies for the rest, where the user does not say: raw input goes with the published
# layout; the robust variant with standardized features, statistics and a shorter sequence for the GRUs.
IMPLIED: dict[str, dict[str, Any]] = {
    "robust": {
        "branches": ("local", "global", "randomized", "statistics"),
        "global_stride": 4,
        "dilation": (1, 16),
        "sampling": "centred",
        "modality_dropout": 0.3,
        "text": "plain",
    },
    "paper": {
        "branches": ("local", "global", "randomized"),
        "global_stride": 1,
        "dilation": 4,
        "sampling": "published",
        "modality_dropout": 0.0,
        "text": "published",
    },
}
# Branches that a head does without, unless told otherwise. Beside a closed-form head, a network of frozen branches did
# as well as one with convolutions, too, on two validation parts of Iowa.
LEFT_OUT = {"closed_form": LEARNED, "mlp": (), "blend": LEARNED}


@dataclass(kw_only=True)
class DeepFeatIoTOptions:
    """The arguments of `DeepFeatIoT`, which says what each is; None of type Any is filled in by variant and head.

    Raises:
        ValueError: an option is unknown or out of range, or two do not go together.
    """

    variant: str
    branches: Any
    language: str | Path | keras.layers.Layer | None
    text_encoder: str | Path | keras.layers.Layer | None
    ngrams: bool
    fusion: str
    dft_width: int
    head: Any
    kernels: int
    kernel_length: int
    dilation: Any
    sampling: Any
    global_stride: Any
    feature_dropout: float | None
    modality_dropout: Any
    windows: Sequence[int] | None
    augmented_copies: int
    units: Mapping[str, str] | None
    wrong_metadata: float
    seed: int

    def __post_init__(self) -> None:
        check_choice("variant", self.variant, IMPLIED)
        check_choice("fusion", self.fusion, ("dft", "concat"))
        self.seed = operator.index(self.seed)  # NumPy's, too
        self.head = implied_head(self.variant, self.branches) if self.head is None else self.head
        check_choice("head", self.head, ("closed_form", "mlp", "blend"))
        implied = IMPLIED[self.variant]
        if self.branches is None:
            self.branches = [branch for branch in implied["branches"] if branch not in LEFT_OUT[self.head]]
        self.branches = tuple(self.branches)
        for name in ("dilation", "sampling", "global_stride", "modality_dropout"):
            if getattr(self, name) is None:
                setattr(self, name, implied[name])
        self._check_head()
        self._check_lessons()
        self._check_metadata()
        if not (self.language is None or isinstance(self.language, str | Path | keras.layers.Layer)):
            raise ValueError(f"language is {self.language!r}; give a name, a folder, a frozen Keras layer, or None")
        self.dilation = self.random_kernels().dilation
        self.units = None if self.units is None else dict(self.units)

    def _check_head(self) -> None:
        for branch in self.branches:
            check_choice("branch", branch, (*LEARNED, *FROZEN))
        if not self.branches and self.language is None:
            raise ValueError("no branch at all; give at least one of branches, or a language model")
        if self.head == "closed_form" and self.learned:
            raise ValueError('head="closed_form" reads frozen features alone; leave out the branches local and global')
        if self.head != "mlp" and self.variant == "paper":
            raise ValueError(f'head="{self.head}" reads standardized features; give variant="robust", or head="mlp"')
        if self.head == "blend" and not self.frozen:
            raise ValueError('head="blend" needs a frozen branch: randomized, statistics, or a language model')

    def _check_lessons(self) -> None:
        """Of further series that the closed-form head learns from."""
        if isinstance(self.windows, Integral):
            raise ValueError(f"windows is {self.windows}; give a sequence of numbers, ({self.windows},)")
        self.windows = None if self.windows is None else tuple(map(int, self.windows))
        if any(parts < 2 for parts in self.windows or ()):
            raise ValueError(f"windows is {self.windows}; give numbers of windows, each at least 2")
        if self.augmented_copies not in range(len(AUGMENTATIONS) + 1):
            raise ValueError(f"augmented_copies is {self.augmented_copies}; give 0 to {len(AUGMENTATIONS)}")
        if self.head == "mlp":
            for name, given in (
                ("augmented_copies", self.augmented_copies),
                ("windows", self.windows),
                ("units", self.units is not None),
            ):
                if given:
                    raise ValueError(f"{name} are for a closed-form head; leave them out")
        check_units((self.units or {}).values())

    def _check_metadata(self) -> None:
        if not 0 <= self.wrong_metadata <= 1:
            raise ValueError(f"wrong_metadata is {self.wrong_metadata}; give a share from 0 to 1")
        if self.wrong_metadata and (self.text_encoder is None or self.head == "mlp"):
            raise ValueError("wrong_metadata is for a closed-form head that reads metadata; give a text_encoder, or 0")
        if self.text_encoder == NGRAMS and (self.head != "closed_form" or not self.ngrams):
            raise ValueError(f'text_encoder="{NGRAMS}" is for a closed-form head that reads them; name an encoder')

    @property
    def learned(self) -> list[str]:
        """The branches that are trained by gradient."""
        return [branch for branch in LEARNED if branch in self.branches]

    @property
    def frozen(self) -> list[str]:
        """The frozen branches that read the readings."""
        chosen = [branch for branch in FROZEN if branch in self.branches]
        return chosen if self.language is None else [*chosen, "language"]

    @property
    def reads_ngrams(self) -> bool:
        """Whether closed-form heads read character n-grams."""
        return self.text_encoder is not None and self.ngrams and self.head != "mlp"

    def random_kernels(self) -> RandomKernels:
        """The layer of the randomized branch."""
        return RandomKernels(
            self.kernels, self.kernel_length, self.dilation, self.sampling, seed=self.seed, name="random_kernels"
        )

    def class_units(self, class_names: Sequence[str]) -> tuple[str, ...] | None:
        """The units of `units` in the order of the classes, `""` where there is none; None without `units`.

        Raises:
            ValueError: there is no such class.
        """
        if self.units is None:
            return None
        for name in self.units:
            check_choice("class in units", name, class_names)
        return tuple(self.units.get(name, "") for name in class_names)

    def loaded(self) -> DeepFeatIoTOptions:
        """The same with the layers of pretrained models in place of their names.

        Raises:
            InputError: the weights cannot be had.
            ValueError: `text_encoder` is no encoder.
        """
        language, text_encoder = self.language, self.text_encoder
        if isinstance(language, str | Path):
            text = IMPLIED[self.variant]["text"]
            language = LanguageFeatures.from_pretrained(language, text=text, name="language_features")
        if text_encoder not in (None, NGRAMS):
            text_encoder = text_layer(text_encoder)
        return replace(self, language=language, text_encoder=text_encoder)


def implied_head(variant: str, branches: Sequence[str] | None) -> str:
    """The head of a model whose head the user does not choose."""
    return "mlp" if variant == "paper" or any(branch in LEARNED for branch in branches or ()) else "closed_form"
