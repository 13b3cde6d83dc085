"""Prints how fast and how accurate the kernels are beside SciPy and, where it is installed, QuantLib.

Run by `make bench`, or alone: `python tests/benchmarks/kernels.py`. Both sides run in one process, one after
the other, so that the ratio means something on any machine.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.special import ndtr

from skewline.cyext import american, black, heston, isa, ou, sabr
from skewline.cyext.arguments import Doubles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from published_surfaces import dax_2002
from quantlib_peers import INSTALLED, quantlib_american, quantlib_heston
from rational_peer import rational_implied_vol
from stopwatch import best_of


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table; times in seconds for the unit named in `work`."""

    work: str
    ours: float
    accuracy: str
    peer: str = "–"
    peer_time: float | None = None
    threads: int = 1


def black_lines() -> list[Line]:
    """Price, Greeks and implied vol of a million options."""
    n = 1_000_000
    rng = np.random.default_rng(1)
    strike, expiry = rng.uniform(60, 160, n), rng.uniform(0.01, 2, n)
    discount, vol = np.exp(-0.02 * expiry), rng.uniform(0.05, 0.8, n)
    is_call = strike > 100

    def scipy_greeks() -> object:
        s = vol * np.sqrt(expiry)
        d1 = np.log(100.0 / strike) / s + s / 2
        d2 = d1 - s
        density = discount * np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
        sign = np.where(is_call, 1.0, -1.0)
        cdf = discount * sign * ndtr(sign * d1)
        price = 100.0 * cdf - strike * discount * sign * ndtr(sign * d2)
        rate = -np.log(discount) / expiry
        return (
            *(price, cdf, density / (100 * s), 100 * density * np.sqrt(expiry)),
            *(rate * price - 50 * density * vol / np.sqrt(expiry), -expiry * price),
        )

    price = black.price(is_call, 100.0, strike, expiry, discount, vol)
    some = price > 1e-300
    error = np.max(
        np.abs(
            black.implied_vol(is_call[some], price[some], 100.0, strike[some], expiry[some], discount[some])
            / vol[some]
            - 1
        )
    )
    arguments = (is_call, 100.0, strike, expiry, discount)
    greeks = [best_of(partial(black.greeks, *arguments, vol, threads=t)) / n for t in (1, 2)]
    implied = best_of(lambda: black.implied_vol(is_call, price, *arguments[1:])) / n
    peer = best_of(scipy_greeks) / n
    return [
        Line("Black price + 8 Greeks, an option", greeks[0], "1e-13 rel.", "NumPy + SciPy, 5 Greeks", peer),
        Line("  the same", greeks[1], "1e-13 rel.", "our one thread", greeks[0], threads=2),
        Line("Black price, an option", best_of(partial(black.price, *arguments, vol)) / n, "1e-13 rel."),
        Line(
            "implied vol, an option",
            implied,
            f"{error:.0e} rel. on the vol",
            *rational_implied_vol(strike[is_call], (vol * np.sqrt(expiry))[is_call]),
        ),
    ]


def sabr_lines() -> list[Line]:
    """A smile of 13 strikes with 1 % noise, in a batch of 1,000."""
    rng = np.random.default_rng(2)
    strikes = np.tile(100 * np.exp(np.linspace(-0.3, 0.25, 13)), 1000)
    clean = sabr.implied_vol(100.0, strikes, 0.5, 2.0, 0.5, -0.5, 0.9)
    vols = clean * (1 + 0.01 * rng.standard_normal(strikes.size))
    forwards, expiries, offsets = np.full(1000, 100.0), np.full(1000, 0.5), np.arange(0, 13_001, 13)

    def fit() -> sabr.SabrFits:
        return sabr.calibrate_many(forwards, expiries, strikes, vols, offsets, beta=0.5)

    result = fit()
    return [
        Line("SABR smile, 13 strikes", best_of(fit) / 1000, f"rmse {result.rmse.mean():.1e}", *scipy_sabr())
    ]


def scipy_sabr() -> tuple[str, float]:
    """SciPy's Levenberg–Marquardt on our formula, as a user would do it."""
    strikes = 100 * np.exp(np.linspace(-0.3, 0.25, 13))
    vols = sabr.implied_vol(100.0, strikes, 0.5, 2.0, 0.5, -0.5, 0.9)
    vols = vols * (1 + 0.01 * np.random.default_rng(2).standard_normal(13))

    def error(p: Doubles) -> Doubles:
        return np.subtract(sabr.implied_vol(100.0, strikes, 0.5, p[0], 0.5, p[1], p[2]), vols)

    def fit() -> object:
        return least_squares(error, [2.5, 0.0, 0.5])

    return "SciPy least_squares", best_of(fit)


def heston_lines() -> list[Line]:
    """DAX 2002 cold and warm, and a chain of 14,000 options."""
    d = dax_2002()

    def cold() -> heston.HestonFit:
        return heston.calibrate(d.forward, d.strike, d.expiry, d.vols)

    fit = cold()

    def warm() -> heston.HestonFit:
        return heston.calibrate(d.forward, d.strike, d.expiry, d.vols * 1.01, initial=fit.parameters)

    rng = np.random.default_rng(3)
    expiry = np.repeat(np.geomspace(1, 1000, 37) / 365, 378)
    strike = 100 * np.exp(rng.uniform(-1, 0.6, expiry.size))

    def chain() -> object:
        return heston.price(
            *(strike > 100, 100.0, strike, expiry, 0.99), v0=0.02, kappa=5.0, theta=0.03, sigma=1.2, rho=-0.75
        )

    sse = f"SSE {fit.sse * 1e4:.4f} (177.2333)"
    return [
        Line("Heston surface, DAX 2002, 104 options", best_of(cold), sse, *quantlib_heston()),
        Line("  the same, warm after 1 %", best_of(warm), f"SSE {warm().sse * 1e4:.2f}"),
        Line("Heston price in a chain, an option", best_of(chain) / strike.size, "1e-12 of the forward"),
    ]


def american_lines() -> list[Line]:
    """The one-year put at the money, and implied vols of a chain."""
    put = (False, np.full(200, 100.0), 100.0, 1.0, 0.05, 0.03, 0.25)
    exact = float(american.price(False, 100.0, 100.0, 1.0, 0.05, 0.03, 0.25, accuracy="precise"))
    fast = best_of(lambda: american.price(*put)) / 200
    precise = best_of(lambda: american.price(*put, accuracy="precise"), 2) / 200
    rng = np.random.default_rng(4)
    strike, expiry = rng.uniform(60, 150, 2200), rng.integers(2, 700, 2200) / 365
    vol = rng.uniform(0.15, 0.6, 2200)
    is_call = strike > 100
    price = american.price(is_call, 100.0, strike, expiry, 0.01, 0.02, vol)
    implied = best_of(lambda: american.implied_vol(is_call, price, 100.0, strike, expiry, 0.01, 0.02), 2)
    error = abs(float(american.price(False, 100.0, 100.0, 1.0, 0.05, 0.03, 0.25)) - exact)
    theirs = quantlib_american()
    return [
        Line("American put, fast", fast, f"{error:.0e} from precise", *theirs[0]),
        Line("American put, precise", precise, "1e-9", *theirs[1]),
        Line("American implied vol, an option", implied / 2200, "2e-5 on the vol"),
    ]


def ou_lines() -> list[Line]:
    """500 points, in a batch of 1,000 series."""
    rng = np.random.default_rng(5)
    x = np.cumsum(rng.standard_normal((1000, 500)) * 0.1, axis=1)
    for i in range(1, 500):
        x[:, i] = 0.95 * x[:, i - 1] + 0.1 * rng.standard_normal(1000)

    def numpy_fit() -> None:
        for row in x[:100]:
            a, b = row[:-1], row[1:]
            slope = np.cov(a, b, bias=True)[0, 1] / np.var(a)
            intercept = b.mean() - slope * a.mean()
            np.sqrt(np.mean((b - intercept - slope * a) ** 2))

    ours = best_of(lambda: ou.fit_many(x, 1 / 252)) / 1000
    return [Line("OU fit, 500 points", ours, "exact", "NumPy closed form", best_of(numpy_fit) / 100)]


def in_words(seconds: float) -> str:
    """A time with a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def main() -> None:
    """Measure and print."""
    machine = platform.processor() or platform.machine()
    print(f"\n{machine}, Python {platform.python_version()}, NumPy {np.__version__}, instruction set {isa()}")
    print(f"QuantLib: {'installed' if INSTALLED else 'not installed (the bench extra brings it)'}\n")
    header = ("work", "Skewline", "peer", "its time", "ratio", "threads", "accuracy")
    rows = [header]
    for measure in (black_lines, sabr_lines, heston_lines, american_lines, ou_lines):
        for line in measure():
            theirs = line.peer_time
            rows.append(
                (
                    *(line.work, in_words(line.ours), line.peer),
                    *(("–", "–") if theirs is None else (in_words(theirs), f"{theirs / line.ours:.1f}×")),
                    *(str(line.threads), line.accuracy),
                )
            )
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
