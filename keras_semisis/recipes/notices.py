"""What a recipe tells of what it finds, beside what it returns."""

import logging

logger = logging.getLogger("keras_semisis")
"""Facts at level INFO, and warnings. The command line prints both; Python shows warnings, and facts where logging is set up
to."""


def tell(text: str) -> None:
    """A fact about the user's data or run, in a line."""
    logger.info("%s", text)


def warn(text: str) -> None:
    """What the user should change."""
    logger.warning("%s", text)
