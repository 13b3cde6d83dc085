"""Typed Python clients of the services, and the `skewline` command."""
