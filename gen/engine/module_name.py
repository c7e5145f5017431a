"""Names that the module of an accelerator may have in someone else's design."""

from __future__ import annotations

import re

from model.errors import RequestError

TOP = "shiftadd_top"
"""The name unless another is asked for."""
MOST = 64
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_BENCH = re.compile(r"bench|stream_\w*|shiftadd_\w*")
"""Modules of the benches and of boards, which stand beside it."""

_KEYWORDS = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic
before begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle
checker class clocking cmos config const constraint context continue cover covergroup coverpoint
cross deassign default defparam design disable dist do edge else end endcase endchecker endclass
endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage
endprimitive endprogram endproperty endsequence endspecify endtable endtask enum event eventually
expect export extends extern final first_match for force foreach forever fork forkjoin function
generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies
import incdir include initial inout input inside instance int integer interconnect interface
intersect join join_any join_none large let liblist library local localparam logic longint
macromodule matches medium modport module nand negedge nettype new nexttime nmos nor
noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive
priority program property protected pull0 pull1 pulldown pullup pulsestyle_ondetect
pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on
release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually
s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small
soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1
sync_accept_on sync_reject_on table tagged task this throughout time timeprecision timeunit tran
tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until
until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while
wildcard wire with within wor xnor xor
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Of SystemVerilog (IEEE 1800-2017, annex B), Verilog's among them."""


def checked(name: str) -> str:
    """`name`, if a module may be called so in anyone's tools; RequestError says why not.

    Cells of FPGAs are in capitals, so a name has a small letter.
    """
    if name == TOP:
        return name
    if not PLAIN.fullmatch(name) or len(name) > MOST:
        rule = f"must be letters, digits and _, no digit first, at most {MOST}"
    elif name in KEYWORDS:
        rule = "is a word of Verilog or SystemVerilog"
    elif name == name.upper():
        rule = "must have a small letter, as cells of FPGAs are in capitals"
    elif _BENCH.fullmatch(name):
        rule = "is kept for modules of shiftadd"
    else:
        return name
    raise RequestError(f"--top {name[:80]!r}: {rule}; choose another name")
