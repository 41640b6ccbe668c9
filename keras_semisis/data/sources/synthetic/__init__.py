"""Procedural street scenes, bit-identical on every machine.

So: float64 throughout; only + - * /, sqrt, floor and comparisons, which IEEE 754 fixes (exp, sin and reductions differ between
processors); and only uniform draws of PCG64, scaled here, because the other distributions may change between NumPy releases.
"""
