"""`python -m blip2`: the command line."""

import sys

from blip2.cli import main

if __name__ == "__main__":
    sys.exit(main())
