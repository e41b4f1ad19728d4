"""Event time as integers: instants, panes, spans, lateness and business hours; no clock is read here."""
