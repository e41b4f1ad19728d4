"""The contracts: one frozen struct per record, its examples, and the catalogue of topics."""
