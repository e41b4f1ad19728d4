"""The ClickHouse sink, which also stores in chDB."""
