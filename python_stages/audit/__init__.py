"""The memorisation audit: plant canaries, train, attack, and hold the claim against what is shown.

settings     how a dataset's jobs are audited
canaries     conversations with a secret, planted or kept back by a coin
attack       what every model is asked
extraction   does it say the secret
exposure     does it rank the secret above what it could have been
membership   can planted and kept back be told apart; epsilon from one run
guessing     epsilon from text alone: right guesses among few secrets
reconstruction   the same: secrets that nobody could have guessed
report       metrics, verdict, and what the audit could have shown at most
"""

from python_stages.audit.attack import Attacked, Subject, attack
from python_stages.audit.canaries import Canary, CanarySpec, Kind, digest, plant, training_lines
from python_stages.audit.report import Report, Row, Verdict, report
from python_stages.audit.settings import AuditSettings

__all__ = [
    "Attacked",
    "AuditSettings",
    "Canary",
    "CanarySpec",
    "Kind",
    "Report",
    "Row",
    "Subject",
    "Verdict",
    "attack",
    "digest",
    "plant",
    "report",
    "training_lines",
]
