"""Routes, one file a resource; each translates and calls, and decides nothing."""
