"""What every dbt command loads, for the fork server to load once: modules, and no user's data.

An engine is built and dropped, because the patterns that it compiles stay compiled.
"""

from python_stages.check.imports import import_great_expectations
from python_stages.scrub.engine import Engine

import_great_expectations()
Engine(["all"])
