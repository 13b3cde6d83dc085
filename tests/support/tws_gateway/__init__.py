"""TWS or IB Gateway on the loopback interface: the wire, the connection, and what it serves."""
