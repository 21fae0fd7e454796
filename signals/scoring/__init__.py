"""From words to probabilities: who did what, how surprising a figure is, and a linear model over both."""
