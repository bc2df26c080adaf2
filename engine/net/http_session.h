// SPDX-License-Identifier: Apache-2.0
//
// One connection of an HttpServer. For the .cc files of this layer; loop thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <optional>
#include <unordered_map>

#include "net/http_server.h"
#include "net/rate_gate.h"
#include "net/user_gate.h"

namespace tocsin::net {

// What all connections of a server share. Outlives the server while a session still unwinds.
struct ServerShared {
  explicit ServerShared(const Clock& loop_clock) : clock(loop_clock) {}

  const Clock& clock;
  HttpServerOptions options;
  HttpHandler handler;
  std::shared_ptr<UserGate> gate;  // None: everybody may ask.
  RateGate rate;
  std::optional<boost::asio::ssl::context> tls;
  std::uint64_t tls_era = 0;  // Which configuration of TLS that is, by count.
  // Ways to close the living sessions, by their number.
  std::unordered_map<std::uint64_t, std::function<void()>> sessions;
  std::unordered_map<std::string, std::size_t> sessions_by_address;
  std::uint64_t last_session = 0;

  bool has_room_for(const std::string& address) const;
  void leave(const std::string& address);
  // Whether the client at `address` may ask for `target` now, as far as its rate goes.
  bool may_ask(const std::string& address, std::string_view target);
};

// The client's address, without its port; empty when it has gone away already.
std::string address_of(const boost::asio::ip::tcp::socket& socket);

// Serves requests until either side closes. The session keeps itself alive.
void start_session(const std::shared_ptr<ServerShared>& shared,
                   boost::asio::ip::tcp::socket socket);

}  // namespace tocsin::net
