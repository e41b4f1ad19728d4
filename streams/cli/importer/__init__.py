"""Importer: an export of a help desk, a phone system or a survey tool becomes events of the contract."""
