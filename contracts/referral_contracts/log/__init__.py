"""
The log that nobody can quietly change, as arithmetic: leaves, trees, tiles, checkpoints, witnesses, receipts.

The formats are C2SP's (tlog-tiles, tlog-checkpoint, tlog-cosignature, tlog-proof, tlog-policy, signed-note), so that
others' tools check what this log says. No I/O here, no clock: who stores, signs and serves is `audit_log`.
"""
