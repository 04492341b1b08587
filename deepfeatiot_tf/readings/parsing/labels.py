"""Labels that have to be there and to be known."""

from __future__ import annotations

import difflib

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.table_file import TableFile


def check_labels(labels: np.ndarray, rows: np.ndarray, file: TableFile, options: TableOptions) -> None:
    """An `InputError` for a label that is missing, broken into lines or not among the class names asked for.

    Args:
        labels: str or None `[n]`.
        rows: int `[n]`, where each stands in the file.
        file: the table.
        options: what the user said about it.
    """
    missing = np.array([label is None for label in labels], dtype=bool)
    if missing.any():
        where = file.where(rows[np.argmax(missing)])
        raise InputError(f"{where}, column {options.label!r}: no label; fill it in or drop the row")
    for label in set(labels):
        if label.splitlines() != [label]:
            where = file.where(rows[np.argmax(labels == label)])
            raise InputError(f"{where}, column {options.label!r}: label {label!r} is not one line of text; rename it")
    if options.class_names is not None:
        unknown = ~np.isin(labels.astype(str), np.array(options.class_names, dtype=str))
        if unknown.any():
            first = int(np.argmax(unknown))
            check_class(labels[first], f"{file.where(rows[first])}, column {options.label!r}", options)


def check_class(label: str, where: str, options: TableOptions) -> None:
    """An `InputError` for a label that is not among the class names asked for."""
    if options.class_names is None or label in options.class_names:
        return
    close = difflib.get_close_matches(label, options.class_names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the classes are {', '.join(options.class_names)}"
    raise InputError(f"{where}: unknown label {label!r}; {hint}")
