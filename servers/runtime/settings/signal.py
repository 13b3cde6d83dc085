"""Settings of the signal service."""

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class SignalSettings(Section):
    """Which signals are worth acting on."""

    min_confidence: float = Field(default=0.6, ge=0, le=1)
    """Signals with this confidence or less are dropped."""

    max_signals: int = Field(default=5, ge=1)
    """Signals of one surface, at most: the best by edge over its standard deviation."""

    min_edge_per_contract: float = Field(default=4.0, ge=0)
    """Edge per contract, in currency, below which fees eat a signal."""

    min_bid: float = Field(default=0.1, ge=0)
    """Legs with a lower bid (per unit of underlying) are not traded."""

    max_relative_spread: float = Field(default=0.35, gt=0)
    """Legs with a wider (ask - bid) / mid are not traded."""

    min_open_interest: float = Field(default=10, ge=0)
    """Legs with less open interest (contracts) are not traded, where it is known."""

    min_size: float = Field(default=1, ge=0)
    """Legs with less quoted size (contracts) on either side are not traded, where it is known."""

    min_days: float = Field(default=3.0, ge=0)
    """Options nearer to their expiry (calendar days) are not traded."""

    cooldown_days: float = Field(default=3.0, ge=0)
    """Calendar days for which a bet is not made again, unless its horizon is nearer."""

    horizon_days: float = Field(default=5.0, gt=0)
    """Calendar days within which mispriced quotes and kinks are expected to come back."""

    neighbours: int = Field(default=6, ge=3)
    """Quotes on each side that say what a quote's distance from the fit should be."""

    min_quote_deviations: float = Field(default=0.5, ge=0)
    """Bid or ask vol must lie beyond the fair vol by this many of its errors; confidence decides the rest."""

    min_vol_error: float = Field(default=0.0005, gt=0)
    """No fair vol is taken to be known better than this."""

    confidence_rmse: float = Field(default=0.02, gt=0)
    """Fit error (vol) at which confidence beyond one half falls to 1/e."""

    realised_decay_days: float = Field(default=15.0, gt=0)
    """Calendar days after which a squared return weighs 1/e in realised vol."""

    realised_min_days: float = Field(default=5.0, gt=0)
    """Calendar days of spot history needed to speak of realised vol."""

    realised_min_returns: int = Field(default=4, ge=2)
    """Returns needed to speak of realised vol."""

    max_return: float = Field(default=0.3, gt=0)
    """Larger log returns between two snapshots are taken for splits, and left out."""

    risk_premium: float = Field(default=0.02, ge=0)
    """Vol by which implied usually exceeds realised vol: not a mispricing."""

    risk_premium_error: float = Field(default=0.01, ge=0)
    """Standard deviation of that premium, vol."""

    reversion_z_score: float = Field(default=1.25, gt=0)
    """Distance of log vol from its mean, in stationary standard deviations, that calls for a trade."""

    reversion_max_days: float = Field(default=20.0, gt=0)
    """Longest horizon of a mean reversion trade, calendar days."""

    vol_of_vol: float = Field(default=1.0, gt=0)
    """Volatility of log vol, per sqrt(year), where no fit says more."""

    wing_deviations: float = Field(default=1.5, gt=0)
    """Distance of an iron fly's wings from the forward, in standard deviations to expiry."""

    non_session_weight: float = Field(default=0.15, gt=0, le=1)
    """Variance of a day on which the market is closed, in those of a day with a session."""

    spot_history: int = Field(default=1024, ge=8)
    """Newest spots kept for realised vol."""
