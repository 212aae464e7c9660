// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "net/test_folder.hpp"

// What the tests of this module put in a TEE's place: the documented interfaces, to the byte.
namespace teetee::net {

/// dstack's guest agent: HTTP/1.1 on a unix socket, one request a connection.
class FakeAgent {
  public:
    /// The whole answer to a request line ("POST /GetQuote") and a body; empty never answers.
    using Handler = std::function<std::string(const std::string& line, const std::string& body)>;

    FakeAgent(const std::string& path, Handler handler)
        : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)), handler_(std::move(handler)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(socket_, 8), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeAgent() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
        for (const int silent : silent_) ::close(silent);
    }
    FakeAgent(const FakeAgent&) = delete;
    FakeAgent& operator=(const FakeAgent&) = delete;

  private:
    void serve() {
        for (int client = 0; (client = ::accept(socket_, nullptr, nullptr)) >= 0;) {
            const auto [line, body] = read_request(client);
            const std::string answer = handler_(line, body);
            if (answer.empty()) {
                silent_.push_back(client);
                continue;
            }
            // A client that has seen enough closes before it has all.
            (void)::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
            ::close(client);
        }
    }

    static std::pair<std::string, std::string> read_request(int client) {
        std::string text;
        std::array<char, 4096> buffer{};
        for (;;) {
            const size_t end = text.find("\r\n\r\n");
            const size_t length = text.find("content-length: ");
            if (end != std::string::npos && length != std::string::npos) {
                const size_t body_bytes = std::stoul(text.substr(length + 16));
                if (text.size() >= end + 4 + body_bytes) {
                    return {text.substr(0, text.find(" HTTP/1.1\r\n")), text.substr(end + 4)};
                }
            }
            const ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
            if (got <= 0) return {};
            text.append(buffer.data(), static_cast<size_t>(got));
        }
    }

    int socket_;
    Handler handler_;
    std::thread thread_;
    std::vector<int> silent_;
};

inline std::string http_answer(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Answer\r\ncontent-type: application/json\r\ncontent-length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// The kernel's side of one folder of configfs-tsm: inblob and outblob are pipes, so that who
/// writes and reads them waits as for the kernel.
class FakeKernel {
  public:
    struct Options {
        std::string provider = "tdx_guest\n";
        /// How far each write moves the generation: more than 1 with another writer about.
        std::vector<uint64_t> steps = {1};
        std::function<Bytes(const ByteArray<64>& report_data)> quote;
    };

    FakeKernel(std::string folder, Options options)
        : folder_(std::move(folder)), options_(std::move(options)) {
        write("provider", options_.provider);
        write("generation", "0\n");
        for (const char* name : {"/inblob", "/outblob"}) {
            EXPECT_EQ(::mkfifo((folder_ + name).c_str(), 0600), 0);
        }
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeKernel() {
        // Whoever waits in an open goes on when the other end is opened, too.
        ended_ = true;
        const int wake = ::open((folder_ + "/inblob").c_str(), O_RDWR);
        thread_.join();
        ::close(wake);
        std::filesystem::remove_all(folder_);
    }
    FakeKernel(const FakeKernel&) = delete;
    FakeKernel& operator=(const FakeKernel&) = delete;

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    }
    size_t question_count() const { return question_count_; }

  private:
    void serve() {
        for (const uint64_t step : options_.steps) {
            ByteArray<64> report_data{};
            const int in = ::open((folder_ + "/inblob").c_str(), O_RDONLY);
            const ssize_t got = ended_ ? 0 : ::read(in, report_data.data(), report_data.size());
            ::close(in);
            if (got != 64) return;
            ++question_count_;
            generation_ += step;
            write("generation", std::to_string(generation_) + "\n");
            const Bytes quote = options_.quote(report_data);
            const int out = ::open((folder_ + "/outblob").c_str(), O_WRONLY);
            EXPECT_EQ(::write(out, quote.data(), quote.size()), static_cast<ssize_t>(quote.size()));
            ::close(out);
        }
    }

    std::string folder_;
    Options options_;
    std::atomic<bool> ended_ = false;
    std::atomic<size_t> question_count_ = 0;
    uint64_t generation_ = 0;
    std::thread thread_;
};

}  // namespace teetee::net
