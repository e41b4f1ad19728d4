"""What `cxstream demo` is made of: a folder, the run, what it knows of scores and machine, and how it shows them."""
