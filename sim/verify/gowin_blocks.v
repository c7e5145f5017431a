// Gowin block RAM and multipliers, of which yosys has only empty models, as far as synthesis and
// place and route use them: resets synchronous, multipliers without registers. After Gowin's UG285
// (memories) and UG287 (DSP).

`define GOWIN_INIT(BITS) parameter [BITS-1:0] \
  INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, \
  INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, \
  INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, \
  INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0, \
  INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, INIT_RAM_18 = 0, \
  INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0, \
  INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, \
  INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, \
  INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, \
  INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, INIT_RAM_31 = 0, \
  INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, \
  INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0, \
  INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
`define GOWIN_ROWS { \
  INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, \
  INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, \
  INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, \
  INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, \
  INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, \
  INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16, \
  INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F, \
  INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08, \
  INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, \
  INIT_RAM_00}

// Both ports of a block: 512 rows of four bytes, each of BYTE bits (8, in the types with a 9: 9).
// A word of 1 to 36 bits is a part of a row; from 16 bits on its lowest address bits enable bytes.
// MODE, of a port that writes, 0: reads nothing; 1: reads what it writes; 2: reads what was there.
module gowin_bsram #(
  parameter BYTE = 9, WIDTH_A = 9, WIDTH_B = 9, MODE_A = 0, MODE_B = 0, REG_A = 0, REG_B = 0,
  parameter [512*4*BYTE-1:0] INIT = 0
) (
  input CLKA, CEA, WREA, OCEA, RESETA, input [13:0] ADA, input [35:0] DIA, output [35:0] DOA,
  input CLKB, CEB, WREB, OCEB, RESETB, input [13:0] ADB, input [35:0] DIB, output [35:0] DOB
);
  reg [4*BYTE-1:0] row [0:511];
  integer i;
  initial for (i = 0; i < 512; i = i + 1) row[i] = INIT[i * 4 * BYTE +: 4 * BYTE];

  // first bit of a word in its row
  function integer place(input integer width, input [13:0] a);
    if (width < 8) place = a[4:3] * BYTE + (a[2:0] & ~(width - 1));
    else if (width < 16) place = a[4:3] * BYTE;
    else if (width < 32) place = a[4] * 2 * BYTE;
    else place = 0;
  endfunction

  // bits of a word that are enabled
  function [35:0] mask(input integer width, input [13:0] a);
    integer k;
    if (width < 16) mask = (36'd1 << width) - 1;
    else begin
      mask = 0;
      for (k = 0; k < 4; k = k + 1)
        if (k < width / 8 && a[k]) mask[k * BYTE +: BYTE] = {BYTE{1'b1}};
    end
  endfunction

  wire [35:0] ones_a = WIDTH_A >= 32 ? ~36'd0 : (36'd1 << WIDTH_A) - 1;
  wire [35:0] ones_b = WIDTH_B >= 32 ? ~36'd0 : (36'd1 << WIDTH_B) - 1;
  wire [35:0] mask_a = mask(WIDTH_A, ADA), mask_b = mask(WIDTH_B, ADB);
  wire [35:0] put_a = mask_a << place(WIDTH_A, ADA), put_b = mask_b << place(WIDTH_B, ADB);
  wire [35:0] new_a = DIA << place(WIDTH_A, ADA), new_b = DIB << place(WIDTH_B, ADB);
  wire [35:0] old_a = row[ADA[13:5]] >> place(WIDTH_A, ADA) & ones_a;
  wire [35:0] old_b = row[ADB[13:5]] >> place(WIDTH_B, ADB) & ones_b;
  reg [35:0] fa = 0, fb = 0, ra = 0, rb = 0; // first and output registers
  integer j, k;

  always @(posedge CLKA) begin
    if (RESETA) fa <= 0;
    else if (CEA && (!WREA || MODE_A != 0))
      fa <= WREA && MODE_A == 1 ? old_a & ~mask_a | DIA & mask_a : old_a;
    if (RESETA) ra <= 0;
    else if (OCEA) ra <= fa;
    if (CEA && WREA)
      for (j = 0; j < 4 * BYTE; j = j + 1) if (put_a[j]) row[ADA[13:5]][j] <= new_a[j];
  end
  always @(posedge CLKB) begin
    if (RESETB) fb <= 0;
    else if (CEB && (!WREB || MODE_B != 0))
      fb <= WREB && MODE_B == 1 ? old_b & ~mask_b | DIB & mask_b : old_b;
    if (RESETB) rb <= 0;
    else if (OCEB) rb <= fb;
    if (CEB && WREB)
      for (k = 0; k < 4 * BYTE; k = k + 1) if (put_b[k]) row[ADB[13:5]][k] <= new_b[k];
  end
  assign DOA = REG_A ? ra : fa, DOB = REG_B ? rb : fb;
endmodule

// One port: SP, and SPX9 with bytes of nine bits.
`define GOWIN_SP(NAME, WORD, BYTE_BITS) module NAME ( \
  input CLK, CE, WRE, OCE, RESET, input [2:0] BLKSEL, \
  input [13:0] AD, input [WORD-1:0] DI, output [WORD-1:0] DO \
); \
  parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = WORD, BLK_SEL = 0, RESET_MODE = "SYNC"; \
  `GOWIN_INIT(32*BYTE_BITS) \
  gowin_bsram #( \
    .BYTE(BYTE_BITS), .WIDTH_A(BIT_WIDTH), .MODE_A(WRITE_MODE), .REG_A(READ_MODE), \
    .INIT(`GOWIN_ROWS) \
  ) block ( \
    .CLKA(CLK), .CEA(CE && BLKSEL == BLK_SEL), .WREA(WRE), .OCEA(OCE), .RESETA(RESET), .ADA(AD), \
    .DIA(DI), .DOA(DO), .CLKB(1'b0), .CEB(1'b0), .WREB(1'b0), .OCEB(1'b0), .RESETB(1'b0), \
    .ADB(14'd0), .DIB(36'd0), .DOB() \
  ); \
endmodule
`GOWIN_SP(SP, 32, 8)
`GOWIN_SP(SPX9, 36, 9)

module SDPX9B (
  input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB, input [2:0] BLKSELA, BLKSELB,
  input [13:0] ADA, ADB, input [35:0] DI, output [35:0] DO
);
  parameter READ_MODE = 0, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36, RESET_MODE = "SYNC";
  parameter BLK_SEL_0 = 0, BLK_SEL_1 = 0;
  `GOWIN_INIT(288)
  gowin_bsram #(
    .BYTE(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .REG_B(READ_MODE), .INIT(`GOWIN_ROWS)
  ) block (
    .CLKA(CLKA), .CEA(CEA && BLKSELA == BLK_SEL_0), .WREA(1'b1), .OCEA(1'b0), .RESETA(RESETA),
    .ADA(ADA), .DIA(DI), .DOA(), .CLKB(CLKB), .CEB(CEB && BLKSELB == BLK_SEL_1), .WREB(1'b0),
    .OCEB(OCE), .RESETB(RESETB), .ADB(ADB), .DIB(36'd0), .DOB(DO)
  );
endmodule

// Two ports that read and write: DPB, and DPX9B with bytes of nine bits.
`define GOWIN_DPB(NAME, WORD, BYTE_BITS) module NAME ( \
  input CLKA, CEA, WREA, OCEA, RESETA, CLKB, CEB, WREB, OCEB, RESETB, \
  input [2:0] BLKSELA, BLKSELB, \
  input [13:0] ADA, ADB, input [WORD-1:0] DIA, DIB, output [WORD-1:0] DOA, DOB \
); \
  parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0; \
  parameter BIT_WIDTH_0 = WORD, BIT_WIDTH_1 = WORD, BLK_SEL_0 = 0, BLK_SEL_1 = 0; \
  parameter RESET_MODE = "SYNC"; \
  `GOWIN_INIT(32*BYTE_BITS) \
  gowin_bsram #( \
    .BYTE(BYTE_BITS), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0), \
    .MODE_B(WRITE_MODE1), .REG_A(READ_MODE0), .REG_B(READ_MODE1), .INIT(`GOWIN_ROWS) \
  ) block ( \
    .CLKA(CLKA), .CEA(CEA && BLKSELA == BLK_SEL_0), .WREA(WREA), .OCEA(OCEA), .RESETA(RESETA), \
    .ADA(ADA), .DIA(DIA), .DOA(DOA), .CLKB(CLKB), .CEB(CEB && BLKSELB == BLK_SEL_1), \
    .WREB(WREB), .OCEB(OCEB), .RESETB(RESETB), .ADB(ADB), .DIB(DIB), .DOB(DOB) \
  ); \
endmodule
`GOWIN_DPB(DPB, 16, 8)
`GOWIN_DPB(DPX9B, 18, 9)

`define GOWIN_MULT(NAME, BITS) module NAME ( \
  input [BITS-1:0] A, B, SIA, SIB, input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET, \
  output [2*BITS-1:0] DOUT, output [BITS-1:0] SOA, SOB \
); \
  assign SOA = ASEL ? SIA : A, SOB = BSEL ? SIB : B; \
  assign DOUT = {{BITS{ASIGN & SOA[BITS-1]}}, SOA} * {{BITS{BSIGN & SOB[BITS-1]}}, SOB}; \
endmodule
`GOWIN_MULT(MULT9X9, 9)
`GOWIN_MULT(MULT18X18, 18)

module MULT36X36 (
  input [35:0] A, B, input ASIGN, BSIGN, CE, CLK, RESET, output [71:0] DOUT
);
  assign DOUT = {{36{ASIGN & A[35]}}, A} * {{36{BSIGN & B[35]}}, B};
endmodule
