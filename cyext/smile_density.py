"""What a smile's total variance w(k), of log-moneyness k = ln(strike / forward), says of the density."""

from __future__ import annotations

import numpy as np

from skewline.cyext.arguments import Doubles


def butterfly(k: Doubles, w: Doubles, slope: Doubles, bend: Doubles) -> Doubles:
    """Durrleman's g, negative where the density is: Gatheral & Jacquier (2014), eq. (2.1). All broadcast."""
    one = 1.0 - 0.5 * k * slope / w
    return np.asarray(one * one - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend)


def density(k: Doubles, w: Doubles, slope: Doubles, bend: Doubles) -> Doubles:
    """Risk-neutral density of ln(S / forward) at expiry, per unit of log-moneyness. All broadcast."""
    lower = -k / np.sqrt(w) - 0.5 * np.sqrt(w)
    scale = np.exp(-0.5 * np.square(lower)) / np.sqrt(2.0 * np.pi * w)
    return np.asarray(butterfly(k, w, slope, bend) * scale)
