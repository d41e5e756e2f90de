"""The memorisation audit: plant canaries, train, attack, and hold the claim against what is shown.

canaries     conversations with a secret, planted or kept back by a coin
attack       what every model is asked
extraction   does it say the secret
exposure     does it rank the secret above what it could have been
membership   can planted and kept back be told apart; epsilon from one run
guessing     epsilon from text alone
report       metrics, verdict, and what the audit could have shown at most
"""

from python_stages.audit.attack import Attacked, Subject, attack
from python_stages.audit.canaries import Canary, CanarySpec, Kind, plant, training_lines
from python_stages.audit.report import Report, Row, Verdict, report

__all__ = [
    "Attacked",
    "Canary",
    "CanarySpec",
    "Kind",
    "Report",
    "Row",
    "Subject",
    "Verdict",
    "attack",
    "plant",
    "report",
    "training_lines",
]
