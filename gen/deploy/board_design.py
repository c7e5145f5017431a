"""An accelerator behind its serial link: one Verilog text for a board, real or virtual."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from gen.engine.elaborate import Accelerator, answers
from gen.host.link_protocol import VERSION, BoardInfo
from gen.support.verilog import verilog
from model import golden
from model.spec import Network, infer
from rtl.link.link import Link, slots

TOP, LINK = "shiftadd_board", "shiftadd_link"


@dataclass(frozen=True)
class BoardDesign:
    """Hardware of one network with ports clk, rst, rx, tx, led_busy and led_error.

    info: what the board answers to `identify`, and so what its host must expect. self_test: the
    built-in image and its right answer, as bytes.
    """

    verilog: str
    top: str
    info: BoardInfo
    self_test: tuple[bytes, bytes]

    @property
    def hash(self) -> str:
        """Content hash of the Verilog."""
        return hashlib.sha256(self.verilog.encode()).hexdigest()


def board_design(
    accelerator: Accelerator,
    network: Network,
    *,
    clock_hz: int,
    baud: int,
    image: np.ndarray | None = None,
) -> BoardDesign:
    """`accelerator`, made of `network`, behind a link of `baud` bits a second.

    clock_hz: cycles a second. image: integers (height, width, channels), the built-in vector of the
    self-test; noise if there is none. Raises ValueError where the clock cannot make the rate, or
    the image does not fit.
    """
    pixels = _noise(network) if image is None else np.asarray(image)
    vector = (pixels.astype(np.int64).reshape(-1) & 0xFF).astype(np.uint8).tobytes()
    info = _info(accelerator, network, clock_hz, baud, vector)
    self_test = (vector, _answer(network, pixels, accelerator.bytes_out))
    link = Link(
        clock_hz=clock_hz,
        baud=baud,
        image_bytes=accelerator.bytes_in,
        score_bytes=accelerator.bytes_out,
        identity=info.pack(),
        self_test=self_test,
    )
    text = "\n".join([verilog(link, LINK), accelerator.verilog, _top(accelerator.top)])
    return BoardDesign(text, TOP, info, self_test)


def _info(
    accelerator: Accelerator, network: Network, clock_hz: int, baud: int, vector: bytes
) -> BoardInfo:
    scores = infer(network)[network.nodes[-1].name]
    height, width, channels = network.input.shape
    design = repr((accelerator.hash, VERSION, clock_hz, baud, vector))
    return BoardInfo(
        protocol=VERSION,
        design=hashlib.sha256(design.encode()).hexdigest(),
        network=accelerator.network_hash,
        height=height,
        width=width,
        channels=channels,
        input_bits=network.input.format.bits,
        input_signed=network.input.format.signed,
        classes=scores.shape[2],
        score_bytes=(accelerator.bytes_out - 1) // scores.shape[2],
        score_signed=scores.signed,
        clock_hz=clock_hz,
        baud=baud,
        window=slots(accelerator.bytes_in),
    )


def _noise(network: Network) -> np.ndarray:
    """An image that a seed decides, every value of the input's range equally likely."""
    form = network.input.format
    rng = np.random.default_rng(0)
    return rng.integers(form.lo, form.hi, size=network.input.shape, endpoint=True)


def _answer(network: Network, image: np.ndarray, bytes_out: int) -> bytes:
    """What the golden model answers."""
    images = torch.from_numpy(image.astype(np.int64))[None]
    scores = golden.run(network, images)[network.nodes[-1].name].flatten(1).numpy()
    return answers(scores, bytes_out).astype(np.uint8).tobytes()


def _top(accelerator: str) -> str:
    """The module that holds both; `s_axis` and `m_axis` are those of the accelerator.

    With SHIFTADD_RUN defined there is an input `run`, with which a simulator stops the clock of the
    accelerator. It may do so while led_busy is low, as there is no image inside then.
    """
    streams = [
        f"{side}_axis_{part}" for side in "sm" for part in ("tdata", "tvalid", "tready", "tlast")
    ]
    wires = "\n".join(f"  wire {'[7:0] ' if 'tdata' in s else ''}{s};" for s in streams)
    ports = ", ".join(f".{s}({s})" for s in streams)
    return f"""module {TOP}(
`ifdef SHIFTADD_RUN
  input run,
`endif
  input clk, input rst, input rx, output tx, output led_busy, output led_error
);
{wires}
  {LINK} link(.clk(clk), .rst(rst), .rx(rx), .tx(tx), .busy(led_busy), .error(led_error),
    {ports});
`ifdef SHIFTADD_RUN
  wire clock = clk & run;
`else
  wire clock = clk;
`endif
  {accelerator} accelerator(.clk(clock), .rst(rst),
    {ports});
endmodule
"""
