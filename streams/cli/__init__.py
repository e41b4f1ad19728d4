"""The command line `cxstream`: one command a file, their table in main.py, shared options in options.py."""
