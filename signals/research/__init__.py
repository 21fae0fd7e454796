"""History through the live code path."""
