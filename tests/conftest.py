"""What every test starts from: how hypothesis looks for counter-examples."""

import os

from hypothesis import settings

# No deadline: a slow machine is not a counter-example.
settings.register_profile("here", deadline=None)
# In CI the same examples every time: what fails there fails here, with the same seed.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
