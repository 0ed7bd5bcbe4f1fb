"""What of the page a question carries, as data: cells, values, files, pictures, `{{ }}`."""
