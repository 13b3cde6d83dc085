"""Numerical kernels, compiled from Cython."""
