"""`python -m jobs`: the same as the console script `signals`."""

from jobs.cli import main

if __name__ == "__main__":
    main()
