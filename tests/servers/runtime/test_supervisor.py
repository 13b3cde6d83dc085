import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import supervised_stack
from supervised_stack import health_spec
from waiting import gone, until

from skewline.servers.runtime.bus import Bus
from skewline.servers.runtime.readiness import grpc_serving
from skewline.servers.runtime.stack_file import ProcessState, read_stack, stack_path
from skewline.servers.runtime.supervisor import (
    HomeInUse,
    RestartPolicy,
    ServiceSpec,
    StackFailed,
    StartFailed,
    Supervisor,
)

QUICK = RestartPolicy(first_pause=0.01, longest_pause=0.05, give_up_after=3)


def process(home: Path, name: str) -> ProcessState:
    stack = read_stack(home)
    assert stack is not None
    return stack.processes[name]


def journal(home: Path) -> list[str]:
    return (home / "journal").read_text().splitlines()


def test_addresses_and_settings_reach_the_children_and_the_stack_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Supervisor(tmp_path, [health_spec("risk")]) as stack:
            state = read_stack(tmp_path)
            assert state == stack.state
            assert (state.pid, state.state) == (os.getpid(), "running")
            assert list(state.processes) == ["nats", "risk"]
            assert {each.state for each in state.processes.values()} == {"serving"}
            assert state.processes["risk"].address == stack.address("risk")
            async with await Bus.connect(stack.nats_url, "test") as bus:
                assert bus.is_connected
        assert not stack_path(tmp_path).exists()

    asyncio.run(scenario())


async def test_killed_service_comes_back_on_its_port(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, [health_spec("risk")], policy=QUICK) as stack:
        before = process(tmp_path, "risk")
        os.kill(before.pid, signal.SIGKILL)
        await until(lambda: process(tmp_path, "risk").restarts == 1)
        await until(lambda: process(tmp_path, "risk").state == "serving")
        after = process(tmp_path, "risk")
        assert after.address == before.address
        assert after.pid != before.pid
        assert "SIGKILL" in after.problem
        async with asyncio.timeout(10):
            await grpc_serving(after.address)
        assert stack.registry.get_sample_value("skewline_restarts_total", {"process": "risk"}) == 1
        assert stack.registry.get_sample_value("skewline_serving", {"process": "risk"}) == 1


async def test_killed_nats_server_comes_back_with_its_messages(tmp_path: Path) -> None:
    async with (
        Supervisor(tmp_path, [], policy=QUICK) as stack,
        await Bus.connect(stack.nats_url, "test") as bus,
    ):
        await bus.publish_confirmed("order.SPX", b"1", message_id="a")
        os.kill(process(tmp_path, "nats").pid, signal.SIGKILL)
        await until(lambda: process(tmp_path, "nats").restarts == 1)
        await until(lambda: process(tmp_path, "nats").state == "serving" and bus.is_connected)
        again = await bus.publish_confirmed("order.SPX", b"1", message_id="a")
        assert again.duplicate


async def test_service_that_does_not_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(
        StartFailed, match=r"(?s)order ended with status 3.*tick table is missing; install it"
    ):
        async with Supervisor(tmp_path, [health_spec("risk"), health_spec("order", "broken")]):
            pytest.fail("entered")
    assert not stack_path(tmp_path).exists()
    assert read_stack(tmp_path) is None


async def test_service_that_never_serves_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"risk was not ready within 1\.5 s"):
        async with Supervisor(
            tmp_path, [health_spec("risk", "mute")], nats_url="nats://x:1", start_timeout=1.5
        ):
            pytest.fail("entered")


async def test_program_that_is_not_there_is_reported(tmp_path: Path) -> None:
    absent = ServiceSpec("risk", metrics_port=None, command=("/no/such/program",))
    with pytest.raises(StartFailed, match=r"/no/such/program: No such file"):
        async with Supervisor(tmp_path, [absent], nats_url="nats://x:1"):
            pytest.fail("entered")


async def test_service_that_keeps_crashing_is_given_up_and_the_rest_goes_on(tmp_path: Path) -> None:
    specs = [health_spec("risk"), health_spec("crashing", "crashing")]
    async with Supervisor(tmp_path, specs, nats_url="nats://x:1", policy=QUICK) as stack:
        os.kill(process(tmp_path, "crashing").pid, signal.SIGKILL)
        with pytest.raises(StackFailed, match="crashing ended with status 4"):
            async with asyncio.timeout(20):
                await stack.wait()
        assert process(tmp_path, "crashing").state == "failed"
        assert process(tmp_path, "risk").state == "serving"
        assert stack.state.problem.startswith("given up after 3 crashes in a row")


async def test_all_stop_in_reverse_order_and_the_stubborn_by_force(tmp_path: Path) -> None:
    names = ["marketdata", "stubborn", "order"]
    specs = [health_spec(name, name if name == "stubborn" else "") for name in names]
    async with Supervisor(tmp_path, specs, nats_url="nats://x:1", grace=0.5):
        pids = [process(tmp_path, name).pid for name in names]
    assert journal(tmp_path)[3:] == ["order stopped", "marketdata stopped"]
    assert all(gone(pid) for pid in pids)


async def test_second_supervisor_on_a_home_is_refused(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, [], nats_url="nats://x:1"):
        with pytest.raises(HomeInUse, match=f"supervisor pid {os.getpid()}"):
            async with Supervisor(tmp_path, [], nats_url="nats://x:1"):
                pytest.fail("entered")
        assert read_stack(tmp_path) is not None


async def supervisor_process(home: Path, *behaviour: str) -> asyncio.subprocess.Process:
    program = supervised_stack.__file__
    return await asyncio.create_subprocess_exec(sys.executable, program, str(home), *behaviour)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
async def test_nothing_outlives_a_killed_supervisor_and_its_file_is_stale(tmp_path: Path) -> None:
    supervisor = await supervisor_process(tmp_path)
    try:
        await until(lambda: (stack := read_stack(tmp_path)) is not None and stack.state == "running")
        pids = [process(tmp_path, name).pid for name in ("nats", "risk")]
    finally:
        supervisor.kill()
    await supervisor.wait()
    await until(lambda: all(gone(pid) for pid in pids))
    assert stack_path(tmp_path).exists()
    assert read_stack(tmp_path) is None
    async with Supervisor(tmp_path, [health_spec("risk")]) as again:
        assert again.state.state == "running"


async def test_sigterm_stops_the_stack_in_order(tmp_path: Path) -> None:
    supervisor = await supervisor_process(tmp_path)
    await until(lambda: (stack := read_stack(tmp_path)) is not None and stack.state == "running")
    supervisor.terminate()
    async with asyncio.timeout(20):
        assert await supervisor.wait() == 0
    assert journal(tmp_path) == ["risk started", "risk stopped"]
    assert not stack_path(tmp_path).exists()


async def test_sigterm_during_the_start_stops_what_was_started(tmp_path: Path) -> None:
    supervisor = await supervisor_process(tmp_path, "mute")
    await until(lambda: (tmp_path / "journal").exists())
    pids = [each.pid for each in process_states(tmp_path)]
    supervisor.terminate()
    async with asyncio.timeout(20):
        assert await supervisor.wait() == 0
    assert all(gone(pid) for pid in pids)
    assert not stack_path(tmp_path).exists()


def process_states(home: Path) -> list[ProcessState]:
    stack = read_stack(home)
    assert stack is not None
    return list(stack.processes.values())
