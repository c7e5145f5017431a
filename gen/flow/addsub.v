// Additions and subtractions of the modules called *addsub* as they stand: alumacc would exchange
// the operands of some additions, and then `share` could not join them with the subtraction beside.
(* techmap_celltype = "$add $sub" *)
module addsub_alu (A, B, Y);
	parameter A_SIGNED = 0;
	parameter B_SIGNED = 0;
	parameter A_WIDTH = 1;
	parameter B_WIDTH = 1;
	parameter Y_WIDTH = 1;
	parameter _TECHMAP_CELLTYPE_ = "";
	input [A_WIDTH-1:0] A;
	input [B_WIDTH-1:0] B;
	output [Y_WIDTH-1:0] Y;
	wire [Y_WIDTH-1:0] X, CO;
	localparam SUBTRACT = _TECHMAP_CELLTYPE_ == "$sub";
	\$alu #(
		.A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED),
		.A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
	) _TECHMAP_REPLACE_ (.A(A), .B(B), .BI(SUBTRACT), .CI(SUBTRACT), .X(X), .Y(Y), .CO(CO));
endmodule
