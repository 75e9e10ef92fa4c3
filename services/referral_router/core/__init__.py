"""
The router's rules, pure: the same records, directory and state give the same decisions.

`Router` folds one partition of referral submissions, `Registrar` the partition of directory submissions.
"""

from referral_router.core.examine import Examined, examine, verify_signature
from referral_router.core.fold import Router, RouterStep
from referral_router.core.ledger import Lane
from referral_router.core.registrar import Registrar

__all__ = ["Examined", "Lane", "Registrar", "Router", "RouterStep", "examine", "verify_signature"]
