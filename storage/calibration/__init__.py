"""Tables of the calibration service and what reads and writes them."""
