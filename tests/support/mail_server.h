// SPDX-License-Identifier: Apache-2.0
//
// A mail server that keeps what it is told. For one connection at a time, on a thread of its own,
// on a loopback port. It has no TLS.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tocsin::testing {

class MailServer {
 public:
  // A reply by the verb it answers ("RCPT", "." for the end of the message), in place of the usual
  // one. An empty reply is none at all: the server hangs.
  using Replies = std::map<std::string, std::string>;

  explicit MailServer(Replies replies = {}) : replies_(std::move(replies)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 4);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~MailServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  MailServer(const MailServer&) = delete;
  MailServer& operator=(const MailServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Everything but the message.
  std::vector<std::string> commands() const {
    const std::lock_guard lock(mutex_);
    return commands_;
  }
  // The last message, as it came: lines with CRLF, without the dot at its end.
  std::string message() const {
    const std::lock_guard lock(mutex_);
    return message_;
  }

 private:
  static constexpr int kStepMs = 20;

  static bool readable(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, kStepMs) > 0;
  }

  void run() {
    while (!stopping_) {
      if (!readable(listener_)) continue;
      const int fd = ::accept(listener_, nullptr, nullptr);
      say(fd, "220 mail.test ready");
      std::string input;
      while (!stopping_ && read_more(fd, input)) {
        while (take_line(fd, input)) {
        }
      }
      in_message_ = false;
      ::close(fd);
    }
  }

  static bool read_more(int fd, std::string& input) {
    if (!readable(fd)) return true;
    char bytes[4096];
    const auto n = ::recv(fd, bytes, sizeof bytes, 0);
    if (n > 0) input.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  bool take_line(int fd, std::string& input) {
    const std::size_t end = input.find("\r\n");
    if (end == std::string::npos) return false;
    std::string line = input.substr(0, end);
    input.erase(0, end + 2);
    const std::lock_guard lock(mutex_);
    if (in_message_ && line != ".") {
      message_ += line + "\r\n";
      return true;
    }
    in_message_ = false;
    const std::string verb = line.substr(0, line.find(' '));
    if (line != ".") commands_.push_back(std::move(line));
    const auto other = replies_.find(verb);
    const std::string reply = other == replies_.end() ? usual_reply(verb) : other->second;
    if (verb == "DATA" && reply.starts_with("354")) {
      in_message_ = true;
      message_.clear();
    }
    if (!reply.empty()) say(fd, reply);
    return true;
  }

  static std::string usual_reply(const std::string& verb) {
    static const Replies kUsual = {{"EHLO", "250-mail.test\r\n250-AUTH PLAIN\r\n250 8BITMIME"},
                                   {"AUTH", "334 "},
                                   {"MAIL", "250 2.1.0 fine"},
                                   {"RCPT", "250 2.1.5 fine"},
                                   {"DATA", "354 go on"},
                                   {".", "250 2.0.0 taken"},
                                   {"QUIT", "221 2.0.0 bye"}};
    const auto it = kUsual.find(verb);
    return it == kUsual.end() ? "235 2.7.0 welcome" : it->second;  // Nothing else: a login.
  }

  static void say(int fd, const std::string& line) {
    const std::string bytes = line + "\r\n";
    static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

  const Replies replies_;
  int listener_ = -1;
  int port_ = 0;
  bool in_message_ = false;  // The server's thread only.
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> commands_;  // Guarded by mutex_.
  std::string message_;                // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace tocsin::testing
