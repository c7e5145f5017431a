// Lattice ECP5 block RAM and multiplier, as far as synthesis and gen/flow/passes/registers.py use them: no
// resets, chip selects low, clock 0. yosys has only empty models of these two.

module DP16KD(
  input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
  input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13,
    DIA14, DIA15, DIA16, DIA17,
    input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13,
    DIB14, DIB15, DIB16, DIB17,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13,
    DOA14, DOA15, DOA16, DOA17,
    output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13,
    DOB14, DOB15, DOB16, DOB17,
  input CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
  input CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "DISABLED";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000", CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0;
  parameter [319:0] INITVAL_02 = 0, INITVAL_03 = 0;
  parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0;
  parameter [319:0] INITVAL_06 = 0, INITVAL_07 = 0;
  parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0;
  parameter [319:0] INITVAL_0A = 0, INITVAL_0B = 0;
  parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0;
  parameter [319:0] INITVAL_0E = 0, INITVAL_0F = 0;
  parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0;
  parameter [319:0] INITVAL_12 = 0, INITVAL_13 = 0;
  parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0;
  parameter [319:0] INITVAL_16 = 0, INITVAL_17 = 0;
  parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0;
  parameter [319:0] INITVAL_1A = 0, INITVAL_1B = 0;
  parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0;
  parameter [319:0] INITVAL_1E = 0, INITVAL_1F = 0;
  parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0;
  parameter [319:0] INITVAL_22 = 0, INITVAL_23 = 0;
  parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0;
  parameter [319:0] INITVAL_26 = 0, INITVAL_27 = 0;
  parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0;
  parameter [319:0] INITVAL_2A = 0, INITVAL_2B = 0;
  parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0;
  parameter [319:0] INITVAL_2E = 0, INITVAL_2F = 0;
  parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0;
  parameter [319:0] INITVAL_32 = 0, INITVAL_33 = 0;
  parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0;
  parameter [319:0] INITVAL_36 = 0, INITVAL_37 = 0;
  parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0;
  parameter [319:0] INITVAL_3A = 0, INITVAL_3B = 0;
  parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0;
  parameter [319:0] INITVAL_3E = 0, INITVAL_3F = 0;

    wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
    ADA1, ADA0};
    wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
    ADB1, ADB0};
    wire [17:0] dia = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
    DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
    DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};

  // 1024 rows of 18 bits; a row of INITVAL holds 16 of them, 20 bits apart
  reg [17:0] row [0:1023];
  localparam [64*320-1:0] INIT = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
      INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31,
      INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29,
      INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21,
      INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19,
      INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11,
      INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09,
      INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };
  integer i;
  initial for (i = 0; i < 1024; i = i + 1) row[i] = INIT[(i / 16) * 320 + (i % 16) * 20 +: 18];

  // position in its row of bit `lane` of a word at address a; bits 8 and 17 serve widths 9 and 18
  function integer place(input integer width, input [13:0] a, input integer lane);
    if (width >= 18) place = lane;
    else if (width == 9) place = a[3] * 9 + lane;
    else place = a[3] * 9 + (a[2:0] & ~(width - 1)) + lane;
  endfunction

  function [35:0] word(input integer width, input [13:0] a);
    integer i;
    begin
      word = 0;
      if (width == 36) word = {row[{a[13:5], 1'b1}], row[{a[13:5], 1'b0}]};
      else for (i = 0; i < width; i = i + 1) word[i] = row[a[13:4]][place(width, a, i)];
    end
  endfunction

  task store(input integer width, input [13:0] a, input [35:0] d);
    integer k;
    if (width == 36) begin
      for (k = 0; k < 4; k = k + 1) if (a[k]) row[{a[13:5], k[1]}][k[0] * 9 +: 9] = d[k * 9 +: 9];
    end else if (width == 18) begin
      for (k = 0; k < 2; k = k + 1) if (a[k]) row[a[13:4]][k * 9 +: 9] = d[k * 9 +: 9];
    end else for (k = 0; k < width; k = k + 1) row[a[13:4]][place(width, a, k)] = d[k];
  endtask

  reg [35:0] fa = 0, fb = 0, ra = 0, rb = 0; // first and output registers
  wire clka = (CLKAMUX == "INV") ^ CLKA, clkb = (CLKBMUX == "INV") ^ CLKB;

  always @(posedge clka) begin
    if (OCEA) ra <= fa;
    if (CEA) begin
      if (!WEA || WRITEMODE_A == "READBEFOREWRITE") fa <= word(DATA_WIDTH_A, ada);
      if (WEA) store(DATA_WIDTH_A, ada, {dib, dia});
      if (WEA && WRITEMODE_A == "WRITETHROUGH") fa <= word(DATA_WIDTH_A, ada);
    end
  end
  always @(posedge clkb) begin
    if (OCEB) rb <= fb;
    if (CEB) begin
      if (!WEB || WRITEMODE_B == "READBEFOREWRITE") fb <= word(DATA_WIDTH_B, adb);
      if (WEB) store(DATA_WIDTH_B, adb, {18'b0, dib});
      if (WEB && WRITEMODE_B == "WRITETHROUGH") fb <= word(DATA_WIDTH_B, adb);
    end
  end

  wire [35:0] oa = REGMODE_A == "OUTREG" ? ra : fa, ob = REGMODE_B == "OUTREG" ? rb : fb;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? ob[17:0] : oa[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? ob[35:18] : ob[17:0];
endmodule

module MULT18X18D(
  input A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
  input B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
  input C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,
    output P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18,
    P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
  parameter GSR = "ENABLED";

    wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1,
    A0};
    wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1,
    B0};
  reg [17:0] ra = 0, rb = 0;
  reg [35:0] rp = 0;
  wire [17:0] ua = REG_INPUTA_CLK == "NONE" ? a : ra;
  wire [17:0] ub = REG_INPUTB_CLK == "NONE" ? b : rb;
  wire [35:0] p = {{18{SIGNEDA & ua[17]}}, ua} * {{18{SIGNEDB & ub[17]}}, ub};
  always @(posedge CLK0) begin
    if (REG_INPUTA_CE == "CE1" ? CE1 : CE0) ra <= a;
    if (REG_INPUTB_CE == "CE2" ? CE2 : CE0) rb <= b;
    if (CE0) rp <= p;
  end
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
    P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0}
    = REG_OUTPUT_CLK == "NONE" ? p : rp;
endmodule
