"""The computation, pure: no I/O, no clock, no clients; time is an argument."""
