// SPDX-License-Identifier: Apache-2.0
//
// A server that does not keep to HTTP: it reads a little, then writes the bytes it was given, once
// or for ever. For one connection at a time, on a thread of its own, on a loopback port.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace tocsin::testing {

class RawServer {
 public:
  enum class Ending { Close, HoldOpen, RepeatTail };

  // Writes `head`, then `tail` once and closes, once and holds the connection, or again and again.
  RawServer(std::string head, std::string tail, Ending ending)
      : head_(std::move(head)), tail_(std::move(tail)), ending_(ending) {
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
  ~RawServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/metrics"; }

 private:
  static constexpr int kStepMs = 20;

  bool ready(int fd, short events) const {
    pollfd waiting{fd, events, 0};
    return ::poll(&waiting, 1, kStepMs) > 0;
  }

  void run() {
    while (!stopping_) {
      if (!ready(listener_, POLLIN)) continue;
      const int fd = ::accept(listener_, nullptr, nullptr);
      serve(fd);
      ::close(fd);
    }
  }

  bool write(int fd, const std::string& bytes) const {
    std::size_t done = 0;
    while (done < bytes.size() && !stopping_) {
      if (!ready(fd, POLLOUT)) continue;
      const auto n = ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    return true;
  }

  void serve(int fd) const {
    char request[4096];
    while (!stopping_ && !ready(fd, POLLIN)) {
    }
    if (::recv(fd, request, sizeof request, 0) <= 0 || !write(fd, head_) || !write(fd, tail_)) {
      return;
    }
    while (!stopping_ && ending_ == Ending::RepeatTail && write(fd, tail_)) {
    }
    while (!stopping_ && ending_ == Ending::HoldOpen) {
      if (ready(fd, POLLIN) && ::recv(fd, request, sizeof request, 0) <= 0) return;
    }
  }

  const std::string head_;
  const std::string tail_;
  const Ending ending_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace tocsin::testing
