"""Whether the real service would take a request: its shape, then the rules, as far as known."""
