"""A local Messages API server for a first try without a key, for tests and for documentation."""

from .journal import RecordedRequest
from .server import OfflineServer

__all__ = ["OfflineServer", "RecordedRequest"]
