import socket
from pathlib import Path

import pytest

from skewline.servers.runtime.ports import free_port
from skewline.servers.runtime.settings import SERVICES, load_settings
from skewline.servers.runtime.stack_addresses import ServiceSpec, StackAddresses


def test_a_service_reads_its_addresses_back_from_its_environment(tmp_path: Path) -> None:
    specs = [ServiceSpec(name) for name in SERVICES]
    addresses = StackAddresses.choose("127.0.0.1", specs, None, 0)
    settings = load_settings(environment=addresses.environment(tmp_path))
    assert settings.home == tmp_path
    assert settings.bus.url == addresses.nats_url
    for name in SERVICES:
        assert settings.network.address(name) == addresses.of(name)
        assert f"127.0.0.1:{settings.telemetry.metrics_port(name)}" == addresses.metrics_of(name)


def test_a_second_process_of_a_service_listens_elsewhere_and_is_not_whom_others_ask(tmp_path: Path) -> None:
    specs = [ServiceSpec("risk"), ServiceSpec("calibration"), ServiceSpec("second", service="calibration")]
    addresses = StackAddresses.choose("127.0.0.1", specs, None, 0)
    own = {
        process: load_settings(environment=addresses.environment(tmp_path, process))
        for process in ("risk", "calibration", "second")
    }
    for process in ("calibration", "second"):
        assert f"127.0.0.1:{own[process].network.port('calibration')}" == addresses.of(process)
        metrics_port = own[process].telemetry.metrics_port("calibration")
        assert f"127.0.0.1:{metrics_port}" == addresses.metrics_of(process)
    assert own["risk"].network.address("calibration") == addresses.of("calibration")
    assert own["second"].network.address("risk") == addresses.of("risk")


def test_given_ports_and_bus_are_kept_and_all_ports_differ() -> None:
    port = free_port()
    specs = [ServiceSpec("risk", port=port), ServiceSpec("order", metrics_port=None)]
    addresses = StackAddresses.choose("127.0.0.1", specs, "nats://bus:4222", 0)
    assert addresses.nats_url == "nats://bus:4222"
    assert addresses.of("risk") == f"127.0.0.1:{port}"
    assert addresses.metrics_of("order") == ""
    assert len({*addresses.ports.values(), *addresses.metrics_ports.values()}) == 3


@pytest.mark.parametrize(
    ("spec", "setting"),
    [("port", "network.ports.risk"), ("metrics_port", "telemetry.metrics_ports.risk")],
)
def test_a_port_that_another_program_holds_is_refused_by_its_setting(spec: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        specs = [ServiceSpec("risk", **{spec: port})]
        with pytest.raises(OSError, match=f"{setting}: 127.0.0.1:{port} is in use by another program"):
            StackAddresses.choose("127.0.0.1", specs, None, 0)
