"""What of the Messages API a server knows, tried with real requests: `claude-magic doctor`."""

from .examination import run

__all__ = ["run"]
