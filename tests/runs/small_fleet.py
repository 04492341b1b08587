"""A table of sensors that are told apart in a moment."""

from pathlib import Path

import numpy as np
import pandas as pd


def write_fleet(path: Path, *, series: int = 36, seed: int = 0) -> Path:
    """Three types that differ in level and daily swing; some readings are missing."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(series) % 3
    daily = np.sin(2 * np.pi * np.arange(16) / 8)
    values = np.array([20, 400, 1013])[kinds, None] + np.array([5, 90, 1])[kinds, None] * daily
    values = np.round(values + rng.normal(size=values.shape), 1)
    values[rng.random(values.shape) < 0.03] = np.nan
    table = pd.DataFrame(values, columns=[f"reading_{i}" for i in range(16)])
    table.insert(0, "id", [f"s-{i}" for i in range(series)])
    table.insert(1, "label", np.array(["temperature", "CO2", "pressure"])[kinds])
    table.to_csv(path, index=False)
    return path
