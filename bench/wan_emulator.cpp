// SPDX-License-Identifier: Apache-2.0
// A wide-area network between network namespaces, for kernels without tc netem. Each namespace gets
// a TUN device, and IPv4 packets go from one to another by their destination address. What leaves a
// node is shaped as `tc qdisc add dev .. root netem delay D loss L rate R` would: loss, then a
// queue of so many bytes before a line of so many bits a second, then a delay without jitter, in
// order.
//
//   wan_emulator SEED DEVICE NAMESPACE=ADDRESS ..
//
// Reads lines "shape DELAY_US LOSS BITS_PER_S QUEUE_BYTES" (0 bits: no limit) from standard input,
// which hold for all nodes and from then on, and answers "ok". At the end of input it ends, and
// prints what it has carried as a line of JSON.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <map>
#include <net/if.h>
#include <poll.h>
#include <random>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

struct Shape {
    std::chrono::microseconds delay{0};
    double loss = 0;
    double bits_per_s = 0;
    double queue_bytes = 0;
};

struct Packet {
    Instant due;
    int to;
    std::vector<uint8_t> bytes;
};

struct Node {
    int device = -1;
    /// When the line has sent what it was given.
    Instant line_free{};
    std::deque<Packet> on_the_way{};
};

struct Totals {
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t lost = 0;
    uint64_t overflowed = 0;
    uint64_t unroutable = 0;
};

[[noreturn]] void die(const std::string& what) {
    std::fprintf(stderr, "wan_emulator: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(3);
}

/// A TUN device in the namespace; its descriptor works from anywhere.
int open_device(const std::string& space, const std::string& name) {
    const int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const int there = open(("/run/netns/" + space).c_str(), O_RDONLY | O_CLOEXEC);
    if (there < 0 || setns(there, CLONE_NEWNET) != 0) die("namespace " + space);
    const int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0) die("TUN device in " + space);
    if (setns(here, CLONE_NEWNET) != 0) die("own namespace");
    close(here);
    close(there);
    return device;
}

class Emulator {
  public:
    Emulator(uint64_t seed, const std::string& device, const std::vector<std::string>& nodes)
        : random_(seed) {
        for (const std::string& node : nodes) {
            const size_t equals = node.find('=');
            in_addr address{};
            if (equals == std::string::npos ||
                inet_pton(AF_INET, node.c_str() + equals + 1, &address) != 1)
                die("need NAMESPACE=ADDRESS, have " + node);
            nodes_.push_back({.device = open_device(node.substr(0, equals), device)});
            routes_[address.s_addr] = nodes_.back().device;
        }
    }

    void run() {
        std::vector<pollfd> waiting = {{STDIN_FILENO, POLLIN, 0}};
        for (const Node& node : nodes_) waiting.push_back({node.device, POLLIN, 0});
        while (true) {
            const timespec timeout = time_left();
            if (ppoll(waiting.data(), waiting.size(), &timeout, nullptr) < 0 && errno != EINTR)
                die("poll");
            for (size_t i = 0; i < nodes_.size(); ++i) {
                if (waiting[i + 1].revents != 0) take(nodes_[i]);
            }
            deliver();
            if (waiting[0].revents != 0 && !read_shapes()) return;
        }
    }

    void print_totals() const {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        const auto seconds = [](const timeval& t) {
            return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
        };
        std::printf(
            "{\"packets\": %lu, \"bytes\": %lu, \"lost\": %lu, \"overflowed\": %lu, "
            "\"unroutable\": %lu, \"cpu_s\": %.3f}\n",
            totals_.packets, totals_.bytes, totals_.lost, totals_.overflowed, totals_.unroutable,
            seconds(usage.ru_utime) + seconds(usage.ru_stime));
    }

  private:
    static constexpr size_t burst_packets = 64;
    static constexpr std::chrono::nanoseconds idle = std::chrono::seconds(1);

    timespec time_left() const {
        std::chrono::nanoseconds left = idle;
        const Instant now = Clock::now();
        for (const Node& node : nodes_) {
            if (!node.on_the_way.empty())
                left = std::min<std::chrono::nanoseconds>(left, node.on_the_way.front().due - now);
        }
        left = std::max(left, std::chrono::nanoseconds(0));
        return {.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
    }

    /// What a node sends, as far as it has come; not without end, so that what is due goes out.
    void take(Node& node) {
        for (size_t i = 0; i < burst_packets; ++i) {
            const ssize_t bytes = read(node.device, buffer_.data(), buffer_.size());
            if (bytes <= 0) return;
            send(node, {buffer_.begin(), buffer_.begin() + bytes});
        }
    }

    void send(Node& node, std::vector<uint8_t> bytes) {
        constexpr size_t destination_at = 16;  // RFC 791 section 3.1
        constexpr size_t header_bytes_min = 20;
        uint32_t destination = 0;
        if (bytes.size() >= header_bytes_min && bytes[0] >> 4 == 4)
            std::memcpy(&destination, &bytes[destination_at], sizeof destination);
        const auto route = routes_.find(destination);
        if (route == routes_.end()) {
            ++totals_.unroutable;  // Neighbour discovery of IPv6, most of all.
            return;
        }
        ++totals_.packets;
        totals_.bytes += bytes.size();
        if (std::bernoulli_distribution(shape_.loss)(random_)) {
            ++totals_.lost;
            return;
        }
        const Instant now = Clock::now();
        Instant sent = std::max(now, node.line_free);
        if (shape_.bits_per_s > 0) {
            const double queued_s = std::chrono::duration<double>(sent - now).count();
            const auto packet_bytes = static_cast<double>(bytes.size());
            if (queued_s * shape_.bits_per_s / 8 + packet_bytes > shape_.queue_bytes) {
                ++totals_.overflowed;
                return;
            }
            sent += std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>(packet_bytes * 8 / shape_.bits_per_s));
        }
        node.line_free = sent;
        Instant due = sent + shape_.delay;
        // Where the delay has just become shorter, the order stays.
        if (!node.on_the_way.empty()) due = std::max(due, node.on_the_way.back().due);
        node.on_the_way.push_back({due, route->second, std::move(bytes)});
    }

    void deliver() {
        const Instant now = Clock::now();
        for (Node& node : nodes_) {
            while (!node.on_the_way.empty() && node.on_the_way.front().due <= now) {
                const Packet& packet = node.on_the_way.front();
                // A receiver whose device is down or full loses it, as on a real line.
                if (write(packet.to, packet.bytes.data(), packet.bytes.size()) < 0)
                    ++totals_.overflowed;
                node.on_the_way.pop_front();
            }
        }
    }

    /// False at the end of input.
    bool read_shapes() {
        std::array<char, 4096> text{};
        const ssize_t bytes = read(STDIN_FILENO, text.data(), text.size());
        if (bytes <= 0) return false;
        input_.append(text.data(), static_cast<size_t>(bytes));
        for (size_t end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
            long delay_us = 0;
            Shape shape;
            if (std::sscanf(input_.c_str(), "shape %ld %lf %lf %lf", &delay_us, &shape.loss,
                            &shape.bits_per_s, &shape.queue_bytes) != 4)
                die("no shape: " + input_.substr(0, end));
            shape.delay = std::chrono::microseconds(delay_us);
            shape_ = shape;
            input_.erase(0, end + 1);
            std::puts("ok");
            std::fflush(stdout);
        }
        return true;
    }

    std::mt19937_64 random_;
    Shape shape_;
    std::vector<Node> nodes_;
    /// Devices by address, in network byte order.
    std::map<uint32_t, int> routes_;
    std::array<uint8_t, 65536> buffer_{};
    std::string input_;
    Totals totals_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: wan_emulator SEED DEVICE NAMESPACE=ADDRESS ..\n");
        return 2;
    }
    // The kernel may be late by 50 us otherwise.
    prctl(PR_SET_TIMERSLACK, 1);
    Emulator emulator(std::strtoull(argv[1], nullptr, 10), argv[2],
                      std::vector<std::string>(argv + 3, argv + argc));
    std::puts("ok");
    std::fflush(stdout);
    emulator.run();
    emulator.print_totals();
}
