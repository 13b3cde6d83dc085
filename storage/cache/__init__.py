"""Latest values: in the process, or in Redis."""
