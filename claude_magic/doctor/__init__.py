"""What of the Messages API a server knows, tried with real requests: `claude-magic doctor`."""

from .report import run

__all__ = ["run"]
