"""Requests over the network: one client, its retries, its streams, and how they are stopped."""
