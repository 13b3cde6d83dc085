"""Bars of an underlying's price: recorded ones, and what is made of smaller pieces."""
