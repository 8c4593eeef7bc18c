"""`make chaos`."""

import sys

from infra.chaos.play import main

if __name__ == "__main__":
    sys.exit(main())
