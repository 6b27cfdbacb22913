"""What the documents say is so: commands parse, tables are the program's own, links lead somewhere, code compiles."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import blip2
from blip2 import cli, settings, zoo
from blip2.space.render import FRONT

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Each command line of the documents: of `sh` blocks, and after `$` of `console` blocks."""
    lines: list[str] = []
    for text in TEXT.values():
        lines += [line for block in blocks(text, "sh") for line in block.splitlines()]
        lines += [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line[:2] == "$ "]
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def between(marker: str) -> str:
    found = re.search(rf"<!-- {marker}.*? -->\n(.*?)\n<!-- end of {marker} -->", TEXT["README.md"], re.DOTALL)
    assert found is not None, f"the README has no {marker}"
    return found[1]


@pytest.mark.parametrize("line", commands())
def test_every_command_is_one(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "make":
        assert words[1] in targets()
        return
    assert words[:3] == ["python", "-m", "blip2"], f"a document shows a command that no test knows: {line}"
    assert cli.parser().parse_args(words[3:]).run


def test_the_two_commands_are_on_the_first_screen() -> None:
    shown = FRONT.sub("", TEXT["README.md"])  # a page shows the front matter as a table, or not at all
    first = "\n".join(shown.splitlines()[:30])
    assert "make run" in first
    assert "make test" in first


def test_every_make_target_that_the_makefile_explains_is_there() -> None:
    explained = set(re.findall(r"^# make (\w+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert explained == targets()


def test_the_tables_are_the_programs_own() -> None:
    assert between("zoo") == zoo.table()
    assert between("settings") == settings.table()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_within_the_project_lead_somewhere(name: str) -> None:
    prose = re.sub(r"^```.*?^```", "", TEXT[name], flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)]+)\)|src(?:set)?=\"([^\"]+)\"", prose)
    assert links or name != "README.md"
    for link in (a or b for a, b in links):
        if not link.startswith("https://"):
            assert (ROOT / link.split("#")[0]).exists(), f"{name} links to {link}"


@pytest.mark.parametrize("code", [block for text in TEXT.values() for block in blocks(text, "python")])
def test_code_compiles_and_imports_what_there_is(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module == "blip2":
            assert {alias.name for alias in node.names} <= set(blip2.__all__)


def test_every_module_that_the_architecture_names_is_there() -> None:
    rows = [line for line in TEXT["ARCHITECTURE.md"].splitlines() if re.match(r"\| \d \|", line)]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[2])}
    there = {path.stem for path in (ROOT / "blip2").iterdir() if path.name not in ("__init__.py", "__pycache__")}
    assert named == there


def test_no_document_speaks_of_a_place_outside_the_project() -> None:
    for text in TEXT.values():
        assert "../" not in text
        assert "/home/" not in text


def rewrite() -> None:
    """Put the tables into the README anew: `python tests/test_readme.py`, after a row or a setting changed."""
    text = TEXT["README.md"]
    for marker, table in (("zoo", zoo.table()), ("settings", settings.table())):
        text = text.replace(between(marker), table)
    (ROOT / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
