"""Skewline's gRPC services, one folder each, over a shared runtime."""
