"""The README's front matter and the Space's requirements follow from the Spacefile."""

from pathlib import Path

import yaml

from blip2.space.render import front_matter, pushed_requirements, readme, with_front_matter
from blip2.space.spacefile import NAME, parse, read
from tests.space.spacefiles import TEXT, changed, project

ROOT = Path(__file__).resolve().parents[2]


def parsed(text: str) -> dict[str, object]:
    """The front matter as a YAML reader, such as the Hub's, understands it."""
    _, block, _ = text.split("---\n", 2)
    found: dict[str, object] = yaml.safe_load(block)
    return found


def test_the_readme_and_the_spacefile_are_equal() -> None:
    is_now, should_be = readme(read(ROOT / NAME), ROOT)
    assert is_now == should_be, "run python -m blip2 space render"


def test_yaml_reads_what_was_meant() -> None:
    text = changed(
        ("title", 'title = "Yes: a # \\"quoted\\" title"\nlicense = "bsd-3-clause"\ntags = ["blip-2", "on", "a: b"]')
    )
    found = parsed(front_matter(parse(text)))
    assert found["title"] == 'Yes: a # "quoted" title'
    assert found["tags"] == ["blip-2", "on", "a: b"]
    assert found["sdk_version"] == "6.31.0"
    assert found["python_version"] == "3.12.12"
    assert found["emoji"] == "\U0001f5bc"
    assert found["suggested_hardware"] == "zero-a10g"
    assert found["pinned"] is False
    assert "models" not in found
    assert "short_description" not in found


def test_only_the_front_matter_of_a_readme_changes() -> None:
    body = "# Studio\n\nText.\n\n---\n\nMore.\n"
    once = with_front_matter(body, "---\na: 1\n---\n\n")
    assert once == "---\na: 1\n---\n\n" + body
    assert with_front_matter(once, "---\nb: 2\n---\n\n") == "---\nb: 2\n---\n\n" + body


def test_zerogpu_gets_another_torch_and_no_gradio(tmp_path: Path) -> None:
    spacefile = read(project(tmp_path))
    assert pushed_requirements(spacefile, tmp_path) == "torch==2.11.0\npillow==12.3.*  # pictures\nnumpy\n"


def test_other_hardware_keeps_our_torch(tmp_path: Path) -> None:
    text = changed(("hardware", 'hardware = "cpu-basic"'), ("torch", ""), text=TEXT)
    assert pushed_requirements(read(project(tmp_path, text)), tmp_path).startswith("torch==2.13.0\n")
