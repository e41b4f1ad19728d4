"""An export becomes events.

`mapping_files`, `files`, `sort`, `send`, `progress` and `run` do the I/O of the command. All other modules
are pure: they read no file and no clock, so a gateway can use them with text and rows in memory.
Contracts in `pyproject.toml` keep the two halves apart.
"""
