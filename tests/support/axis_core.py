"""An accelerator in Amaranth's simulator, clocked by its own port: no tools, cycle by cycle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from amaranth.sim import Simulator

from gen.engine.assemble import Assembly
from gen.engine.core_options import PLAIN, CoreOptions
from gen.engine.elaborate import Top


@dataclass
class Core:
    """The running accelerator. cycles: values of all ports but the clock just before each edge."""

    ctx: Any
    top: Top
    cycles: list[dict[str, int]] = field(default_factory=list)

    def set(self, **values: int) -> None:
        for name, value in values.items():
            self.ctx.set(getattr(self.top, name), value)

    async def step(self) -> dict[str, int]:
        """Passes a rising edge; the ports just before it."""
        await self.ctx.delay(5e-7)
        before = {
            name: self.ctx.get(getattr(self.top, name)) for name, *_ in self.top.options.ports[1:]
        }
        self.cycles.append(before)
        self.ctx.set(getattr(self.top, self.top.options.clock), 1)
        await self.ctx.delay(5e-7)
        self.ctx.set(getattr(self.top, self.top.options.clock), 0)
        return before

    async def offer(self, values: list[int], last: int = 0) -> None:
        """Hands over one value after another."""
        for value in values:
            self.set(s_axis_tdata=value, s_axis_tvalid=1, s_axis_tlast=last)
            while not (await self.step())["s_axis_tready"]:
                pass
        self.set(s_axis_tvalid=0)


def run(
    assembly: Assembly,
    scenario: Callable[[Core], Awaitable[None]],
    options: CoreOptions = PLAIN,
) -> None:
    """Runs `scenario` to its end."""
    top = Top(assembly, options)

    async def bench(ctx: Any) -> None:
        await scenario(Core(ctx, top))

    simulator = Simulator(top)
    simulator.add_testbench(bench)
    simulator.run()
