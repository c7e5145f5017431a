// A board in Verilator behind a pseudo-terminal: bytes written to the terminal go bit by bit into
// the pin rx, what the pin tx sends can be read from it.
//
//   board LINK CLOCK_HZ BAUD
//
// LINK becomes a symbolic link to the terminal. Commands come on stdin, a byte each, and are
// answered by a line on stdout: 'u' pulls the cable out, 'p' plugs it in again. The end of stdin
// ends the program. While nothing goes on, on the line or in the board, time stands still; the
// accelerator, which is most of the work, is not clocked while the board has nothing to answer.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "Vboard.h"
#include "verilated.h"

// Cycles that the accelerator runs on behind an answer, so that it comes to rest.
static const long SETTLE = 1024;

// The terminal. Its far end is held open as well, so that it outlives the programs that use it.
class Cable {
    std::string link;
    int near = -1, far = -1;

  public:
    explicit Cable(const char* path) : link(path) { plug(); }
    ~Cable() { pull(); }

    int handle() const { return near; }

    void plug() {
        if (near >= 0) return;
        near = posix_openpt(O_RDWR | O_NOCTTY);
        if (near < 0 || grantpt(near) || unlockpt(near)) fail("no pseudo-terminal");
        const char* name = ptsname(near);
        far = open(name, O_RDWR | O_NOCTTY);
        termios raw;
        if (far < 0 || tcgetattr(far, &raw)) fail(name);
        cfmakeraw(&raw);
        tcsetattr(far, TCSANOW, &raw);
        fcntl(near, F_SETFL, O_NONBLOCK);
        const std::string part = link + ".part";
        unlink(part.c_str());
        if (symlink(name, part.c_str()) || rename(part.c_str(), link.c_str())) fail(link.c_str());
        say("plugged");
    }

    void pull() {
        if (near < 0) return;
        unlink(link.c_str());
        close(far);
        close(near);
        near = far = -1;
        say("pulled");
    }

    static void say(const char* what) {
        std::puts(what);
        std::fflush(stdout);
    }

    [[noreturn]] static void fail(const char* what) {
        std::perror(what);
        std::exit(1);
    }
};

// Drives a line with the bits of bytes, 8N1. bit: clock cycles of a bit, not rounded.
class Sender {
    const double bit;
    double rest = 0;  // cycles of this bit that are left
    unsigned word = 0, left = 0;

  public:
    explicit Sender(double cycles) : bit(cycles) {}
    bool idle() const { return left == 0; }

    void start(uint8_t byte) {
        word = (byte | 0x100u) << 1;
        left = 10;
        rest += bit;
    }

    bool step() {  // level of this cycle
        if (!left) {
            rest = 0;
            return true;
        }
        const bool level = word & 1;
        if (--rest <= 0) {
            word >>= 1;
            if (--left) rest += bit;
        }
        return level;
    }
};

// Takes bytes from a line, sampling each bit in its middle.
class Listener {
    const double bit;
    double next = 0;
    unsigned taken = 0, word = 0;
    bool inside = false;

  public:
    explicit Listener(double cycles) : bit(cycles) {}
    bool idle() const { return !inside; }

    bool step(bool level, uint8_t& byte) {  // whether a byte is complete
        if (!inside) {
            if (level) return false;
            inside = true;
            taken = word = 0;
            next = bit / 2;
        }
        next -= 1;
        if (next > 0) return false;
        next += bit;
        word |= unsigned(level) << taken;
        if (++taken < 10) return false;
        inside = false;
        byte = word >> 1;
        return true;
    }
};

static bool command(Cable& cable) {  // false at the end of stdin
    char what;
    if (read(STDIN_FILENO, &what, 1) != 1) return false;
    what == 'u' ? cable.pull() : cable.plug();
    return true;
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const double bit = std::atof(argv[2]) / std::atof(argv[3]);
    const long byte_cycles = long(10 * bit) + 1;
    Cable cable(argv[1]);
    Vboard board;
    Sender sender(bit);
    Listener listener(bit);
    std::string in, out;
    size_t at = 0;
    long quiet = 0, look = 0, unused = 0;

    for (long cycle = 0;; ++cycle) {
        if (sender.idle() && at < in.size()) sender.start(in[at++]);
        board.rst = cycle < 8;
        board.rx = sender.step();
        unused = board.led_busy ? 0 : unused + 1;
        board.run = unused < SETTLE || board.rst;
        board.clk = 0;
        board.eval();
        board.clk = 1;
        board.eval();
        uint8_t byte;
        if (listener.step(board.tx, byte)) out.push_back(char(byte));
        const bool still = sender.idle() && listener.idle() && at == in.size() && !board.led_busy;
        quiet = still && cycle > 8 ? quiet + 1 : 0;
        if (++look < byte_cycles) continue;

        look = 0;
        const bool asleep = quiet > 2 * byte_cycles + 1000;
        pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {cable.handle(), 0, 0}};
        if (cable.handle() < 0) out.clear();
        if (at == in.size()) ready[1].events |= POLLIN;
        if (!out.empty()) ready[1].events |= POLLOUT;
        if (poll(ready, 2, asleep ? -1 : 0) <= 0) continue;
        if (ready[0].revents && !command(cable)) return 0;
        if (ready[0].revents) continue;  // the cable may be another one
        if (ready[1].revents & POLLIN) {
            in.resize(4096);
            const ssize_t got = read(cable.handle(), &in[0], in.size());
            in.resize(got > 0 ? size_t(got) : 0);
            at = 0;
        }
        if (ready[1].revents & POLLOUT) {
            const ssize_t put = write(cable.handle(), out.data(), out.size());
            if (put > 0) out.erase(0, size_t(put));
        }
    }
}
