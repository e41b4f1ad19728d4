"""What follows from several records of one customer taken together: resolutions, repeat contacts."""
