"""A replay as a command runs it: options, progress and the table of results."""
