"""How laws are tested: the same examples on every machine, without a time limit for one of them.

`HYPOTHESIS_PROFILE=explore python -m pytest` draws new examples on every run.
"""

import os

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
