import io
import json
from dataclasses import replace
from decimal import Decimal

from rich.console import Console
from run_records import replay as replay_of_run
from run_records import run_record

from skewline.clients.demo.printing import print_summary, print_trace, summary_json
from skewline.clients.demo.screen import LineScreen, MovingScreen, screen_on
from skewline.clients.demo.summary import summarise
from skewline.clients.demo.watching import Tally
from skewline.v1 import market_data_service_pb2


def plain_console() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=160), out


def tally() -> Tally:
    return Tally(signals=7, orders={"a", "b"}, fills=3, net={"USD": Decimal("12.50")})


def test_lines_where_there_is_no_terminal_moving_where_there_is() -> None:
    console, _ = plain_console()
    assert isinstance(screen_on(console), LineScreen)
    assert isinstance(screen_on(Console(file=io.StringIO(), force_terminal=True)), MovingScreen)


def test_lines_have_no_control_characters_and_all_figures() -> None:
    console, out = plain_console()
    with screen_on(console) as screen:
        screen.say("fetching [1/2]")
        screen.services({"nats": "starting"})
        screen.services({"nats": "starting"})
        screen.services({"nats": "serving"})
        screen.replay(replay_of_run(), tally())
    lines = out.getvalue().splitlines()
    assert lines[:3] == ["fetching [1/2]", "nats: starting", "nats: serving"]
    assert "5/5 snapshots" in lines[3]
    assert "quotes 1,000 (70 set aside); signals 7; orders 2; fills 3; net P&L USD 12.50" in lines[3]
    assert all(character.isprintable() for line in lines for character in line)


def test_running_replays_are_told_only_now_and_then() -> None:
    console, out = plain_console()
    running = replay_of_run()
    running.status = market_data_service_pb2.REPLAY_STATUS_RUNNING
    with screen_on(console) as screen:
        for _ in range(50):
            screen.replay(running, tally())
        screen.replay(replay_of_run(), tally())
    assert len(out.getvalue().splitlines()) == 2


def test_moving_display_draws_every_state() -> None:
    out = io.StringIO()
    with MovingScreen(Console(file=out, force_terminal=True, width=120)) as screen:
        screen.services({"nats": "serving", "risk": "starting"})
        screen.replay(replay_of_run(), tally())
        screen.say("risk: serving again")
    assert "risk: serving again" in out.getvalue()


def test_summary_has_every_stage() -> None:
    console, out = plain_console()
    record = run_record()
    summary = summarise(record)
    print_summary(console, summary)
    print_trace(console, record.traced_fill, record.trace)
    text = out.getvalue()
    for part in (
        "5 seen, 4 accepted, 1 rejected",
        "2019-05-27 is a holiday",
        "CROSSED 50, NO_BID 20",
        "volatility arbitrage 2",
        "2: filled 2",
        "38.00 USD net: realised 0.00, unrealised 40.00, fees 2.00 (SIMULATED)",
        "delta 119",
        "99% one day: 600.00",
        "calibration",
        "fill fill-1",
        "broker.fill",
    ):
        assert part in text, part
    assert "\x1b" not in text


def test_summary_as_json_is_exact_and_without_nan() -> None:
    summary = summarise(run_record())
    broken = replace(summary, fits=(replace(summary.fits[0], rmse_max=float("nan")),))
    found = json.loads(summary_json(broken, home="/x"))
    assert found["pnl"][0]["net"] == "38"
    assert found["fits"][0]["rmse_max"] is None
    assert (found["simulated"], found["home"]) == (True, "/x")
