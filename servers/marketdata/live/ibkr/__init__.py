"""Interactive Brokers: chains and bars from a TWS or IB Gateway, by ib_insync's socket client."""
