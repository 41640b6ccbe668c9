"""A page to paint label maps on, beside the photo that a model draws of them (extra: paint)."""

LOOPBACK = ("127.0.0.1", "localhost")
"""Names of this machine for itself."""
