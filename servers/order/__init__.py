"""The order service: approved signals become orders, which it works; it keeps fills, positions and P&L."""
