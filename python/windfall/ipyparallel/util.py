"""Small things of IPython Parallel's that people import."""

import datetime

from .functions import interactive

utc = datetime.timezone.utc

__all__ = ["interactive", "utc"]
