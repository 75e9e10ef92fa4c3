"""What the log is, without I/O: what may be taken from the ledger, and how the tree grows by it."""
