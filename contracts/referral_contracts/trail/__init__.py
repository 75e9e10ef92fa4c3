"""
The trail of one case, as the log proves it: built from its leaves, checked step by step, shown, and put into one file.

No I/O and no clock. What is trusted is the pinned root and the log's policy, both the reader's own; nothing that comes
with a trail vouches for it.
"""
