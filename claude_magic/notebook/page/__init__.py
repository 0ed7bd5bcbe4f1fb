"""What stands on the page: what ran and was displayed, the saved file, what the front end tells."""
