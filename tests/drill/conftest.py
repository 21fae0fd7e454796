"""Services to try failures on: one a file of tests, since each takes seconds to start."""
