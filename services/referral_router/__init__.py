"""
The router: every submission judged once, every recipient given exactly its copy, all of it in the ledger.

Consumes: ``referral.submissions``, ``directory.submissions``, ``directory``.
Produces: ``inbox.<agency>``, ``referral.ledger``, ``referral.state``, ``directory``.
Guarantees: one verdict for each submission of a verified sender, one copy for each recipient, an unbroken chain of
signed decisions per partition; all of a batch's outputs, its state and its position in one transaction.
Trusts: the broker's order and stamps (bounded by its own clock), the pinned root. It cannot read a section.
"""
