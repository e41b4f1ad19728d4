"""Instants, panes, spans and lateness: event time as integers, with no clock."""
