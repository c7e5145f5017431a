"""Contents of files, mutated: bytes, and what is inside an archive, so that its sums are right."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.fuzz.values import mutated, to_json, to_toml

Change = Callable[[bytes, random.Random], bytes]


def damaged(raw: bytes, rng: random.Random) -> bytes:
    """Flipped bits, cuts, and bytes that are put in, taken out, repeated or set to an end."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, size = rng.randint(0, len(data)), rng.choice((1, 2, 4, 8, 64))
        match rng.randrange(9):
            case 0 | 1 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 2:
                del data[at:]
            case 3:
                del data[at : at + size]
            case 4:
                data[at:at] = rng.randbytes(size)
            case 5:
                data[at : at + size] = rng.choice((b"\xff", b"\0", b"\x7f", b" ")) * size
            case 6:
                data[at:at] = data[at : at + 64] * rng.choice((1, 50))
            case 7:
                data[at : at + 8] = struct.pack("<q", rng.choice((1 << 40, -1, 1 << 62, 10**9)))
            case _:
                data[at : at + 4] = struct.pack(
                    rng.choice("<>") + "I", rng.choice((1 << 31, 1 << 16))
                )
    return bytes(data)


def as_json(raw: bytes, rng: random.Random) -> bytes:
    """A JSON document with other values; now and then damaged bytes."""
    if rng.random() < 0.15:
        return damaged(raw, rng)
    return to_json(mutated(json.loads(raw), rng)).encode("utf-8", "surrogatepass")


def as_lines(raw: bytes, rng: random.Random) -> bytes:
    """A line of JSON among others."""
    lines = raw.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    lines[at] = as_json(lines[at], rng) + rng.choice((b"\n", b"\n", b"", b"\n\n"))
    return b"".join(lines)


def as_toml(raw: bytes, rng: random.Random) -> bytes:
    import tomllib

    if rng.random() < 0.2:
        return damaged(raw, rng)
    tree = tomllib.loads(raw.decode())
    return to_toml(mutated(tree, rng)).encode("utf-8", "surrogatepass")


def as_safetensors(raw: bytes, rng: random.Random) -> bytes:
    """Header or numbers; the size of the header is right again."""
    size = int.from_bytes(raw[:8], "little")
    head, body = raw[8 : 8 + size], raw[8 + size :]
    match rng.randrange(4):
        case 0:
            return damaged(raw, rng)
        case 1:
            body = damaged(body, rng)
        case _:
            head = as_json(head, rng)
    return len(head).to_bytes(8, "little") + head + body


def as_npy(raw: bytes, rng: random.Random) -> bytes:
    """The description of an array, or its bytes."""
    if rng.random() < 0.4:
        return damaged(raw, rng)
    size = int.from_bytes(raw[8:10], "little")
    head, body = raw[10 : 10 + size].decode("latin-1"), raw[10 + size :]
    key = rng.choice(("descr", "shape", "fortran_order", "{", "}", ","))
    odd = (
        "'descr': '<i8', 'descr'", "'descr': '|O', 'x'", "'descr': '<f8', 'x'",
        "'descr': '>i4', 'x'", "'shape': (1000000000000,), 'x'", "'shape': (-1, 4), 'x'",
        "'shape': (0, 5), 'x'", "'shape': (), 'x'", "'shape': (9" + "9" * 30 + ",), 'x'",
        "(" * 300, "[" * 5000, "-" * 9000, "'fortran_order': True, 'x'", "1 if 1 else",
        "'descr': [('a', '<i4')], 'x'", "'descr': None, 'x'",
    )  # fmt: skip
    head = head.replace(f"'{key}'" if key.isalpha() else key, rng.choice(odd), 1)
    return raw[:8] + (len(head) & 0xFFFF).to_bytes(2, "little") + head.encode("latin-1") + body


def as_gz(inner: Change) -> Change:
    def change(raw: bytes, rng: random.Random) -> bytes:
        if rng.random() < 0.3:
            return damaged(raw, rng)
        return gzip.compress(inner(gzip.decompress(raw), rng), 1, mtime=0)

    return change


def as_zip(inner: Change) -> Change:
    """A member of an archive, whose checksums are right again; or a name, or the archive."""

    def change(raw: bytes, rng: random.Random) -> bytes:
        if rng.random() < 0.25:
            return damaged(raw, rng)
        with zipfile.ZipFile(io.BytesIO(raw)) as old:
            members = [(info.filename, old.read(info)) for info in old.infolist()]
        at = rng.randrange(len(members))
        name, content = members[at]
        match rng.randrange(6):
            case 0:
                del members[at]
            case 1:
                odd = ("../x", "/x", "", name + "/", "x.npy", name.swapcase(), "a\\b", "\u202e")
                members[at] = rng.choice(odd), content
            case 2:
                members[at] = name, bytes(rng.choice((0, 1, 1 << 20)))
            case _:
                members[at] = name, inner(content, rng)
        out = io.BytesIO()
        pack = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        with zipfile.ZipFile(out, "w", pack) as new:
            for one, content in members:
                new.writestr(zipfile.ZipInfo(one), content, pack)
        return out.getvalue()

    return change


def as_png(raw: bytes, rng: random.Random) -> bytes:
    """A chunk of a picture, whose sum is right again."""
    if rng.random() < 0.4:
        return damaged(raw, rng)
    out, at, chunks = raw[:8], 8, []
    while at + 12 <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        chunks.append((raw[at + 4 : at + 8], raw[at + 8 : at + 8 + size]))
        at += 12 + size
    at = rng.randrange(len(chunks))
    kind, body = chunks[at]
    if kind == b"IDAT" and rng.random() < 0.7:
        body = zlib.compress(damaged(zlib.decompress(body), rng))
    elif body:
        body = damaged(body, rng)
    chunks[at] = kind, body
    for kind, body in chunks:
        out += len(body).to_bytes(4, "big") + kind + body
        out += zlib.crc32(kind + body).to_bytes(4, "big")
    return out


def as_text(raw: bytes, rng: random.Random) -> bytes:
    """A cell of a table."""
    if rng.random() < 0.3:
        return damaged(raw, rng)
    cells = raw.decode().replace("\n", ",\n,").split(",")
    for _ in range(rng.choice((1, 1, 4))):
        odd = (
            "",
            "nan",
            "inf",
            "1e999",
            "x",
            '"',
            "-1",
            "0x10",
            "9" * 400,
            "\0",
            "1,2",
            " 1 ",
            "1_0",
        )
        cells[rng.randrange(len(cells))] = rng.choice(odd)
    return ",".join(cells).replace(",\n,", "\n").encode()
