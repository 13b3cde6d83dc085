"""Tables of the signal service and what reads and writes them."""
