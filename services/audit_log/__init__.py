"""
The log that nobody can quietly change: every decision of the ledger is a leaf of one tree, and the tree only grows.

Consumes: ``referral.ledger`` (what is committed), ``directory``.
Produces: a folder of tiles and checkpoints that any web server can publish, and a store of what the leaves stand for.
Guarantees: no decision is left out or logged twice; a checkpoint covers only what is durable, and none is ever taken
back; what does not fit the decisions before it stops the log.
Trusts: the router's signed decisions, the pinned root. The store and the folder are trusted to be there: whoever
changes them can stop the log, and is found out by whoever holds a checkpoint or a receipt.
"""
