"""What `signals doctor` looks at: each check reads, judges, and says what to do; none changes anything.

`table.py` lists them; `seen.py` is what they look at, each thing read once; `examine.py` runs them side by side.
"""
