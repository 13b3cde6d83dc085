"""Whether QuantLib is there to be compared with."""

import importlib.util

INSTALLED = importlib.util.find_spec("QuantLib") is not None
MISSING = "QuantLib: not installed (the bench extra brings it)"
