"""Everything on one machine: the embedded broker, a sandbox, supervised processes, the demonstration."""
