"""
The deadline watcher: every clock that the law starts is running, seen, escalated and provable, and nobody is accused
wrongly.

Consumes: ``referral.ledger`` (what is committed), ``directory``.
Produces: ``watcher.state``; and, like any agency, signed events and ticks into ``referral.submissions``.
Guarantees: a clock is called missed once, after everything that was submitted before its due instant has been judged
and read; what it knows and how far it has read are in one transaction; what it says is sent again until it is
read back.
Trusts: the router's signed decisions, the pinned root, the rule packs it is given, its own clock. It reads `clock`
sections and nothing else; its state is encrypted under a key that only it has.
"""
