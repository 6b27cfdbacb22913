"""What the page says by itself has to be true: the command runs, the counts are the world's."""

import argparse
import shlex

from blip2.settings import add_flags, load
from blip2.ui.empty_state import FOREIGN, START_REAL, placeholder, state_pill
from blip2.values import ModelInfo
from blip2.zoo import ROWS

POCKET = ModelInfo("pocket", "Pocket <OPT>", "opt", "pocket", pocket=True)
REAL = ModelInfo("real", "BLIP-2 OPT 2.7B", "opt", "real", device="cuda")


def test_the_command_for_a_real_checkpoint_is_one_that_the_program_takes():
    program, script, *flags = shlex.split(START_REAL)
    assert (program, script) == ("python", "app.py")
    parser = argparse.ArgumentParser()
    add_flags(parser)
    settings = load(vars(parser.parse_args(flags)), environment={})
    assert [row.pocket for row in ROWS if row.key in settings.models] == [False]
    assert START_REAL in FOREIGN


def test_only_pocket_models_come_with_what_they_know():
    assert START_REAL in placeholder(POCKET)
    assert "never seen a photograph" in placeholder(POCKET)
    assert START_REAL not in placeholder(REAL)
    assert "Ask about a picture" in placeholder(None)


def test_the_pill_names_what_is_ready():
    assert "2 models ready on CPU, CUDA" in state_pill([POCKET, REAL])
    assert "Pocket &lt;OPT&gt; ready on CPU" in state_pill([POCKET])
    assert "No model" in state_pill([])
