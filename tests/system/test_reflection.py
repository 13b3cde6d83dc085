"""The services as someone with nothing but grpcurl sees them; `buf curl` stands in for it."""

import asyncio
import json
import shutil
import sysconfig
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from running_stack import RunningStack, running_stack

from skewline.servers.runtime.settings import SERVICES

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

FULL_NAMES = {
    "marketdata": "skewline.v1.MarketDataService",
    "calibration": "skewline.v1.CalibrationService",
    "signal": "skewline.v1.SignalService",
    "risk": "skewline.v1.RiskService",
    "order": "skewline.v1.OrderService",
}
QUESTIONS = [
    ("marketdata", "ListChains"),
    ("marketdata", "ListInstruments"),
    ("calibration", "ListSurfaces"),
    ("signal", "ListSignals"),
    ("risk", "GetPortfolio"),
    ("risk", "GetLimits"),
    ("risk", "GetState"),
    ("risk", "GetValueAtRisk"),
    ("order", "ListOrders"),
    ("order", "ListFills"),
    ("order", "ListPositions"),
    ("order", "GetPnl"),
]
STREAMS = [
    ("marketdata", "StreamChains"),
    ("calibration", "StreamSurfaces"),
    ("signal", "StreamSignals"),
    ("risk", "StreamPortfolio"),
    ("order", "StreamOrders"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    async with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


async def buf_curl(address: str, *arguments: str, data: str = "") -> tuple[int, str, str]:
    buf = shutil.which("buf", path=sysconfig.get_path("scripts")) or shutil.which("buf")
    assert buf is not None, "buf comes with the development extras"
    process = await asyncio.create_subprocess_exec(
        buf, "curl", "--http2-prior-knowledge", "--protocol", "grpc",
        *arguments[:-1], *(["--data", data] if data else []), f"http://{address}{arguments[-1]}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("service", SERVICES)
async def test_reflection_lists_the_service_with_health(stack: RunningStack, service: str) -> None:
    code, out, err = await buf_curl(stack.supervisor.address(service), "--list-services", "")
    assert code == 0, err
    assert {FULL_NAMES[service], "grpc.health.v1.Health"} <= set(out.split())


@pytest.mark.parametrize("service", SERVICES)
async def test_health_answers_serving(stack: RunningStack, service: str) -> None:
    for name in ("", FULL_NAMES[service]):
        code, out, err = await buf_curl(
            stack.supervisor.address(service),
            "/grpc.health.v1.Health/Check",
            data=json.dumps({"service": name}),
        )
        assert code == 0, err
        assert json.loads(out) == {"status": "SERVING"}


@pytest.mark.parametrize(("service", "call"), QUESTIONS)
async def test_each_service_is_called_by_reflection(stack: RunningStack, service: str, call: str) -> None:
    code, out, err = await buf_curl(
        stack.supervisor.address(service), f"/{FULL_NAMES[service]}/{call}", data="{}"
    )
    assert code == 0, err
    assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize(("service", "call"), STREAMS)
async def test_each_stream_refuses_what_is_no_command(stack: RunningStack, service: str, call: str) -> None:
    code, _, err = await buf_curl(
        stack.supervisor.address(service), f"/{FULL_NAMES[service]}/{call}", data="{}"
    )
    assert code != 0
    assert "command" in err
