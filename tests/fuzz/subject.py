"""What is fuzzed: a kind of file, whole samples of it, how it is mutated, and how it is used."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.content import Change


def nothing(folder: Path) -> None:
    """No hash is to be made right."""


@dataclass(frozen=True)
class Subject:
    """One kind of file.

    make: writes a whole sample into a folder. changes: mutations, by the files that they are of, as
    globs in it. use: reads it and does what the program would do next. heal: makes hashes right
    after a mutation. weight: how often, beside others.
    """

    name: str
    make: Callable[[Path], None]
    changes: Mapping[str, Change]
    use: Callable[[Path], object]
    heal: Callable[[Path], None] = nothing
    weight: int = 1

    def sample(self, root: Path) -> Path:
        """The whole sample under `root`, made when it is first asked for."""
        folder = root / self.name
        if not folder.is_dir():
            part = root / f".{self.name}"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            self.make(part)
            part.rename(folder)
        return folder

    def mutate(self, whole: Path, folder: Path, rng: random.Random) -> str:
        """Puts a mutated copy of the sample `whole` at `folder`; returns what was changed."""
        shutil.copytree(whole, folder, symlinks=True)
        pattern = rng.choice(list(self.changes))
        path = rng.choice(sorted(folder.glob(pattern)))
        try:
            path.write_bytes(self.changes[pattern](path.read_bytes(), rng))
        except (ValueError, RecursionError) as error:  # such a value cannot be written
            path.write_bytes(path.read_bytes()[: rng.randint(0, path.stat().st_size)])
            return f"{path.name}: cut ({type(error).__name__})"
        if rng.random() < 0.8:
            try:
                self.heal(folder)
            except Exception as error:  # what is damaged may have no hash
                return f"{path.name}: not healed ({type(error).__name__})"
        return path.name
