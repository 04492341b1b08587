"""The options that decide how a table is read and how a network is trained, once for all commands."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from deepfeatiot_tf.command_line.lists import names

TABLE_PANEL = "How the table is read"
MODEL_PANEL = "Model"
TRAINING_PANEL = "Training"

FolderOption = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the files of the public data sets lie.", show_default=False),
]


def takes(group: str, options: dict[str, Any], defaults: object = None) -> Callable[[Callable], Callable]:
    """Gives a command further options, which it receives as one dict.

    Args:
        group: the parameter of the command that takes the dict.
        options: annotation by name, as typer wants it.
        defaults: an object with the defaults as attributes. Default: all are None.
    """

    def decorate(command: Callable) -> Callable:
        own = [p for p in inspect.signature(command).parameters.values() if p.name != group]
        further = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(defaults, name, None))
            for name in options
        ]
        hints = {**get_type_hints(command, include_extras=True), **options}

        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:
            chosen = {name: given.pop(name) for name in options}
            return command(**given, **{group: chosen})

        parameters = [p.replace(annotation=hints[p.name]) for p in [*own, *further]]
        wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = hints
        return wrapped

    return decorate


def given(table: dict[str, Any]) -> dict[str, Any]:
    """Those of `TABLE_OPTIONS` that were given, as `read_table` takes them."""
    options = {name: value for name, value in table.items() if value not in (None, [])}
    if len(options.get("readings", ())) == 1:
        options["readings"] = options["readings"][0]
    if re.fullmatch(r"0|[1-9]\d*", str(options.get("sheet", ""))):  # "01" is a name
        options["sheet"] = int(options["sheet"])
    return options


def _table(kind: Any, metavar: str, text: str) -> Any:
    return Annotated[kind, typer.Option(metavar=metavar, help=text, rich_help_panel=TABLE_PANEL, show_default=False)]


def _setting(panel: str, kind: Any, text: str, *names: str, **more: Any) -> Any:
    return Annotated[kind, typer.Option(*names, help=text, rich_help_panel=panel, **more)]


_model = functools.partial(_setting, MODEL_PANEL)
_training = functools.partial(_setting, TRAINING_PANEL)


def _range(text: str) -> int | tuple[int, int]:
    first, colon, last = text.partition(":")
    return (int(first), int(last)) if colon else int(first)


def _counts(text: str) -> tuple[int, ...]:
    return () if text == "none" else tuple(int(each) for each in text.split(","))


def _units(text: str) -> dict[str, str]:
    """`TYPE=UNIT` with commas between; a type may have commas in its name."""
    given = {}
    before: list[str] = []
    for part in [] if text == "none" else text.split(","):
        before.append(part)
        if "=" in part:
            name, unit = ",".join(before).rsplit("=", 1)
            if name.strip() in given:
                raise typer.BadParameter(f"{name.strip()!r} has two units; give each type once")
            given[name.strip()] = unit.strip()
            before = []
    if before:
        raise typer.BadParameter(f"{','.join(before)!r} has no unit; give TYPE=UNIT, or `none`")
    return given


def _share(text: str | float) -> float | str:
    return text if text == "paper" else float(text)


TABLE_OPTIONS: dict[str, Any] = {
    "label": _table(str | None, "COLUMN", "Sensor types; `folder` where the sub-folders of TABLE are the types."),
    "id": _table(str | None, "COLUMN", "Names of the sensors. Without it, a wide table's rows are counted from 0."),
    "metadata": _table(list[str] | None, "COLUMN", "Text about the sensor. May be repeated."),
    "readings": _table(
        list[str] | None,
        "COLUMNS",
        "Readings of a wide table: a prefix (`t_`), `first:last`, or repeated names. Without it, the numbered columns.",
    ),
    "layout": _table(str | None, "LAYOUT", "`wide`, `long`, `folder` or `auto`."),
    "time": _table(str | None, "COLUMN", "Times of a long table, or of the files in a folder."),
    "value": _table(str | None, "COLUMN", "Readings of a long table, or of the files in a folder."),
    "period": _table(str | None, "TIME", "Resample to this period, such as `10min`."),
    "time_format": _table(str | None, "FORMAT", "Of times that are not ISO 8601: `%d/%m/%Y %H:%M`."),
    "missing": _table(list[str] | None, "MARK", "A mark of a missing reading, such as `-999`. May be repeated."),
    "empty": _table(str | None, "WORD", "A series without any reading: `error` or `keep`."),
    "repair_text": Annotated[
        bool | None,
        typer.Option(
            "--repair-text/--raw-text",
            help="Whether to undo damaged encodings in the metadata. They are undone unless told otherwise.",
            rich_help_panel=TABLE_PANEL,
            show_default=False,
        ),
    ],
    "decimal": _table(str | None, "SIGN", "Decimal sign of numbers in text: `.` or `,`."),
    "delimiter": _table(str | None, "SIGN", "Between the cells of a text table. Without it, found."),
    "encoding": _table(str | None, "NAME", "Of a text table, such as `latin-1`. Without it, UTF-8."),
    "sheet": _table(str | None, "NAME", "Of a workbook, by name or by position from 0."),
}

SETTINGS: dict[str, Any] = {
    "model": _model(str, "`deepfeatiot`, `deepheteroiot` or `deepmetaiot`, which reads metadata."),
    "variant": _model(str, "`robust` or `paper` (the published network on raw readings)."),
    "branches": _model(
        Any,
        "Any of `local`, `global` (learned), `randomized`, `statistics` (frozen), with commas between. "
        "Without it, all that the head can read; in the paper variant all but statistics.",
        parser=names,
        metavar="NAMES",
    ),
    "language": _model(
        str | None,
        "Read the readings as text, too, by a pretrained model: `gpt2`, `smollm2`, a folder or a `.gguf` file.",
        metavar="NAME",
    ),
    "text_encoder": _model(
        str | None,
        "Read the metadata, too (name its column with --metadata): by a pretrained sentence encoder, "
        "`use-multilingual` (sixteen languages), `minilm` (English), a preset of BERT, or a folder; or, under the "
        "closed-form head, by its character n-grams alone, `ngrams`, which needs no pretrained weights.",
        metavar="NAME",
    ),
    "ngrams": _model(
        bool,
        "Whether a closed-form head reads the character n-grams of the metadata beside what an encoder makes of it.",
        "--ngrams/--no-ngrams",
    ),
    "fusion": _model(str, "`dft` or `concat`."),
    "dft_width": _model(int, "Features of each branch behind its dense feature transform."),
    "head": _model(
        str | None,
        "`closed_form`, solved in seconds from frozen branches alone; `mlp`, the network, trained by gradient; or "
        "`blend`, both, weighed on the validation part. Robust networks are trained twice, at last on that part, too. "
        "Without it, `closed_form`; `mlp` in the paper variant or with learned branches.",
        metavar="NAME",
    ),
    "kernels": _model(int, "Number of random kernels."),
    "kernel_length": _model(int, "Weights per random kernel."),
    "dilation": _model(Any, "Of the random kernels, a number or a range such as `1:32`.", parser=_range, metavar="N"),
    "sampling": _model(str | None, "Of the random kernels: `centred` (ours) or `published`.", metavar="NAME"),
    "global_stride": _model(int | None, "Readings averaged into one step of the recurrent branch."),
    "feature_dropout": _model(float | None, "Share of the frozen features dropped in training."),
    "modality_dropout": _model(float | None, "Share of the rows that lose readings or metadata in training."),
    "windows": _model(
        Any,
        "The closed-form head also learns from windows of each series: `2` for halves, `2,4` for quarters, too, or "
        "`none`. Without it, halves of up to 500 series.",
        parser=_counts,
        metavar="COUNTS",
    ),
    "augmented_copies": _model(
        int,
        "For a fleet whose new sensors may be noisier, or report less often: 0 to 4 altered copies of each series, "
        "from which the closed-form head also learns. 1 adds noise of up to one step of the sensor's resolution, 2 "
        "half the rate, too, 3 and 4 noise of up to two and three steps. Minutes and gigabytes from some thousand "
        "series on.",
        metavar="COUNT",
    ),
    "units": _model(
        Any,
        "For a fleet some of whose sensors will be another site's: the unit of a type, by its label, such as "
        "`temperature=degC,pressure=hPa` (degC, degF; hPa, kPa, inHg; m/s, km/h, mph, knot; mm, inch; km, mile). The "
        "closed-form head also learns from copies in the other units, and to fewer decimals; `none` for these alone.",
        parser=_units,
        metavar="TYPE=UNIT,…",
    ),
    "wrong_metadata": _model(
        float,
        "For a fleet some of whose metadata is another sensor's: what rows with wrong metadata count for when the "
        "closed-form head learns; 0.03, say.",
        metavar="SHARE",
    ),
    "rounds": _model(int, "Of the cross-residual block of `deepmetaiot`."),
    "collective": _model(
        bool,
        "Name the sensors of a table together, measured at the same times: those of one device or place tell each "
        "other apart. For the closed-form head.",
        "--collective",
        show_default=False,
    ),
    "recipe": _training(
        str | None,
        "Optimizer and loss by name: `deepfeatiot`, `deepmetaiot`, `deepmetaiot-ts-m` (published) or `robust`. Without "
        "it, the model's own.",
        metavar="NAME",
    ),
    "epochs": _training(int | None, "At most. Without it, 40; 200 in the paper variant."),
    "batch_size": _training(int, "Series per step."),
    "patience": _training(int, "Epochs without a better one after which training stops."),
    "monitor": _training(
        str, "What the best epoch is best by, on the validation part. Robust variants keep the last epoch."
    ),
    "balance": _training(bool, "Let rare types count as much as frequent ones.", "--balance", show_default=False),
    "test": _training(
        Any, "Share to test on, or `paper` for the published 70/30 split.", parser=_share, metavar="SHARE"
    ),
    "validation": _training(
        float | None,
        "Share of the rest to select the best epoch on, or to calibrate on. Without it, 0.15 for the network.",
    ),
    "deliver": _training(
        str | None,
        "The model to keep: `all`, which learns from all labelled series once the test is over, or `tested`, the very "
        "one that was tested. Without it, `all` for the closed-form head, `tested` for a network.",
        metavar="NAME",
    ),
    "seed": _training(int, "Of split, order, weights, kernels and dropout."),
}
