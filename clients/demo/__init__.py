"""A whole run from quotes to fills: its record, its figures, and the digest by which two runs compare."""
