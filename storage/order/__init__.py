"""What the order service keeps: orders, their events, fills, positions, P&L, newest quotes, requests."""
