"""The command line as a whole: exit codes, sentences instead of tracebacks, and no torch where none is needed."""

import shlex
import subprocess
import sys

import pytest

import blip2
from blip2 import cli
from blip2.errors import Busy
from blip2.evaluation.protocols import TASKS


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "blip2", *arguments], capture_output=True, text=True, check=False)


def test_python_m_blip2_runs() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"blip2 {blip2.__version__}\n")


@pytest.mark.parametrize("arguments", [["zoo"], ["--help"], ["ask", "--help"], ["serve", "--help"]])
def test_quick_commands_import_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom blip2.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "sys.exit('torch' in sys.modules or 'gradio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_sharing_without_a_page_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--no-ui", "--share"]) == 2
    assert "no page to share" in capsys.readouterr().err


NAMES = {"evaluate": "eval"}  # modules whose command is called otherwise
TOP = [NAMES.get(module, module) for module in (each.__name__.rsplit(".", 1)[1] for each in cli.COMMANDS)]
INNER = [f"eval {name}" for name in (*TASKS, "score", "compare", "merge", "calibration")]
INNER += [f"eval score {kind}" for kind in ("captions", "vqa", "retrieval")]
INNER += [f"space {name}" for name in ("check", "render", "plan", "push")] + ["pocket report"]


@pytest.mark.parametrize("name", [*TOP, *INNER])
def test_every_command_has_help_with_an_example_that_can_be_copied(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit) as left:
        cli.main([*name.split(), "--help"])
    assert left.value.code == 0
    lines = capsys.readouterr().out.rsplit("example", 1)[1].splitlines()
    examples = [line.partition("python -m blip2 ")[2].partition(" > ")[0] for line in lines if line.strip(" :s")]
    assert any(example.startswith(name) for example in examples)
    for example in examples:
        assert cli.parser().parse_args(shlex.split(example)).run


@pytest.mark.parametrize(
    "arguments", [[], ["aks"], ["ask"], ["ask", "a.png"], ["zoo", "--jso"], ["ask", "a.png", "why?", "--top-k", "many"]]
)
def test_what_cannot_be_parsed_is_one_sentence_and_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--help" in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Busy("Too many wait; try again in a minute."), 1, "Too many wait; try again in a minute.\n"),
        (KeyError("lost"), 1, "The program failed (KeyError: 'lost')"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_a_command_raises_becomes_a_code_and_a_sentence(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr("blip2.zoo.table", fail)
    assert cli.main(["zoo"]) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m blip2 zoo --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[", "")
