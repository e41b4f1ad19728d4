"""The NDJSON sink: files of newline-delimited JSON."""
