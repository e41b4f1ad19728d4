"""The parts of `cxstream demo`: a folder, the run, the scores and metrics it reads, and how it shows them."""
