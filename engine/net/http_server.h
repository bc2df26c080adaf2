// SPDX-License-Identifier: Apache-2.0
//
// HttpServer answers requests on the loop. A handler may answer at once, or keep the Responder and
// answer later from any thread; until then the connection waits without holding anything up.
//
// Keep-alive, limits on headers, bodies, idle time, connections and requests a second, gzip of
// answers over 1 KiB, TLS, and basic authentication (net/user_gate.h). New connections see a
// certificate that has been renewed; where the pair cannot be read, the one of before.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/http_types.h"
#include "net/loop.h"
#include "net/rate_gate.h"
#include "net/url.h"
#include "tocsin/result.h"

namespace tocsin::net {

struct HttpServerRequest {
  std::string method;
  std::string target;  // As it came: path and query.
  std::string path;    // Decoded.
  Params params;       // Of a form body, then of the query.
  Headers headers;
  std::string body;
  std::string remote;  // "address:port" of the client.
  // Becomes true when the client has gone away: nobody waits for the answer any more.
  std::shared_ptr<const std::atomic<bool>> gone;

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
  // The first parameter of that name; empty when there is none.
  std::string_view param(std::string_view name) const;
  bool has_param(std::string_view name) const;
  std::vector<std::string> all_params(std::string_view name) const;
};

struct HttpServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  Headers headers;
};

// Sends the answer. Any thread; calls after the first are ignored, and so are calls when the client
// or the server is gone. When the last copy is destroyed without a call, the client gets a 500.
using Responder = std::function<void(HttpServerResponse)>;

// Called on the loop thread. The request lives as long as a copy of the responder does.
using HttpHandler = std::function<void(const HttpServerRequest&, Responder)>;

struct HttpServerTls {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // Not empty: clients must show a certificate signed by these.

  bool operator==(const HttpServerTls&) const = default;
};

struct HttpServerOptions {
  std::string listen = "127.0.0.1:0";  // "host:port", ":port"; port 0 is any free one.
  HttpServerTls tls;                   // Plain HTTP when cert_file is empty.
  // Name to bcrypt hash. With neither these nor a file, everybody may ask.
  std::map<std::string, std::string> basic_auth_users;
  std::string basic_auth_users_file;  // Lines `user:password`, the password hashed or plain.
  std::size_t max_body_bytes = std::size_t{32} << 20;
  std::size_t max_header_bytes = std::size_t{256} << 10;  // A federation's match[] list is long.
  std::size_t max_connections = 1024;
  RateLimit rate_limit;                      // Of each address; over it a request is answered 429.
  std::vector<std::string> unlimited_paths;  // That answer all the same.
  std::size_t max_connections_of_address = 256;  // So that one client cannot keep out the others.
  Duration header_timeout = std::chrono::seconds(10);  // From the first byte to the whole request.
  Duration idle_timeout = std::chrono::minutes(2);     // Between two requests.
  Duration write_timeout = std::chrono::seconds(60);
};

class HttpServer {
 public:
  // Binds and serves. Fails with Io when the address is taken or a file cannot be read.
  static Result<std::unique_ptr<HttpServer>> listen(Loop& loop, HttpServerOptions options,
                                                    HttpHandler handler);
  // Closes every connection. Loop thread, or when the loop does not run.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Only the users of `options` may ask from now on, as often and over such TLS as it says. Files
  // are read again; of what cannot be read the old stays in use, and the error says so. Loop
  // thread.
  Result<void> use(const HttpServerOptions& options);

  int port() const;
  // "127.0.0.1:9467"
  std::string address() const;
  std::size_t connections() const;
  // Requests that were over the rate limit.
  std::uint64_t refused() const;

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::net
