"""Whether differences between systems are more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

TIE = 0.0005  # of accuracy; what a table in tenths of a percent does not tell apart


class Ranking(NamedTuple):
    """Mean ranks over data sets, and how far apart two must be.

    Attributes:
        ranks: mean rank by system, the best first; 1 is best.
        p_value: of the Friedman test that all systems are alike.
        critical_difference: of mean ranks, by the Nemenyi test.
        data: number of data sets.
    """

    ranks: pd.Series
    p_value: float
    critical_difference: float
    data: int


class Difference(NamedTuple):
    """A paired difference of means, with its interval and effect size."""

    mean: float
    low: float
    high: float
    cohens_d: float
    pairs: int


def ranking(scores: pd.DataFrame, alpha: float = 0.05) -> Ranking | None:
    """Friedman test and Nemenyi's critical difference (Demšar 2006, section 3.2.2).

    Args:
        scores: one row per data set, one column per system; higher is better, none missing.
        alpha: level of the critical difference. Default 0.05.

    Returns:
        the ranking; None for fewer than two data sets or three systems, of which neither test says anything.
    """
    data, systems = scores.shape
    if data < 2 or systems < 3:
        return None
    ranks = scores.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    alike = np.ptp(scores.to_numpy(), axis=1).max() == 0
    p_value = 1.0 if alike else float(stats.friedmanchisquare(*scores.to_numpy().T).pvalue)
    # The studentized range with infinite degrees of freedom, by √2.
    q = stats.studentized_range.ppf(1 - alpha, systems, np.inf) / np.sqrt(2)
    return Ranking(ranks, p_value, float(q * np.sqrt(systems * (systems + 1) / (6 * data))), data)


def wins_ties_losses(mine: Sequence[float], theirs: Sequence[float]) -> tuple[int, int, int]:
    """How often `mine` is above, equal to and below `theirs`, pair by pair."""
    gap = np.subtract(mine, theirs)
    tie = np.abs(gap) < TIE
    return int((gap[~tie] > 0).sum()), int(tie.sum()), int((gap[~tie] < 0).sum())


def paired_difference(mine: Sequence[float], theirs: Sequence[float], level: float = 0.95) -> Difference:
    """Mean of `mine − theirs`, Student's interval of it, and Cohen's d.

    Args:
        mine: one score per split and seed.
        theirs: of the same splits and seeds, in the same order.
        level: of the interval. Default 0.95.

    Returns:
        the difference; its bounds are NaN for a single pair. Cohen's d is the mean difference by the pooled standard
        deviation of the two; NaN where neither varies.
    """
    first, second = np.asarray(mine, float), np.asarray(theirs, float)
    gap = first - second
    low = high = effect = np.nan
    if len(gap) > 1:
        spread = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
        effect = gap.mean() / spread if spread > 0 else np.nan
        reach = stats.t.ppf((1 + level) / 2, len(gap) - 1) * stats.sem(gap)
        low, high = gap.mean() - reach, gap.mean() + reach
    return Difference(float(gap.mean()), float(low), float(high), float(effect), len(gap))
