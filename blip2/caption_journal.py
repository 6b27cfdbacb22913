"""A file of captions that grows by a line for each picture, and that a killed program can go on with.

JSON lines, or CSV where its name ends in `.csv`. Every line is handed to the system before the next picture is looked
at. Taken up again, a line that was cut off and lines of pictures that had failed are dropped, in one step, so that no
picture is lost and none is there twice.
"""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from blip2.caption_tables import HEAD, csv_head, csv_row, json_lines
from blip2.errors import BadSetting
from blip2.spreadsheets import FORMULA


class CaptionJournal:
    """The open file; with `resume` what is in it stays. Raises `BadSetting` where it cannot be used."""

    def __init__(self, path: Path, resume: bool = False) -> None:
        self.path = path.resolve()  # a link is kept, what it leads to is replaced
        self._is_csv = path.suffix.lower() == ".csv"
        try:
            is_file = self.path.is_file() or not self.path.exists()  # a pipe or a device is written to as it is
            kept = dict(self._read()) if resume and is_file and path.exists() else {}
            if is_file:
                self._start(kept)
            self._file: TextIO = path.open("a", encoding="utf-8", newline="")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise BadSetting(f"The captions cannot be written to {str(path)!r}: {why}.") from error
        self._done = frozenset(kept)

    def has(self, file: str | Path) -> bool:
        """Whether the picture had its caption before this program began."""
        return os.path.abspath(file) in self._done

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row, as `Captioned.to_json` gives it."""
        self._file.write(csv_row(row) if self._is_csv else next(json_lines([row])))
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, kept: Mapping[str, str]) -> None:
        """Put a file with the lines that stay in place of the old one."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                file.write(csv_head() if self._is_csv else "")
                file.writelines(kept.values())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def _read(self) -> Iterator[tuple[str, str]]:
        """The captioned pictures' absolute paths, and their lines, to the letter."""
        with self.path.open(encoding="utf-8", newline="") as file:
            for name, line in self._csv_lines(file) if self._is_csv else self._json_lines(file):
                yield os.path.abspath(name), line

    def _json_lines(self, file: TextIO) -> Iterator[tuple[str, str]]:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if line.endswith("\n") and isinstance(row, dict) and row.get("file") and not row.get("error"):
                yield str(row["file"]), line

    def _csv_lines(self, file: TextIO) -> Iterator[tuple[str, str]]:
        taken: list[str] = []

        def noted() -> Iterator[str]:
            for line in file:
                taken.append(line)
                yield line

        at = {name: number for number, name in enumerate(HEAD)}
        head = ""
        try:
            for number, cells in enumerate(csv.reader(noted(), strict=True)):
                text = "".join(taken)
                taken.clear()
                if number == 0:
                    head = text
                if head != csv_head():
                    raise BadSetting(f"{str(self.path)!r} is no file of captions; write to another one.")
                if number and text.endswith("\r\n") and len(cells) == len(HEAD) and not cells[at["error"]]:
                    yield _plain(cells[at["file"]]), text
        except csv.Error:  # the last line was cut off within a quotation
            return


def _plain(cell: str) -> str:
    """A cell without the apostrophe that made it harmless."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
