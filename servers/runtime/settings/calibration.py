"""Settings of the calibration service."""

from pydantic import Field, field_validator

from skewline.servers.runtime.settings.section import Section


class CalibrationSettings(Section):
    """How models are fitted, and how good a fit must be to be traded on."""

    processes: int = Field(default=1, ge=1, le=16)
    """Processes that share the chains. The supervisor starts as many; elsewhere say how many there are."""

    threads: int = Field(default=2, ge=1, le=256)
    """Threads that one fit may use, one where processes share the cores; the result is the same with any."""

    min_expiry_hours: float = Field(default=2.0, ge=0)
    """Expiries nearer than this are left out: their vols are noise."""

    max_relative_spread: float = Field(default=1.0, gt=0)
    """Quotes with a wider (ask - bid) / mid are left out."""

    parity_log_moneyness: float = Field(default=0.5, gt=0)
    """Pairs of call and put within this |ln(strike / forward)| give forward and discount."""

    american_pairs: int = Field(default=8, ge=1)
    """Pairs nearest the money that give the forward of American options, where parity holds best."""

    max_rate_stderr: float = Field(default=0.003, gt=0)
    """Where an expiry says its rate less precisely, the rate is taken from its neighbours."""

    max_rate: float = Field(default=0.25, gt=0)
    """Implied rates beyond ± this are not believed."""

    fallback_rate: float = Field(default=0.02, ge=-0.1, le=1)
    """Continuous rate where no expiry of the chain says one."""

    rates: str = "parity"
    """Rates where quotes do not say theirs well: parity (of other expiries), flat:0.03, or csv:FILE."""

    beta: float = Field(default=1.0, ge=0, le=1)
    """Backbone exponent of SABR."""

    min_strikes: int = Field(default=5, ge=4)
    """Expiries with fewer quotes are not fitted."""

    max_deviations_below: float = Field(default=6.0, gt=0)
    """Strikes further below the forward, in standard deviations at the money, are left to the record."""

    max_deviations_above: float = Field(default=4.0, gt=0)
    """Strikes further above the forward, in standard deviations at the money, are left to the record."""

    min_vol_spread: float = Field(default=0.002, gt=0)
    """Vol spread below which a quote gains no further weight."""

    max_slice_rmse: float = Field(default=0.01, gt=0)
    """A smile with a larger weighted root mean square error (vol) is poor."""

    max_relative_rmse: float = Field(default=0.03, ge=0)
    """Errors within this share of the vol at the money are no fault, however large."""

    max_surface_rmse: float = Field(default=0.01, gt=0)
    """A surface with a larger weighted root mean square error (vol) is poor."""

    min_good_share: float = Field(default=0.5, ge=0, le=1)
    """A surface with a smaller share of good slices is poor."""

    min_record_inside: float = Field(default=0.8, ge=0, le=1)
    """A smile of record inside fewer of its quotes' bands fails its check: they cannot all be right."""

    max_level_jump: float = Field(default=0.1, ge=0)
    """Change of log vol at 30 days since the last fit that may come at any moment."""

    max_level_speed: float = Field(default=5.0, ge=0)
    """What it may change beyond that, a square root of a year; more, and the next surface must confirm it."""

    outlier_jump: float = Field(default=0.1, gt=0)
    """How far, in log vol, a quote may be off the last good surface as its expiry's level moved since."""

    outlier_speed: float = Field(default=6.0, ge=0)
    """How much further for the time since that surface, a square root of a year: 0.31 after a day."""

    max_outlier_share: float = Field(default=0.2, ge=0, le=1)
    """With more outliers among an expiry's quotes none is one: its smile has changed. One always may be."""

    heston_quotes: int = Field(default=200, ge=10)
    """Quotes that Heston is fitted to, at most, spread over expiries and deltas."""

    heston_strikes: int = Field(default=12, ge=3)
    """Quotes of one expiry that Heston is fitted to, at most."""

    heston_min_days: float = Field(default=5.0, ge=0)
    """Nearer expiries are left out of the Heston fit, whose smile is too flat for them."""

    max_heston_rmse: float = Field(default=0.02, gt=0)
    """A Heston fit with a larger root mean square error (vol) is poor."""

    max_condition: float = Field(default=1e4, gt=1)
    """A Heston fit with a larger condition number is poor: its parameters are not told apart."""

    ou_min_points: int = Field(default=20, ge=5)
    """At-the-money vols needed to fit their mean reversion."""

    ou_min_deviations: float = Field(default=2.85, ge=0)
    """Speed of mean reversion, in its standard errors, below which it may be chance.

    One random walk in twenty is above 2.85; 29 in a hundred are above 2, for its errors are not normal.
    """

    ou_max_points: int = Field(default=512, ge=5)
    """Newest at-the-money vols that are fitted."""

    @field_validator("rates")
    @classmethod
    def _names_a_source(cls, rates: str) -> str:
        form, _, place = rates.partition(":")
        if form == "flat" and _is_rate(place):
            return rates
        if rates != "parity" and not (form == "csv" and place):
            raise ValueError("must be parity, flat:RATE with a fraction from -0.1 to 1, or csv:FILE")
        return rates


def _is_rate(text: str) -> bool:
    try:
        return -0.1 <= float(text) <= 1.0
    except ValueError:
        return False
