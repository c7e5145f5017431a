"""The border: what a file may say, what is refused, and that the line names place and rule."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from model.errors import RequestError
from model.records import LARGEST_FILE, Digest, FileHead, Positive, convert, decode, read


@dataclass(frozen=True)
class Inner:
    kernel: Positive
    note: str = ""


@dataclass(frozen=True)
class Outer:
    blocks: tuple[Inner, ...]
    scale: int | float = 1
    sums: dict[str, Digest] = field(default_factory=dict)


def said(content: str | bytes, *, toml: bool = False, head: FileHead | None = None) -> str:
    with pytest.raises(RequestError) as caught:
        decode(content, Outer, source="f", error=RequestError, toml=toml, head=head)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("f: ")
    assert len(line) < 300
    return line


@pytest.mark.parametrize("toml", [False, True])
def test_what_is_of_the_form_is_read(toml: bool) -> None:
    text = "blocks = [{kernel = 3}]\nscale = 2" if toml else '{"blocks":[{"kernel":3}],"scale":2}'
    assert decode(text, Outer, source="f", error=RequestError, toml=toml) == Outer((Inner(3),), 2)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"blocks":[{"kernel":3},{"kernel":"3"}]}', "$.blocks[1].kernel: Expected int, got str"),
        ('{"blocks":[{"kernel":true}]}', "$.blocks[0].kernel: Expected int, got bool (True)"),
        ('{"blocks":[{"kernel":0}]}', "$.blocks[0].kernel: Expected int >= 1 (0)"),
        ('{"blocks":[{}]}', "$.blocks[0]: Object missing required field kernel"),
        ('{"blocks":[{"kernel":1,"x":2}]}', "$.blocks[0]: unknown field 'x'; known are kernel, no"),
        ('{"blocks":[],"z":1}', "$: unknown field 'z'"),
        ('{"blocks":[],"scale":1e999}', "$.scale: inf must be a number up to 1e+100"),
        ('{"blocks":[],"scale":1e308}', "$.scale: 1e+308 must be a number up to 1e+100"),
        ('{"blocks":[],"scale":NaN}', "$.scale: nan must be a number"),
        ('{"blocks":[],"scale":9223372036854775808}', "$.scale: an integer beyond 64 bits"),
        (f'{{"blocks":[],"scale":{"9" * 5000}}}', "not JSON (Exceeds the limit"),
        ('{"blocks":[],"blocks":[]}', "'blocks' stands twice in one object"),
        ('{"blocks":[],"sums":{"a":"00"}}', "$.sums[...]: Expected str matching regex"),
        ('{"blocks":[],"sums":{"a\\u0000":"0"}}', "holds NUL or half a character"),
        ('{"blocks":[{"kernel":1,"note":"\\ud800"}]}', "$.blocks[0].note: '\\ud800' holds NUL or"),
        (b'{"blocks":"\xff"}', "not JSON ('utf-8' codec can't decode byte 0xff"),
        ("[" * 100_000, "nested deeper than 32"),
        ('{"blocks":' + "[" * 40 + "]" * 40 + "}", "nested deeper than 32"),
        ("[]", "$: Expected object, got array"),
        ("", "not JSON (Expecting value"),
    ],
)
def test_json_is_refused_with_place_and_rule(content: str | bytes, line: str) -> None:
    assert line in said(content)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("blocks = []\nscale = inf", "$.scale: inf must be a number up to 1e+100"),
        ("blocks = []\nscale = 1979-05-27", "$.scale: a date must be a text or a number"),
        ("blocks = []\nblocks = []", "not TOML (Cannot overwrite a value"),
        ("blocks = " + "[" * 3000, "nested deeper than 32"),
        ("a." * 7000 + "a = 1", "nested deeper than 32"),
        ("blocks = [{kernel = 1", "not TOML (Unclosed inline table"),
    ],
)
def test_toml_is_refused_with_place_and_rule(content: str, line: str) -> None:
    assert line in said(content, toml=True)


def test_only_texts_and_numbers_stand_in_a_file() -> None:
    with pytest.raises(RequestError, match=r"f: \$\.scale: a complex must be a text or a number"):
        convert({"blocks": [], "scale": 1j}, Outer, source="f", error=RequestError)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ('{"version":1,"blocks":[]}', "f: not of format 'x'; restore the file"),
        ('{"format":"x","version":2,"blocks":[]}', "version 2 is not 1, the one known here; upd"),
        ('{"format":"x","version":"1","blocks":[]}', "version '1' is not 1, the one known here; r"),
        ('{"format":"x","version":true,"blocks":[]}', "version True is not 1"),
    ],
)
def test_a_head_says_format_and_version(given: str, line: str) -> None:
    assert line in said(given, head=FileHead("x", 1))


def test_only_regular_files_of_bounded_size_are_opened(tmp_path: Path) -> None:
    fifo, large = tmp_path / "fifo.json", tmp_path / "large.json"
    os.mkfifo(fifo)
    large.write_bytes(b" " * (LARGEST_FILE + 1))
    rules = {
        fifo: "is no regular file", tmp_path: "Is a directory", Path("/dev/zero"): "no regular",
        large: "larger than 4194304 bytes", tmp_path / "none": "cannot be read (No such file",
        tmp_path / "a\0b": "cannot be read (embedded null byte)",
    }  # fmt: skip
    for path, rule in rules.items():
        with pytest.raises(RequestError, match="; ") as caught:
            read(path, Outer, error=RequestError)
        assert rule in str(caught.value)


HEAVY = """
import resource, sys, time
from model.errors import RequestError
from model.records import LARGEST_FILE, LARGEST_TOML, decode
for text, toml in (("[" + "[]," * (LARGEST_FILE // 3 - 2) + "[]]", False),
                   ("a." * (LARGEST_TOML // 2 - 3) + "a = 1", True)):
    began = time.process_time()
    try:
        decode(text, dict, source="f", error=RequestError, toml=toml)
    except RequestError:
        print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_the_worst_file_that_is_read_takes_neither_seconds_nor_a_gigabyte() -> None:
    run = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    rows = [tuple(map(float, line.split())) for line in run.stdout.splitlines()]
    assert len(rows) == 2
    assert all(seconds < 5 and kilobytes < 1 << 20 for seconds, kilobytes in rows), rows
