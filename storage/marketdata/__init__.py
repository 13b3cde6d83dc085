"""What the market data service keeps: chain snapshots, the instrument master and replays."""
