"""Why a model misreads another site: units, decimals, and where its sensors' statistics lie.

Zero-shot transfer as `deepfeatiot transfer` runs it, between Swiss, Iowa and SBAS, in six ways. Nothing is learned
from the labels of the site that is named. Writes one row per pair, way, system and seed:

- `as they are`;
- `units`: Iowa's °F and inches of mercury in °C and hPa, as the other two have them;
- `units and decimals`: the same, and every reading of both sites rounded to one decimal;
- `site's own mean`: as they are, but each site's statistics standardized by their own mean and deviation, the default
  alone. It reads all series of the new site at once;
- `taught decimals`: as they are, but the default also learns from copies to fewer decimals, `units={}`;
- `taught units and decimals`: from copies in other units, too, `units={"temperature": "degC", …}`.

A row that is in the table is not run again.

    python benchmarks/transfer_shift.py
    python benchmarks/transfer_shift.py --data ts-n swiss iowa sbas --ways "as they are" "taught decimals" \
        "taught units and decimals" --seeds 1
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.common_types import over_common_types
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.evaluation.metrics import scores
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.layers import SummaryStatistics
from deepfeatiot_tf.peers.trees import boosting, extra_trees

SCORES = ("accuracy", "macro_f1", "log_loss")
FAHRENHEIT = ("Air Temperature", "Dew Point", "Apparent Temperature")
HPA_PER_INCH = 33.8639
UNITS, DECIMALS = "units", "units and decimals"
METRIC = {"temperature": "degC", "dew point": "degC", "pressure": "hPa", "wind speed": "m/s"}
UNITS_OF = {"Iowa": {"temperature": "degF", "dew point": "degF", "pressure": "inHg"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "transfer_shift.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["source", "target", "way", "system", "seed"])
    sites = [dfi.load_dataset(data) for data in options.data]
    for one, other in itertools.permutations(sites, 2):
        for way in options.ways:
            systems = WAYS[way]
            source, target = over_common_types(*(_altered(site, way) for site in (one, other)))
            for system, seed in itertools.product(systems, range(options.seeds)):
                key = (one.name, other.name, way, system, seed)
                if key not in cells:
                    found = scores(target.label_indices, systems[system](source, target, seed), target.class_names)
                    cells.add(key, **{each: found[each] for each in SCORES})
    means = cells.table.groupby(["source", "target", "system", "way"], sort=False).accuracy.mean()
    print((100 * means.unstack("way")).round(1).to_string())


def _altered(site: dfi.SensorReadings, way: str) -> dfi.SensorReadings:
    """The site with its readings as the way has them."""
    values = site.values.astype(np.float64)
    if way in (UNITS, DECIMALS) and site.name == "Iowa":
        labels = np.asarray(site.labels)
        fahrenheit = np.isin(labels, FAHRENHEIT)
        values[fahrenheit] = (values[fahrenheit] - 32) / 1.8
        values[labels == "Pressure Altimeter"] *= HPA_PER_INCH
        values = values.round(2)  # as finely as the file has them
    if way == DECIMALS:
        values = values.round(1)
    return dfi.SensorReadings(
        values.astype(np.float32), ids=site.ids, labels=site.labels, class_names=site.class_names, name=site.name
    )


def _default(
    source: dfi.SensorReadings,
    target: dfi.SensorReadings,
    seed: int,
    own_mean: bool = False,
    units: Callable[[dfi.SensorReadings], dict[str, str] | None] = lambda source: None,
) -> np.ndarray:
    model = dfi.DeepFeatIoT(source.class_names, units=units(source), seed=seed)
    model.compile()
    model.fit(inputs_for(model, source).to_dataset(), verbose=0)
    data = inputs_for(model, target).to_dataset()
    if own_mean:
        statistics = SummaryStatistics()
        model.network.get_layer("statistics_standardized").adapt(
            [statistics(inputs["readings"]).numpy() for inputs, _ in data]
        )
    return model.predict(data, verbose=0)


def _units(source: dfi.SensorReadings) -> dict[str, str]:
    return {name: unit for name, unit in UNITS_OF.get(source.name, METRIC).items() if name in source.class_names}


def _peer(make: Callable) -> Callable:
    def answers(source: dfi.SensorReadings, target: dfi.SensorReadings, seed: int) -> np.ndarray:
        system = make(Training())
        system.fit(source, None, seed=seed, protocol="honest")
        return system.predict(target)

    return answers


SYSTEMS = {
    "deepfeatiot": _default,
    "statistics-trees": _peer(extra_trees),
    "statistics-boosting": _peer(boosting),
}
WAYS: dict[str, dict[str, Callable]] = {
    "as they are": SYSTEMS,
    "site's own mean": {"deepfeatiot": partial(_default, own_mean=True)},
    "taught decimals": {"deepfeatiot": partial(_default, units=lambda source: {})},
    "taught units and decimals": {"deepfeatiot": partial(_default, units=_units)},
    UNITS: SYSTEMS,
    DECIMALS: SYSTEMS,
}


if __name__ == "__main__":
    main()
