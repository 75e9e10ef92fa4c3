"""The whole log checked from what it is made of: what is found wrong, and where. No I/O: who reads is `verifying`."""
