"""``python -m referral_bus_command``: the command where nothing is on a path, as in the image."""

import sys

from referral_bus_command import main

if __name__ == "__main__":
    sys.exit(main())
