"""What the compiled modules do to the process around them."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from skewline.cyext import black


def test_importing_does_not_flush_small_numbers_to_zero() -> None:
    code = (
        "import sys, threading\n"
        "from skewline.cyext import american, black, heston, ou, sabr\n"
        "assert sys.float_info.min / 2 > 0\n"
        "assert black.price([True] * 9, 100.0, 100.0, 1.0, 1.0, 0.2, threads=2).sum() > 0\n"
        "assert sys.float_info.min / 2 > 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_threads_give_the_same_numbers() -> None:
    strike = np.linspace(50, 200, 5001)
    price = black.price(True, 100.0, strike, 0.5, 0.99, 0.3)
    assert np.array_equal(price, black.price(True, 100.0, strike, 0.5, 0.99, 0.3, threads=3))
    one = black.greeks(True, 100.0, strike, 0.5, 0.99, 0.3)
    three = black.greeks(True, 100.0, strike, 0.5, 0.99, 0.3, threads=3)
    assert np.array_equal(one.charm, three.charm)
    vols = [black.implied_vol(True, price, 100.0, strike, 0.5, 0.99, threads=n) for n in (1, 3)]
    assert np.array_equal(vols[0], vols[1], equal_nan=True)


def test_python_goes_on_while_a_kernel_works() -> None:
    strike = np.linspace(50, 200, 1_000_000)
    counted = 0
    done = threading.Event()
    progress: list[int] = []

    def work() -> None:
        black.greeks(True, 100.0, strike, 0.5, 0.99, 0.3)
        progress.append(counted)
        black.greeks(True, 100.0, strike, 0.5, 0.99, 0.3)
        progress.append(counted)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not done.is_set():
        counted += 1
    worker.join()
    assert progress[1] - progress[0] > 1000


@pytest.mark.parametrize(
    ("threads", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_a_number_of_threads_that_is_none_is_refused(threads: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="threads"):
        black.price(True, 100.0, 100.0, 1.0, 1.0, 0.2, threads=threads)
