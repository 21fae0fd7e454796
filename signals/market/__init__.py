"""The market's clock and its bars."""
