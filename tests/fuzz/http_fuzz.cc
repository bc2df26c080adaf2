// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are what a client sends, one request or several; it hears every answer, then goes away.
// A client that begins with `!` meets a server that asks for a name and a password (u:p). No
// network: the client is the other end of a pair of sockets.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "api/server.h"
#include "net/http_session.h"
#include "net/loop_native.h"
#include "support/fake_backend.h"

namespace {

using namespace tocsin;
using boost::asio::ip::tcp;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Answers at once: what queries do is evaluate_fuzz's business.
class Backend : public testing::FakeBackend {
 public:
  void query(const api::QueryRequest& request, api::QueryCallback done) override {
    const Sample sample{request.start, 1.5};
    const Labels labels{{"job", "<b>\"\\"}};
    if (request.step.count() == 0) {
      done(promql::Answer{promql::Vector{{labels, sample, nullptr}}, {}});
    } else {
      done(promql::Answer{promql::Matrix{{labels, {sample}, {}}}, {}});
    }
  }
};

class Server {
 public:
  Server() {
    fill();
    for (const auto* shared : {&open_, &locked_}) {
      (*shared)->options.max_body_bytes = 4096;
      (*shared)->options.max_header_bytes = 2048;
      (*shared)->handler = api_.handler();
      (*shared)->rate.use({.interval = Duration(0)});  // All that comes, comes from one address.
    }
    locked_->gate = net::UserGate::make({{"u", "p"}}, loop_);
  }

  void serve(std::string_view bytes) {
    const bool is_locked = bytes.starts_with('!');
    if (is_locked) bytes.remove_prefix(1);
    const auto& shared = is_locked ? locked_ : open_;
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0, "no sockets");
    net::start_session(shared, tcp::socket(io_, tcp::v4(), ends[1]));
    (void)::send(ends[0], bytes.data(), bytes.size(), MSG_NOSIGNAL);
    listen(ends[0]);
    ::shutdown(ends[0], SHUT_WR);
    listen(ends[0]);
    require(shared->sessions.empty(), "a session that does not end");
    ::close(ends[0]);
    backend_.series_requests.clear();
    backend_.written.clear();
  }

 private:
  // Runs the server until it has nothing more to do, and takes what it says.
  void listen(int client) {
    std::array<char, 65536> answer{};
    io_.restart();
    while (io_.poll() > 0 || ::recv(client, answer.data(), answer.size(), 0) > 0) {
    }
  }

  void fill() {
    backend_.sample({{"__name__", "up"}, {"job", "<b>"}}, 1);
    backend_.sample({{"__name__", "http_requests_total"}, {"path", "\"\\\n"}}, 7);
    backend_.all_targets = {testing::target("j", "h:1", source::Health::Down)};
    backend_.all_kept = testing::kept_metrics();
    backend_.is_ready_now = false;
    backend_.write_result = fail(ErrorCode::Limit, "too much");
  }

  SystemClock clock_;
  net::Loop loop_{clock_};
  boost::asio::io_context& io_ = loop_.native().io;
  Backend backend_;
  api::Api api_{backend_};
  std::shared_ptr<net::ServerShared> open_ = std::make_shared<net::ServerShared>(clock_);
  std::shared_ptr<net::ServerShared> locked_ = std::make_shared<net::ServerShared>(clock_);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server server;
  server.serve({reinterpret_cast<const char*>(data), size});
  return 0;
}
