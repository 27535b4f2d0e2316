"""How many cases and histories a run takes, and from which number they are made.

`make contract-cases CASES=10000 SEED=7` sets both; the tests alone take a small, fixed share.
"""

import os

from hypothesis import HealthCheck, Phase, settings

CASES = int(os.environ.get("CONTRACT_CASES") or 0)
SEED = int(os.environ.get("CONTRACT_SEED") or 1)


def run_of(examples: int, **more: object) -> settings:
    """Repeatable: no data base of earlier failures, no dependence on the machine's speed."""
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        **more,
    )
