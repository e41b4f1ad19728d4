"""One file a source of events: its code, its fields, how a record is read, named and kept."""
