"""Settings of live feeds: one section a venue, whose name is the first part of a feed's name."""

from typing import Annotated, Literal

from pydantic import Field

from skewline.servers.runtime.settings.secret import Secret
from skewline.servers.runtime.settings.section import Section

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s]+[^/\s]$")]
SocketUrl = Annotated[str, Field(pattern=r"^wss?://[^\s]+[^/\s]$")]


class CboeSettings(Section):
    """Cboe's delayed quotes: whole chains by HTTP, some fifteen minutes late, without a key."""

    url: HttpUrl = "https://cdn.cboe.com/api/global/delayed_quotes/options"
    """Folder of the files, one an underlying."""

    interval_s: float = Field(default=60.0, gt=0)
    """Seconds from one question to the next while the market is open."""

    delay_s: float = Field(default=900.0, ge=0)
    """Seconds that the quotes are behind the market."""

    stale_after_s: float = Field(default=600.0, gt=0)
    """Seconds without a changed chain, while the market is open, after which the feed is stale."""

    requests_per_s: float = Field(default=1.0, gt=0)
    """Requests a second, at most."""

    timeout_s: float = Field(default=30.0, gt=0)
    """Seconds that an answer may take."""


class DeribitSettings(Section):
    """Deribit's options of a coin: the list by HTTP, tickers by WebSocket, without a key."""

    url: HttpUrl = "https://www.deribit.com/api/v2"
    """Where HTTP questions go."""

    ws_url: SocketUrl = "wss://www.deribit.com/ws/api/v2"
    """Where the tickers come from."""

    interval_s: float = Field(default=5.0, gt=0)
    """Seconds from one chain to the next."""

    complete_within_s: float = Field(default=15.0, ge=0)
    """Seconds after which the first chain is made although not every option has had a ticker."""

    stale_after_s: float = Field(default=60.0, gt=0)
    """Seconds without a changed chain after which the feed is stale."""

    list_every_s: float = Field(default=900.0, gt=0)
    """Seconds after which the list of options is read again, also without word of a new one."""

    heartbeat_s: int = Field(default=30, ge=10)
    """Seconds of silence after which the venue says that it is there; without that, the feed reconnects."""

    requests_per_s: float = Field(default=5.0, gt=0)
    """Requests a second, at most."""

    timeout_s: float = Field(default=20.0, gt=0)
    """Seconds that an answer may take."""


class YahooSettings(Section):
    """Yahoo's delayed quotes by the library yfinance, without a key; `pip install 'skewline[yahoo]'`."""

    url: HttpUrl = "https://query2.finance.yahoo.com"
    """Where questions go; where it is not Yahoo's, so do those for cookies and consent."""

    interval_s: float = Field(default=300.0, gt=0)
    """Seconds from one chain to the next while the market is open; each expiry is a question of its own."""

    delay_s: float = Field(default=900.0, ge=0)
    """Seconds that the options' quotes are behind the market."""

    stale_after_s: float = Field(default=1200.0, gt=0)
    """Seconds without a changed chain, while the market is open, after which the feed is stale."""

    requests_per_s: float = Field(default=2.0, gt=0)
    """Requests a second, at most."""

    timeout_s: float = Field(default=20.0, gt=0)
    """Seconds that an answer may take, with all that the library asks for it."""

    chain_within_s: float = Field(default=180.0, gt=0)
    """Seconds that all expiries of a chain together may take."""

    bars_days: int = Field(default=3650, ge=0, le=20_000)
    """Days of daily bars of the underlying, brought at the start and after each session; 0: none."""


class AlpacaSettings(Section):
    """Alpaca's option quotes: snapshots by HTTP, updates between them by WebSocket; needs a key."""

    key: Secret | None = None
    """API key; in the environment, where no list of processes shows it."""

    secret: Secret | None = None
    """API secret, that goes with the key."""

    feed: Literal["indicative", "opra"] = "indicative"
    """Options: `opra` is live and costs; of `indicative`, free, quotes are derived and trades delayed."""

    stock_feed: Literal["iex", "sip", "delayed_sip"] = "iex"
    """The underlying's price: `sip` is of all exchanges and costs."""

    url: HttpUrl = "https://data.alpaca.markets"
    """Where questions about market data go."""

    trading_url: HttpUrl = "https://paper-api.alpaca.markets"
    """Where the list of contracts is; with a key of real money https://api.alpaca.markets."""

    ws_url: SocketUrl = "wss://stream.data.alpaca.markets/v1beta1"
    """Where the stream of options is; the feed's name follows."""

    interval_s: float = Field(default=5.0, gt=0)
    """Seconds from one chain to the next."""

    refresh_s: float = Field(default=60.0, gt=0)
    """Seconds from one snapshot of all contracts to the next."""

    stream_contracts: int = Field(default=200, ge=0)
    """Contracts of each underlying that the stream updates, nearest the money first; 0: no stream.
    Plans limit their sum: 200 without costs, 1000 with `opra`."""

    stale_after_s: float = Field(default=180.0, gt=0)
    """Seconds without a changed chain, while the market is open, after which the feed is stale."""

    ping_s: float = Field(default=20.0, gt=0)
    """Seconds from one question whether the stream is still there to the next."""

    bars_days: int = Field(default=3650, ge=0, le=20_000)
    """Days of daily bars of the underlying, brought at the start and after each session; 0: none."""

    requests_per_s: float = Field(default=3.0, gt=0)
    """Requests a second, at most; 200 a minute are free."""

    timeout_s: float = Field(default=20.0, gt=0)
    """Seconds that an answer may take."""


class BinanceSettings(Section):
    """Binance's spot market: order books and trades, by WebSocket and HTTP, without a key."""

    url: HttpUrl = "https://api.binance.com/api/v3"
    """Where HTTP questions go: the snapshot of a book, trades that were missed."""

    ws_url: SocketUrl = "wss://stream.binance.com:9443/stream"
    """Where updates of books come from."""

    trades_ws_url: SocketUrl = "wss://stream.binance.com:9443/stream"
    """Where trades come from; where it is the same, they share a connection."""

    interval_s: float = Field(default=0.25, gt=0)
    """Seconds from one order book, and one batch of trades, to the next, while they change."""

    levels: int = Field(default=50, ge=1, le=1000)
    """Levels of each side in the order books shown; the imbalance of the depth is over these."""

    snapshot_levels: int = Field(default=1000, ge=5, le=1000)
    """Levels of each side in the snapshot that a book begins from."""

    most_missed_trades: int = Field(default=50_000, ge=0)
    """Trades that are fetched where the stream left them out, at most; more than that are a gap."""

    stale_after_s: float = Field(default=10.0, gt=0)
    """Seconds without an update after which the feed is stale."""

    silent_after_s: float = Field(default=300.0, gt=0)
    """Seconds without any message after which the feed reconnects, although the connection seems to hold."""

    ping_s: float = Field(default=20.0, gt=0)
    """Seconds from one ping to the next; without an answer within half of that, the feed reconnects."""

    requests_per_s: float = Field(default=2.0, gt=0)
    """Requests a second, at most."""

    timeout_s: float = Field(default=10.0, gt=0)
    """Seconds that an answer may take."""


class BinanceFuturesSettings(BinanceSettings):
    """Binance's USDS-margined perpetuals and futures: order books and trades, without a key."""

    url: HttpUrl = "https://fapi.binance.com/fapi/v1"
    """Where HTTP questions go: the snapshot of a book, trades that were missed."""

    ws_url: SocketUrl = "wss://fstream.binance.com/public/stream"
    """Where updates of books come from."""

    trades_ws_url: SocketUrl = "wss://fstream.binance.com/market/stream"
    """Where trades come from; where it is the same, they share a connection."""


class IbkrSettings(Section):
    """Interactive Brokers, through a TWS or IB Gateway that is logged in and serves its API on a socket."""

    host: Annotated[str, Field(min_length=1, pattern=r"^\S+$")] = "127.0.0.1"
    """Where TWS or IB Gateway runs."""

    port: int = Field(default=4002, ge=1, le=65_535)
    """Its port: 4001 and 4002 are IB Gateway's for live and paper accounts, 7496 and 7497 those of TWS."""

    client_id: int = Field(default=20, ge=1, le=10_000)
    """Client id of the first feed; each further one takes the next. Nobody else may use them."""

    market_data: Literal["live", "frozen", "delayed", "delayed_frozen"] = "live"
    """What is asked for: frozen is the last quotes of a closed market."""

    allow_delayed: bool = False
    """Whether delayed data will do where the account has no live data; chains say that they are."""

    delayed_by_s: float = Field(default=900.0, ge=0)
    """Seconds that delayed quotes are behind the market."""

    lines: int = Field(default=100, ge=4)
    """Market data lines that all feeds together may have open at once: the account's own, or fewer."""

    expiries: int = Field(default=12, ge=0)
    """Expiries that are followed, the nearest; 0: all."""

    strikes: int = Field(default=40, ge=0)
    """Strikes of each expiry that are followed, the nearest the money; 0: all."""

    interval_s: float = Field(default=5.0, gt=0)
    """Seconds from one chain to the next."""

    complete_within_s: float = Field(default=30.0, ge=0)
    """Seconds after which the first chain is made although not every line has answered."""

    answer_within_s: float = Field(default=5.0, gt=0)
    """Seconds that an option has to answer when it is its turn."""

    oldest_quote_s: float = Field(default=300.0, gt=0)
    """Seconds that a quote counts after its option's turn."""

    relist_s: float = Field(default=3600.0, gt=0)
    """Seconds after which the options are listed anew."""

    bars: bool = True
    """Whether bars of the underlying are brought too, which takes one line."""

    stale_after_s: float = Field(default=60.0, gt=0)
    """Seconds without a changed chain after which the feed is stale."""

    requests_per_s: int = Field(default=45, ge=1, le=50)
    """Requests a second, at most; the gateway ends connections that make more than 50."""

    timeout_s: float = Field(default=20.0, gt=0)
    """Seconds that an answer may take."""


class LiveSettings(Section):
    """How live feeds connect."""

    retry_first_s: float = Field(default=1.0, gt=0)
    """Seconds until the first new attempt after a feed's connection failed; they double each time."""

    retry_most_s: float = Field(default=60.0, gt=0)
    """Seconds between attempts, at most, unless the venue asks for more."""

    cboe: CboeSettings = CboeSettings()
    """Cboe's delayed quotes."""

    deribit: DeribitSettings = DeribitSettings()
    """Deribit's options."""

    yahoo: YahooSettings = YahooSettings()
    """Yahoo's delayed quotes."""

    alpaca: AlpacaSettings = AlpacaSettings()
    """Alpaca's option quotes."""

    binance: BinanceSettings = BinanceSettings()
    """Binance's spot market."""

    binance_futures: BinanceFuturesSettings = BinanceFuturesSettings()
    """Binance's perpetuals and futures."""

    ibkr: IbkrSettings = IbkrSettings()
    """Interactive Brokers."""
