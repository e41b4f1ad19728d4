"""The stream: what is computed, how it runs, and how it is told to."""
