"""The portfolio on given surfaces: its value and Greeks, and how a trade would change them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skewline.servers.risk import greeks
from skewline.servers.risk.book import Exposure, RiskBook, unit_exposures
from skewline.servers.risk.checks.check import Basis, Sensitivity, Standing, Trade
from skewline.servers.risk.greeks import Doubles
from skewline.servers.risk.option import Option
from skewline.servers.risk.surface_view import SurfaceView
from skewline.servers.risk.value_at_risk import Scenarios
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.v1 import risk_pb2

_SECOND_NS = 1e9


@dataclass(frozen=True, slots=True)
class Valued:
    """The portfolio's value. `last_prices` has the model prices of positions, by instrument."""

    greeks: risk_pb2.Greeks
    underlyings: Sequence[risk_pb2.UnderlyingGreeks]
    profit: Doubles
    equity: float
    positions: int
    unpriced: int
    last_prices: Mapping[str, float]


class PortfolioModel:
    """Book and limits on one surface an underlying; made for one event, during which the book may grow."""

    def __init__(
        self,
        settings: RiskSettings,
        scenarios: Scenarios,
        limits: risk_pb2.RiskLimits,
        book: RiskBook,
        views: Mapping[str, SurfaceView],
    ) -> None:
        self._settings = settings
        self._scenarios = scenarios
        self._limits = limits
        self._book = book
        self._views = views
        self._reserved: dict[tuple[Exposure, ...], tuple[Doubles, Doubles]] = {}

    def value(self, horizon_days: float = 1.0) -> Valued:
        """Value what is held, without reservations."""
        held = self._book.open()
        totals = np.zeros(len(greeks.NAMES))
        profit = self._scenarios.zero()
        rows: list[risk_pb2.UnderlyingGreeks] = []
        last_prices: dict[str, float] = {}
        for underlying in sorted({*self._views, *(p.underlying for p in held)}):
            own = [p for p in held if p.underlying == underlying]
            view = self._views.get(underlying)
            valuation = greeks.value(view, [self._option(p.instrument_id, view) for p in own])
            weights = np.array([float(p.quantity * p.multiplier) for p in own])
            subtotal = greeks.in_currency(valuation, weights)
            totals += subtotal
            rows.append(
                risk_pb2.UnderlyingGreeks(
                    underlying=underlying,
                    greeks=greeks.message(subtotal),
                    positions=len(own),
                    spot=view.spot if view is not None else math.nan,
                    surface_ns=view.time_ns if view is not None else 0,
                )
            )
            if view is not None:
                profit += self._scenarios.profit(view, valuation, weights, horizon_days)
            for index in np.flatnonzero(valuation.priced).tolist():
                last_prices[own[index].instrument_id] = float(valuation.rows[-1, index])
        # An unpriced position keeps the last price it had: without it, equity would jump and trip the kill
        # switch.
        worth = sum(
            float(p.quantity * p.multiplier) * last_prices.get(p.instrument_id, p.last_price) for p in held
        )
        return Valued(
            greeks=greeks.message(totals),
            underlyings=rows,
            profit=profit,
            equity=self._limits.capital + float(self._book.cash) + worth,
            positions=len(held),
            unpriced=len(held) - len(last_prices),
            last_prices=last_prices,
        )

    def trade(self, intent: risk_pb2.OrderIntent, view: SurfaceView | None) -> Trade:
        """One unit of a valid intent, valued."""
        multiplier = float(to_decimal(intent.multiplier))
        options = [self._option(leg.instrument_id, view) for leg in intent.legs]
        unit = unit_exposures(intent.legs, options, multiplier)
        valuation = greeks.value(view, options)
        weights = np.array([e.weight for e in unit])
        contracts = np.array([e.contracts for e in unit])
        prices = valuation.rows[-1]
        unknown = tuple(
            e.instrument_id
            for e, priced in zip(unit, valuation.priced, strict=True)
            if not (priced and _has_own_fit(e.option, view))
        )
        profit = self._scenarios.zero()
        if view is not None:
            profit = self._scenarios.profit(view, valuation, weights)
        return Trade(
            intent=intent,
            basis=_basis(view, unknown),
            limit_price=float(to_decimal(intent.limit_price)),
            model_price=float(contracts @ prices),
            spread=max(self._spread(unit, view), self._settings.min_spread),
            notional=float(np.abs(weights) @ prices),
            unit=_sensitivity(valuation.rows @ weights, view),
            options=tuple(options),
            contracts={e.instrument_id: e.contracts for e in unit},
            calls=sum(e.contracts for e in unit if _is_call(e)),
            profit=profit,
            unknown=unknown,
        )

    def standing(
        self,
        intent: risk_pb2.OrderIntent,
        view: SurfaceView | None,
        state: risk_pb2.RiskState,
        time_ns: int,
        approved: int,
    ) -> Standing:
        """Where the portfolio stands before the intent, all that is reserved counted as filled."""
        profit = self._scenarios.zero()
        own: list[Exposure] = []
        own_rows = np.zeros(len(greeks.NAMES))
        for underlying in self._book.underlyings():
            exposures = self._book.exposures(underlying, without=intent.intent_id)
            rows, its_profit = self._exposed(underlying, exposures)
            profit += its_profit
            if underlying == intent.underlying:
                own, own_rows = exposures, rows
        return Standing(
            limits=self._limits,
            settings=self._settings,
            state=state,
            time_ns=time_ns,
            sensitivity=_sensitivity(own_rows, view),
            profit=profit,
            contracts={e.instrument_id: e.contracts for e in own},
            uncovered_calls=-sum(e.contracts for e in own if _is_call(e)),
            approved=approved,
            surface_good=view is not None and view.is_good,
            surface_age_s=(time_ns - view.time_ns) / _SECOND_NS if view is not None else math.inf,
        )

    def _exposed(self, underlying: str, exposures: Sequence[Exposure]) -> tuple[Doubles, Doubles]:
        """Greeks and scenario profits of exposures; those of the intent before, where it changed nothing."""
        key = tuple(exposures)
        known = self._reserved.get(key)
        if known is None:
            view = self._views.get(underlying)
            valuation = greeks.value(view, [e.option for e in exposures])
            weights = np.array([e.weight for e in exposures])
            profit = self._scenarios.zero()
            if view is not None:
                profit = self._scenarios.profit(view, valuation, weights)
            known = self._reserved[key] = greeks.in_currency(valuation, weights), profit
        return known

    def _option(self, instrument_id: str, view: SurfaceView | None) -> Option | None:
        """What an id means: by what was traded under it, else by the surface."""
        option = self._book.option(instrument_id)
        return view.option(instrument_id) if option is None and view is not None else option

    def _spread(self, unit: Sequence[Exposure], view: SurfaceView | None) -> float:
        total = 0.0
        for exposure in unit:
            option = exposure.option
            spread = view.spread(option) if view is not None and option is not None else math.nan
            total += abs(exposure.contracts) * (spread if spread > 0 else self._settings.min_spread)
        return total


def _sensitivity(rows: Doubles, view: SurfaceView | None) -> Sensitivity:
    spot = view.spot if view is not None else math.nan
    delta, gamma, vega, theta = rows[:4].tolist()
    return Sensitivity(delta=delta * spot, gamma=gamma * spot * spot * 0.01, vega=vega * 0.01, theta=theta)


def _basis(view: SurfaceView | None, unknown: Sequence[str]) -> Basis:
    if view is None:
        return Basis.INTENT
    return Basis.SURFACE if unknown else Basis.PRICE


def _has_own_fit(option: Option | None, view: SurfaceView | None) -> bool:
    return option is not None and view is not None and view.knows(option)


def _is_call(exposure: Exposure) -> bool:
    return exposure.option is not None and exposure.option.is_call
