"""The studio's entry: settings -> backend -> page.

python app.py                                              # the bundled pocket models, on any machine
python app.py --models blip2_opt/pretrain_opt2.7b          # a real checkpoint
python app.py --help                                       # every setting; BLIP2_… variables say the same
"""

import argparse
import sys

from blip2.cli.serve import serve, settled
from blip2.errors import Blip2Error
from blip2.settings import add_flags


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until told to stop; what prevents it is one sentence on the error stream and status 1."""
    parser = argparse.ArgumentParser(prog="app.py", description="BLIP-2 Studio in the browser.")
    add_flags(parser)
    try:
        serve(settled(vars(parser.parse_args(arguments))))
    except Blip2Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
