"""An export becomes events: mapping, fields, times and conversion are pure; files, sorting and sending are not."""
