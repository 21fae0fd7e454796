"""Feeds made to be broken: sound documents, ways to damage them, and what must hold of the reading all the same."""
