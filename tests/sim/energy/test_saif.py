"""SAIF: nets of one instance, and what is no SAIF."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.energy.saif import NetActivity, SaifError, parse, read

FILE = r"""// by a simulator
(SAIFILE
(SAIFVERSION "2.0 (of 2010)")
(DURATION 4000)
 (INSTANCE bench
  (NET
   (clk (T0 2000) (T1 2000) (TZ 0) (TX 0) (TB 0) (TC 9))
  )
  (INSTANCE device0
   (NET
    (n7 (T0 3000) (T1 1000) (TZ 0) (TX 0) (TB 0) (TC 2))
    (bus\[3\] (T0 4000) (T1 0) (TZ 0) (TX 0) (TB 0) (TC 0))
   )
   (INSTANCE inner
    (NET
     (n7 (T0 0) (T1 4000) (TZ 0) (TX 0) (TB 0) (TC 5))
    )
   )
  )
 )
)
"""


def test_nets_of_one_instance() -> None:
    activity = parse(FILE.splitlines(), "device0")
    assert activity.duration == 4000
    assert activity.nets == {"n7": NetActivity(1000, 2), "bus[3]": NetActivity(0, 0)}
    assert parse(FILE.splitlines(), "inner").nets == {"n7": NetActivity(4000, 5)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (FILE.rstrip()[:-2], "it ends before its lists do"),
        (FILE + ")", "a parenthesis too many"),
        (FILE.replace("device0", "other"), "no instance 'device0'"),
        (FILE.replace("(TC 2)", "(TC two)"), "'two' where a whole number should be"),
    ],
)
def test_what_is_no_saif_is_told(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    path.write_text(text)
    with pytest.raises(SaifError, match=why):
        read(path, "device0")
