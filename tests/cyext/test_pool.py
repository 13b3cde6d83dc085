"""The pool of threads, each time in a process of its own: size, cost when idle, forks, gRPC, the end."""

import os
import subprocess
import sys

import pytest

PRICES = """
import numpy as np
from skewline.cyext import _pool, black
strike = np.linspace(50, 200, 200_000)
def prices(threads): return black.price(True, 100.0, strike, 0.5, 0.99, 0.3, threads=threads)
"""

#: The process that forks has a thread that is always inside a kernel.
FORKS = (
    PRICES
    + """
import os, threading
alone = prices(1)
assert np.array_equal(prices(2), alone)
stop = threading.Event()
def always():
    while not stop.is_set():
        prices(2)
other = threading.Thread(target=always)
other.start()
for _ in range(10):
    child = os.fork()
    if not child:
        had = _pool.workers()
        same = np.array_equal(prices(2), alone)
        os._exit(0 if had == 0 and same and _pool.workers() == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
other.join()
assert np.array_equal(prices(2), alone)
"""
)

IDLE = (
    PRICES
    + """
import pathlib, time
for _ in range(50):
    prices(2)
[task] = [t for t in pathlib.Path("/proc/self/task").iterdir() if (t / "comm").read_text() == "skewline\\n"]
deadline = time.monotonic() + 20
def used(): return int((task / "schedstat").read_text().split()[0])
before = used()
while (task / "stat").read_text().rsplit(") ", 1)[1][0] != "S" and time.monotonic() < deadline:
    pass
asleep = used()
assert asleep - before < 2_000_000, asleep - before
end = time.monotonic() + 0.2
while time.monotonic() < end:
    pass
assert used() == asleep
"""
)

GRPC = """
import threading
ORDER
from concurrent import futures
def answer(request, context): return request + b"!"
handler = grpc.method_handlers_generic_handler(
    "skewline.Echo", {"Echo": grpc.unary_unary_rpc_method_handler(answer)})
server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
alone = prices(1)
differ, stop = [], threading.Event()
def always():
    while not stop.is_set():
        if not np.array_equal(prices(2), alone):
            differ.append(1)
callers = [threading.Thread(target=always) for _ in range(2)]
for caller in callers:
    caller.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    echo = channel.unary_unary("/skewline.Echo/Echo")
    for i in range(200):
        assert echo(b"%d" % i, timeout=20) == b"%d!" % i
stop.set()
for caller in callers:
    caller.join()
server.stop(None).wait()
assert not differ
"""


def run(code: str, **variables: str) -> None:
    environment = {**os.environ, "SKEWLINE_THREADS": "2", **variables}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_thread_is_made_before_one_is_asked_for() -> None:
    run(PRICES + "prices(1)\nassert _pool.workers() == 0\nprices(2)\nassert _pool.workers() == 1\n")


def test_all_callers_together_get_no_more_workers_than_the_limit() -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as callers:
    assert len(list(callers.map(prices, [64] * 40))) == 40
assert _pool.workers() == 2
"""
    run(PRICES + code, SKEWLINE_THREADS="3")


def test_every_index_is_done_however_a_loop_is_divided() -> None:
    """Among threads that have a part each, share parts or find none; and at the ends of blocks and chunks."""
    code = """
whole = prices(1)
for size in (1, 64, 2048, 2049, 16 * 2048 - 1, 16 * 2048 + 1, 17 * 2048 + 64, strike.size - 1):
    for threads in (2, 3, 7, 17, 40):
        out = np.full(size, np.nan)
        black.price(True, 100.0, strike[:size], 0.5, 0.99, 0.3, out=out, threads=threads)
        assert np.array_equal(out, whole[:size]), (size, threads)
"""
    run(PRICES + code, SKEWLINE_THREADS="40")


def test_a_limit_of_one_makes_no_thread() -> None:
    run(PRICES + "prices(8)\nassert _pool.workers() == 0\n", SKEWLINE_THREADS="1")


@pytest.mark.parametrize("limit", ["0", "-1", "two", "1.5", "9999"])
def test_a_limit_that_is_no_number_is_refused(limit: str) -> None:
    code = """
try:
    import skewline.cyext.black
except ImportError as error:
    assert str(error).startswith("SKEWLINE_THREADS="), error
else:
    raise SystemExit("imported")
"""
    run(code, SKEWLINE_THREADS=limit)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_starts_with_an_empty_pool_that_works() -> None:
    run(FORKS)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_idle_pool_sleeps() -> None:
    run(IDLE)


@pytest.mark.parametrize("grpc_first", [True, False])
def test_lives_with_grpc_whichever_is_imported_first(grpc_first: bool) -> None:
    order = f"import grpc\n{PRICES}" if grpc_first else f"{PRICES}\nimport grpc"
    run(GRPC.replace("ORDER", order))


def test_a_process_ends_while_a_kernel_works() -> None:
    code = """
import threading
begun = threading.Event()
def always():
    while True:
        prices(2)
        begun.set()
for _ in range(3):
    threading.Thread(target=always, daemon=True).start()
begun.wait()
"""
    run(PRICES + code)


@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="a sanitizer takes time of its own")
def test_callers_at_once_use_no_more_processor_time_than_one_after_another() -> None:
    code = """
import time
from concurrent.futures import ThreadPoolExecutor
def cost(threads):
    begin = time.process_time()
    with ThreadPoolExecutor(4) as callers:
        list(callers.map(prices, [threads] * 40))
    return time.process_time() - begin
prices(2)
pairs = [(cost(2), cost(1)) for _ in range(5)]
best = min(many / alone for many, alone in pairs)
assert best < 1.3, pairs
"""
    run(PRICES + code)
