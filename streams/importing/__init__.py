"""An export becomes events.

The modules from `mapping` to `summary` compute: they read no file and no clock, so a gateway can use
them with text and rows in memory. `mapping_files`, `files`, `sort`, `send`, `progress` and `run` do the
I/O of the command. Contracts in `pyproject.toml` keep the two apart.
"""
