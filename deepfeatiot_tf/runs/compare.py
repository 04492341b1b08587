"""A run beside what else its readings could be labelled with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from deepfeatiot_tf.evaluation import Report
from deepfeatiot_tf.evaluation.cell import fit_and_score
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.files import write_beside
from deepfeatiot_tf.peers import PEERS
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.runs.settings import RunSettings
from deepfeatiot_tf.runs.silent_sensors import answerable
from deepfeatiot_tf.runs.train import split_for

QUICK = ("statistics-trees", "statistics-boosting", "multirocket", "statistics-multirocket")
COLUMNS = ("system", "accuracy", "macro_f1", "log_loss", "fit_seconds")
THIS = "this run"


def compare_run(
    readings: SensorReadings,
    folder: str | Path,
    report: Report,
    settings: RunSettings,
    *,
    on_peer: Callable[[str], None] | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Quick peers on the same split as a run; `comparison.csv` in its folder.

    A peer chooses nothing, so it learns from all that is not in the test part, the run's validation part included.

    Args:
        readings: those of the run.
        folder: of the finished run.
        report: of the run, on its test part.
        settings: of the run.
        on_peer: told the name of each peer before it is trained. Default: nobody is.

    Returns:
        one row per system, the best first: `system`, `accuracy`, `macro_f1`, `log_loss`, `fit_seconds` (NaN of the
        run); and the peers left out, each with the package that it needs.

    Raises:
        InputError: the readings cannot be split so, or the folder cannot be written.
    """
    readings = answerable(readings, settings.text_encoder is not None)
    test = split_for(readings, settings)[2]
    train = readings.take(~np.isin(readings.ids, test.ids))
    mine = {score: report.metrics[score] for score in ("accuracy", "macro_f1", "log_loss")}
    rows = [{"system": THIS, **mine, "fit_seconds": np.nan}]
    left_out = []
    for peer in (PEERS[name] for name in QUICK):
        if peer.missing:
            left_out.append(f"{peer.title} needs {peer.missing} (extra {peer.extra})")
            continue
        if on_peer:
            on_peer(peer.title)
        cell = fit_and_score(peer.build(Training()), train, None, test, seed=settings.seed, protocol="honest")
        rows.append({"system": peer.title, **{column: cell[column] for column in COLUMNS[1:]}})
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("accuracy", ascending=False, kind="stable")
    write_beside(Path(folder) / "comparison.csv", lambda beside: table.to_csv(beside, index=False))
    return table, left_out
