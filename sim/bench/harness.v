// The simulation harness: streams are driven and recorded here, at the simulator's own speed.
// sim/bench/streams.py writes the files that it reads and reads the files that it writes.

// Replays the words of <ID>.in into a device, records what comes out to <ID>.log, stalls both sides
// at random, and watches that valid and payload are held until the transfer.
//
// <ID>.in: a line of decimals (see `settings`), then one hexadecimal word a line.
// <ID>.log: "a CYCLE" first word of an image accepted, "f CYCLE" last word of an image delivered,
//           "o WORD" each word delivered, "v CYCLE" valid or payload not held,
//           "e STOPPED CYCLE" the end: STOPPED is 1 after `patience` cycles without any transfer.
module stream_bench #(
    parameter ID = 0,
    parameter IN_BITS = 8,
    parameter OUT_BITS = 8
) (
    input  wire                clk,
    input  wire                rst,
    output reg  [ IN_BITS-1:0] i_payload,
    output reg                 i_valid,
    input  wire                i_ready,
    input  wire [OUT_BITS-1:0] o_payload,
    input  wire                o_valid,
    output reg                 o_ready,
    output reg                 probing,
    output reg                 done
);
    localparam DRAIN = 64;  // cycles after the last word in which a surplus word would show

    integer source, log, fields;
    integer words_in, words_out, total_in, total_out, stall_in, stall_out, patience, probe;
    reg [31:0] noise_in, noise_out;
    integer cycle, loaded, in_position, out_position, delivered, idle, drain;
    reg [IN_BITS-1:0] word;
    reg [OUT_BITS-1:0] held;
    reg waiting;

    function [31:0] xorshift(input [31:0] x);
        reg [31:0] y;
        begin
            y = x ^ (x << 13);
            y = y ^ (y >> 17);
            xorshift = y ^ (y << 5);
        end
    endfunction

    initial begin : settings
        source = $fopen($sformatf("%0d.in", ID), "r");
        log = $fopen($sformatf("%0d.log", ID), "w");
        fields = $fscanf(source, "%d %d %d %d %d %d %d %d", words_in, words_out, total_in,
                         total_out, stall_in, stall_out, patience, probe);
        fields = $fscanf(source, "%d %d", noise_in, noise_out);
        i_payload = 0;
        i_valid = 0;
        o_ready = 0;
        done = 0;
        waiting = 0;
        held = 0;
        probing = probe != 0;
        cycle = 0;
        loaded = 0;
        in_position = 0;
        out_position = 0;
        delivered = 0;
        idle = 0;
        drain = 0;
    end

    always @(posedge clk) if (!rst && !done) begin
        cycle = cycle + 1;
        idle = idle + 1;
        noise_in = xorshift(noise_in);
        noise_out = xorshift(noise_out);

        if (i_valid && i_ready) begin
            idle = 0;
            if (in_position == 0) $fdisplay(log, "a %0d", cycle);
            in_position = in_position + 1 == words_in ? 0 : in_position + 1;
        end
        if (!i_valid || i_ready) begin
            if (loaded < total_in && noise_in[7:0] >= stall_in) begin
                fields = $fscanf(source, "%h", word);
                loaded = loaded + 1;
                i_payload <= word;
                i_valid <= 1;
            end else begin
                i_payload <= ~i_payload;  // nobody may read it now
                i_valid <= 0;
            end
        end

        if (waiting && !(o_valid && o_payload === held)) $fdisplay(log, "v %0d", cycle);
        waiting = o_valid && !o_ready;
        held = o_payload;
        if (o_valid && o_ready) begin
            idle = 0;
            $fdisplay(log, "o %h", o_payload);
            delivered = delivered + 1;
            out_position = out_position + 1;
            if (out_position == words_out) begin
                out_position = 0;
                $fdisplay(log, "f %0d", cycle);
            end
        end
        o_ready <= noise_out[7:0] >= stall_out;

        if (delivered >= total_out) drain = drain + 1;
        if (drain > DRAIN || idle > patience) begin
            $fdisplay(log, "e %0d %0d", delivered < total_out, cycle);
            $fclose(log);
            done <= 1;
        end
    end
endmodule

// Records the words of a stream inside the device to <ID>.probe while `probing`; at the end a line
// "s VALID READY" with the state in which the stream stopped.
module stream_monitor #(
    parameter ID = 0,
    parameter BITS = 8
) (
    input wire            clk,
    input wire            rst,
    input wire            probing,
    input wire            done,
    input wire [BITS-1:0] payload,
    input wire            valid,
    input wire            ready
);
    integer log = 0;
    reg closed = 0;

    always @(posedge clk) if (probing && !rst && !closed) begin
        if (log == 0) log = $fopen($sformatf("%0d.probe", ID), "w");
        if (done) begin
            $fdisplay(log, "s %b %b", valid, ready);
            $fclose(log);
            closed = 1;
        end else if (valid && ready) $fdisplay(log, "%h", payload);
    end
endmodule
