"""Metrics as Prometheus gets them."""

import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.settings import load_settings


def _scrape(port: int | None) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counts_reach_a_scrape() -> None:
    metrics = Metrics.start("signal", load_settings(None, [], {}))
    metrics.rpc_started("S/M")
    metrics.rpc_finished("S/M", "OK", 0.003)
    metrics.event("surface>signal", "handled", 0.01)
    metrics.queue_depth("outbox", 7)
    samples = _scrape(metrics.port)
    metrics.stop()
    assert samples["skewline_rpcs_total['OK', 'S/M', 'signal']"] == 1
    assert samples["skewline_rpcs_open['S/M', 'signal']"] == 0
    assert samples["skewline_rpc_seconds_count['S/M', 'signal']"] == 1
    assert samples["skewline_events_total['handled', 'signal', 'surface>signal']"] == 1
    assert samples["skewline_queue_depth['outbox', 'signal']"] == 7
    assert "process_resident_memory_bytes[]" in samples


def test_two_services_in_one_process_do_not_mix() -> None:
    one, other = Metrics("order"), Metrics("risk")
    one.queue_depth("outbox", 7)
    assert (
        other.registry.get_sample_value("skewline_queue_depth", {"service": "order", "queue": "outbox"})
        is None
    )


def test_switched_off_there_is_no_endpoint() -> None:
    metrics = Metrics.start("signal", load_settings(None, ["telemetry.metrics=false"], {}))
    assert metrics.port is None
    metrics.stop()


def test_stop_closes_the_endpoint_and_may_be_repeated() -> None:
    metrics = Metrics.start("signal", load_settings(None, [], {}))
    port = metrics.port
    metrics.stop()
    metrics.stop()
    with pytest.raises(urllib.error.URLError):
        _scrape(port)


def test_a_taken_port_is_named_with_the_fix() -> None:
    first = Metrics.start("signal", load_settings(None, [], {}))
    taken = load_settings(None, [f"telemetry.metrics_ports.risk={first.port}"], {})
    with pytest.raises(OSError, match=r"telemetry\.metrics_ports\.risk") as caught:
        Metrics.start("risk", taken)
    first.stop()
    assert str(first.port or "") in str(caught.value)
