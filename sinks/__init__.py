"""Sinks: where results are stored. `sinks.registry` lists them; `sinks.sink` says what one is."""
