"""
What every service bolts on: the exactly-once processor, Kafka clients, logs, metrics, health.

Consumes and produces: whatever the service's folds say. Guarantees: each input record takes effect once, in order, in
one transaction with the state it left behind. Trusts: the broker's log, and nothing it keeps in memory.

It knows nothing about referrals.
"""
