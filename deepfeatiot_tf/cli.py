"""The `deepfeatiot` command: thin, the work is done in `deepfeatiot_tf.runs`."""

from __future__ import annotations

import logging
import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.logging import RichHandler

from deepfeatiot_tf.command_line.comparisons import COMPARISONS, show_comparison
from deepfeatiot_tf.command_line.failures import Commands
from deepfeatiot_tf.command_line.lists import ListCommand
from deepfeatiot_tf.command_line.options import SETTINGS, TABLE_OPTIONS, FolderOption, given, takes
from deepfeatiot_tf.command_line.output import (
    counting,
    print_datasets,
    print_files,
    print_quickstart,
    print_scores,
    say,
    stderr,
    stdout,
)
from deepfeatiot_tf.command_line.quiet import import_tensorflow
from deepfeatiot_tf.runs.settings import RunSettings

# TensorFlow, pandas and scikit-learn take seconds to import: each command imports what it needs itself.

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run, as `train` wrote it.")]
TableArgument = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="CSV, Parquet or Excel file, a folder of one file per sensor, or the name of a data set "
        "(see `deepfeatiot datasets`).",
    ),
]
PrecisionOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Say `unknown` where the model is not sure enough for this share of the labels to be right, 0.95 say, "
        "on series held out in training.",
        show_default=False,
    ),
]
BesideOption = Annotated[
    Path | None,
    typer.Option(
        metavar="TABLE",
        help="Of a run with `--collective`: labelled sensors measured at the same times, which help. Read as the table "
        "of the training was.",
        show_default=False,
    ),
]
StandardNamesOption = Annotated[
    bool,
    typer.Option(
        "--standard-names",
        help="Add what the types are called elsewhere: Brick class, QUDT quantity kind, SenML unit. For `predict` as "
        "columns, for `export` as the file `assets.extra/standard_names.csv`.",
    ),
]


def main() -> None:
    """The entry point."""
    app(prog_name="deepfeatiot")


def _show_version(asked: bool) -> None:
    if asked:
        stdout().print(f"deepfeatiot_tf {version('deepfeatiot_tf')}")
        raise typer.Exit


@app.callback()
def _every_command(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what is done.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Tell what each sensor of a fleet measures, from its raw readings.

    Begin with `deepfeatiot quickstart`, or with a table of your own:

    `deepfeatiot train fleet.csv --label type -o run/`

    `deepfeatiot predict run/ new.csv -o labelled.csv`
    """
    handler = RichHandler(console=stderr(), show_time=False, show_path=False)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(message)s", force=True)
    logging.getLogger("deepfeatiot_tf").setLevel(logging.INFO if verbose else logging.WARNING)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@app.command()
def quickstart(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where everything goes.")] = Path(
        "quickstart"
    ),
) -> None:
    """The whole path on a made-up fleet, in minutes: train, compare, report, export, label.

    Example: `deepfeatiot quickstart -o quickstart/`
    """
    console = stdout()
    say(console, f"Simulating a fleet and training on it in several ways; everything goes to {output}/")
    import_tensorflow()
    from deepfeatiot_tf import runs

    print_quickstart(console, runs.quickstart(output, console=console))


@app.command()
@takes("settings", SETTINGS, RunSettings)
@takes("table", TABLE_OPTIONS)
def train(
    source: TableArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Folder of the run.")],
    table: dict[str, Any],
    settings: dict[str, Any],
    restart: Annotated[bool, typer.Option("--restart", help="Throw away the run in the folder.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what quick other systems reach on the same split.")
    ] = False,
    folder: FolderOption = None,
) -> None:
    """Train on a labelled table. An interrupted run goes on with the same command.

    `deepfeatiot train fleet.csv --label type -o run/`

    `deepfeatiot train log.parquet --label type --id device --time at --value reading --missing -999 -o run/`

    `deepfeatiot train swiss --head mlp --epochs 50 -o run/` trains the whole network, which takes minutes.

    `deepfeatiot train fleet.csv --label type --metadata name --text-encoder ngrams -o run/` reads names, too.

    `deepfeatiot train fleet.csv --label type --collective -o run/` names sensors measured at the same times together.
    """
    console = stdout()
    import_tensorflow()
    chosen = RunSettings(**settings)
    from deepfeatiot_tf.runs import RunFolder, train_run
    from deepfeatiot_tf.runs.progress import TrainingBar
    from deepfeatiot_tf.runs.sources import check_given, check_outside, columns_found, options_of, read_source

    read_as = given(table)
    check_given(source, read_as)
    check_outside(source, output, read_as)
    with console.status("reading"):
        readings = read_source(source, read_as, folder=folder)
    if RunFolder(output).finished and not restart:
        say(console, f"{output}: this run is finished already")
    with TrainingBar(console, readings.name) as bar:
        report = train_run(
            readings,
            output,
            settings=chosen,
            table=options_of(source, read_as),
            columns=columns_found(source, read_as),
            restart=restart,
            callbacks=[bar],
            verbose=0,
        )
    print_scores(console, report, "the test part, used once")
    if compare:
        show_comparison(console, readings, output, report, chosen)
    learned = f"model, learned from all {len(readings)} since" if chosen.deliver == "all" else "model"
    print_files(console, {"report": output / "report.md", learned: output / "model.keras"})


@app.command()
@takes("table", TABLE_OPTIONS)
def evaluate(
    run: RunArgument,
    source: TableArgument,
    table: dict[str, Any],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder of the report.",
            show_default="RUN/evaluation-TABLE",
        ),
    ] = None,
    beside: BesideOption = None,
    folder: FolderOption = None,
) -> None:
    """Score a run on labelled sensors that it was not trained on.

    The table is read as that of the training was, unless an option says otherwise (`''` forgets one).

    `deepfeatiot evaluate run/ labelled.csv`

    `deepfeatiot evaluate run/ new.csv --beside old.csv` scores a run with `--collective` on sensors named together.
    """
    console = stdout()
    import_tensorflow()
    from deepfeatiot_tf.runs import evaluate_run
    from deepfeatiot_tf.runs.use import report_folder

    with console.status("reading and answering"):
        report = evaluate_run(run, source, output, folder=folder, beside=beside, **given(table))
    print_scores(console, report, "all of the table")
    print_files(console, {"report": (output or report_folder(run, source)) / "report.md"})


@app.command()
@takes("table", TABLE_OPTIONS)
def predict(
    run: RunArgument,
    source: TableArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="For the labels, `.csv` or `.parquet`.")
    ],
    table: dict[str, Any],
    beside: BesideOption = None,
    precision: PrecisionOption = None,
    standard_names: StandardNamesOption = False,
    folder: FolderOption = None,
) -> None:
    """Label a table of any length: id, label, confidence, runner-up and its confidence.

    The table is read as that of the training was, unless an option says otherwise (`''` forgets one).

    `deepfeatiot predict run/ new.parquet -o labelled.csv`

    `deepfeatiot predict run/ new.parquet -o labelled.csv --precision 0.95` says `unknown` rather than be wrong.

    `deepfeatiot predict run/ unlabelled.csv --beside labelled.csv -o answers.csv` names a fleet together, by a run
    that was trained with `--collective`.
    """
    console = stdout()
    import_tensorflow()
    from deepfeatiot_tf.runs import predict_run

    with counting(console) as count:
        sensors = predict_run(
            run,
            source,
            output,
            folder=folder,
            beside=beside,
            precision=precision,
            standard_names=standard_names,
            progress=count,
            **given(table),
        )
    print_files(console, {f"{sensors:,} sensors labelled": output})


@app.command()
def export(
    run: RunArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="PLACE",
            help="Folder of the served model, which gets the next version; or of a version; or a file that ends in "
            "`.tflite`.",
        ),
    ],
    embeddings: Annotated[
        bool,
        typer.Option("--embeddings", help="Let clients send embeddings of the metadata, so that no encoder is inside."),
    ] = False,
    precision: PrecisionOption = None,
    standard_names: StandardNamesOption = False,
) -> None:
    """Write the model of a run for TF Serving, raw readings (and metadata) in, labels out; or for TFLite (LiteRT).

    That of a run with `--collective` also has the signature `together`, whose request is a table, some of it labelled.

    `deepfeatiot export run/ -o serving/sensor_type`

    `deepfeatiot export run/ -o serving/sensor_type --precision 0.95` says `unknown` rather than be wrong.

    `deepfeatiot export run/ -o sensor_type.tflite` is for gateways: one series in, probabilities out; no text.
    """
    console = stdout()
    import_tensorflow()
    from deepfeatiot_tf.runs import export_run

    with console.status("exporting"):
        version = export_run(run, output, embeddings=embeddings, precision=precision, standard_names=standard_names)
    print_files(console, {"SavedModel" if version.is_dir() else "TFLite": version})


@app.command()
def datasets(folder: FolderOption = None) -> None:
    """The public data sets that are known by name, and which of them are on disk.

    Example: `deepfeatiot datasets --folder data/`
    """
    from deepfeatiot_tf.readings import list_datasets

    print_datasets(stdout(), list_datasets(folder))


for _comparison in COMPARISONS:
    app.command(cls=ListCommand)(_comparison)
