"""What the order service keeps: orders, their events, fills, positions, P&L, quotes, requests, questions."""
