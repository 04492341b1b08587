"""The random-kernel transform written out in NumPy, one kernel and one series at a time."""

import numpy as np


def random_kernels(
    channels: np.ndarray,
    lengths: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    dilations: np.ndarray,
    reads: np.ndarray,
) -> np.ndarray:
    """All maxima, then all PPVs `[batch, 2 · kernels]`.

    Args:
        channels: `[batch, time, channels]`.
        lengths: `[batch]`, readings inside each series.
        kernel: `[taps, kernels]`.
        bias: `[kernels]`, taken from what a kernel answers.
        dilations: `[kernels]`.
        reads: `[kernels]`, the channel that each kernel reads.
    """
    taps, kernels = kernel.shape
    out = np.zeros((len(channels), 2 * kernels))
    for row, length in enumerate(lengths):
        for k in range(kernels):
            reach = (taps - 1) * dilations[k] + 1
            x = np.zeros(max(channels.shape[1], reach))
            x[: channels.shape[1]] = channels[row, :, reads[k]]
            windows = max(length - reach + 1, 1)
            answers = [x[w : w + reach : dilations[k]] @ kernel[:, k] - bias[k] for w in range(windows)]
            out[row, k] = max(answers)
            out[row, kernels + k] = np.mean(np.array(answers) > 0)
    return out
