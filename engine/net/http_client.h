// SPDX-License-Identifier: Apache-2.0
//
// HttpClient sends requests and never waits: one thread of its own owns all connections, the
// answers come back on the executor that it was given (the loop). Connections are kept and reused.
// HttpSender is the same as an interface, so that tests can answer without a network.
//
// Every transfer is bounded in time and in size. A status other than 2xx is an answer, not an
// error: whoever asked knows what it means. Mail goes the same way, to a mail server.
//
// A redirect that is followed keeps the method, the body and the credentials. So what is more than
// a question follows to the same host only; a redirect elsewhere is an error that says where to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/executor.h"
#include "net/http_types.h"
#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::net {

struct TlsOptions {
  std::string ca_file;    // Empty: the system's authorities.
  std::string cert_file;  // The client's own certificate and key, PEM.
  std::string key_file;
  std::string server_name;  // What the server's certificate must name, where it is not the URL's.
  bool insecure_skip_verify = false;
};

struct BasicCredentials {
  std::string username;
  std::string password;
};

// What makes a request a mail. Its URL is smtp://host:port/name (smtps: TLS from the first byte),
// where `name` is how the sender introduces itself; its body is the message with its headers, in
// lines that end with CRLF; basic_auth is the login. The answer's status is the server's last reply
// (250, 550, …), its body the text of a refusal.
struct MailEnvelope {
  std::string from;  // Bare addresses.
  std::string to;
  bool require_tls = true;  // Nothing is said before STARTTLS; without, TLS is not asked for.
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::optional<BasicCredentials> basic_auth;
  TlsOptions tls;
  // Wall time from the start to the last byte of the body.
  Duration timeout = std::chrono::seconds(10);
  Duration connect_timeout = std::chrono::seconds(5);
  // Counts the bytes after decompression.
  std::size_t max_body_bytes = std::size_t{64} << 20;
  bool follow_redirects = true;
  bool accept_gzip = true;
  std::size_t likely_body_bytes = 0;  // Room that is made at once; 0: not known.
  std::string proxy_url;              // Empty: none, whatever the environment says.
  std::optional<MailEnvelope> mail;
};

struct HttpResponse {
  int status = 0;
  Headers headers;
  std::string body;
  Duration took{0};

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
  bool ok() const { return status >= 200 && status < 300; }
};

// Errors: Unavailable (no connection, TLS refused), Timeout, Limit (the body is too long),
// InvalidArgument (no URL), Parse (not HTTP, damaged compression).
using HttpResult = Result<HttpResponse>;
using HttpCallback = std::function<void(HttpResult)>;

class HttpSender {
 public:
  using RequestId = std::uint64_t;
  virtual ~HttpSender() = default;

  // `done` is called exactly once, later, on the loop, unless the request is cancelled.
  virtual RequestId send(HttpRequest request, HttpCallback done) = 0;

  // `done` will not be called. A request that is over is ignored.
  virtual void cancel(RequestId id) = 0;
};

class HttpClient : public HttpSender {
 public:
  // `home` must outlive the client. send(), cancel() and the destructor: only on `home`'s thread.
  explicit HttpClient(Executor& home);
  // Cancels everything.
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  RequestId send(HttpRequest request, HttpCallback done) override;
  void cancel(RequestId id) override;

 private:
  class Impl;
  Executor& home_;
  std::unique_ptr<Impl> impl_;
  // Made with the first mail. A thread of its own: libcurl waits for a mail server's farewell, and
  // nobody else shall.
  std::unique_ptr<Impl> mail_;
};

// The same, for command lines: waits for the answer in the calling thread.
HttpResult fetch(const HttpRequest& request);

}  // namespace tocsin::net
