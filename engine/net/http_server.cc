// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <algorithm>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>

#include "base/log.h"
#include "net/http_session.h"
#include "net/loop_native.h"

namespace tocsin::net {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
namespace {

// After a failed accept (out of file descriptors), so as not to spin.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

Result<tcp::endpoint> resolve(asio::io_context& io, const std::string& listen) {
  const auto parts = split_host_port(listen);
  if (!parts) return fail(ErrorCode::InvalidArgument, "not an address: '" + listen + "'");
  const auto& [host, port] = *parts;
  boost::system::error_code error;
  const auto found =
      tcp::resolver(io).resolve(host.empty() ? "::" : host, port, tcp::resolver::passive, error);
  if (error || found.empty()) {
    return fail(ErrorCode::InvalidArgument, listen + ": " + error.message());
  }
  return found.begin()->endpoint();
}

// Those of the file, and those that stand in the configuration.
Result<Users> users_of(const HttpServerOptions& options) {
  Users users = options.basic_auth_users;
  if (options.basic_auth_users_file.empty()) return users;
  auto more = read_users(options.basic_auth_users_file);
  if (!more) return fail(more.error().in("basic_auth_users_file"));
  users.merge(*more);
  return users;
}

using TlsContext = std::optional<asio::ssl::context>;

Result<TlsContext> load_tls(const HttpServerTls& files) {
  if (files.cert_file.empty()) return TlsContext();
  asio::ssl::context context(asio::ssl::context::tls_server);
  boost::system::error_code error;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1,
                      error);
  context.use_certificate_chain_file(files.cert_file, error);
  if (error) return fail(ErrorCode::Io, files.cert_file + ": " + error.message());
  context.use_private_key_file(files.key_file, asio::ssl::context::pem, error);
  if (error) return fail(ErrorCode::Io, files.key_file + ": " + error.message());
  if (!files.client_ca_file.empty()) {
    context.load_verify_file(files.client_ca_file, error);
    if (error) return fail(ErrorCode::Io, files.client_ca_file + ": " + error.message());
    context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, error);
  }
  return TlsContext(std::move(context));
}

// When each of the files was last changed; also behind a symbolic link, as those of a Secret are.
std::vector<std::filesystem::file_time_type> times_of(const HttpServerTls& files) {
  std::vector<std::filesystem::file_time_type> out;
  for (const auto* path : {&files.cert_file, &files.key_file, &files.client_ca_file}) {
    std::error_code ignored;
    out.push_back(std::filesystem::last_write_time(*path, ignored));
  }
  return out;
}

}  // namespace

std::string_view HttpServerRequest::param(std::string_view name) const {
  const auto it = std::find_if(params.begin(), params.end(),
                               [&](const auto& param) { return param.first == name; });
  return it == params.end() ? std::string_view() : std::string_view(it->second);
}

bool HttpServerRequest::has_param(std::string_view name) const {
  return std::any_of(params.begin(), params.end(),
                     [&](const auto& param) { return param.first == name; });
}

std::vector<std::string> HttpServerRequest::all_params(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : params) {
    if (key == name) out.push_back(value);
  }
  return out;
}

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  explicit Impl(Loop& loop) : loop_(loop), acceptor_(loop.native().io), pause_(loop.native().io) {}

  Result<void> open(HttpServerOptions options, HttpHandler handler) {
    if (auto used = use(options); !used) return used;
    auto bound = bind(options.listen);
    if (!bound) return bound;
    shared_->options = std::move(options);
    shared_->handler = std::move(handler);
    accept();
    return {};
  }

  Result<void> use(const HttpServerOptions& options) {
    shared_->rate.use(options.rate_limit);
    auto loaded = use_tls(options.tls);
    auto users = users_of(options);
    if (!users) return fail(users.error());
    shared_->gate = users->empty() ? nullptr : UserGate::make(std::move(*users), loop_);
    return loaded;
  }

  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    auto sessions = std::move(shared_->sessions);
    shared_->sessions.clear();
    for (auto& [id, close_session] : sessions) close_session();
    shared_->handler = nullptr;
    shared_->gate.reset();
  }

  tcp::endpoint endpoint() const { return endpoint_; }
  std::size_t connections() const { return shared_->sessions.size(); }
  const RateGate& rate() const { return shared_->rate; }

 private:
  Result<void> use_tls(const HttpServerTls& files) {
    tls_times_ = times_of(files);
    auto loaded = load_tls(files);
    if (!loaded) return fail(loaded.error().in("tls_server_config"));
    shared_->tls = std::move(*loaded);
    if (files != tls_files_) ++shared_->tls_era;
    tls_files_ = files;
    return {};
  }

  // Certificates are renewed while the server runs.
  void renew_tls() {
    if (!shared_->tls || times_of(tls_files_) == tls_times_) return;
    if (const auto renewed = use_tls(tls_files_); !renewed) {
      log::warn("the certificate of before is still shown", {{"error", renewed.error().message}});
    } else {
      log::info("a changed certificate is shown", {{"cert_file", tls_files_.cert_file}});
    }
  }

  Result<void> bind(const std::string& listen) {
    auto& io = static_cast<asio::io_context&>(acceptor_.get_executor().context());
    auto wanted = resolve(io, listen);
    if (!wanted) return fail(wanted.error().in("listen"));
    boost::system::error_code error;
    acceptor_.open(wanted->protocol(), error);
    if (error && listen.front() == ':') {  // All addresses, on a machine without IPv6.
      *wanted = tcp::endpoint(tcp::v4(), wanted->port());
      acceptor_.open(wanted->protocol(), error);
    }
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(*wanted, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(ErrorCode::Io, "listen on " + listen + ": " + error.message());
    endpoint_ = acceptor_.local_endpoint(error);
    return {};
  }

  void accept() {
    acceptor_.async_accept(
        [self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
          if (!self->acceptor_.is_open()) return;
          if (error) {
            self->pause();
            return;
          }
          // Over the limit the socket is closed at once: the client sees it and may come again.
          if (self->shared_->has_room_for(address_of(socket))) {
            self->renew_tls();
            start_session(self->shared_, std::move(socket));
          }
          self->accept();
        });
  }

  void pause() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->acceptor_.is_open()) self->accept();
    });
  }

  Loop& loop_;
  std::shared_ptr<ServerShared> shared_ = std::make_shared<ServerShared>(loop_.clock());
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  HttpServerTls tls_files_;                                 // Of the context that is in use,
  std::vector<std::filesystem::file_time_type> tls_times_;  // and of the last that was tried.
  tcp::endpoint endpoint_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Loop& loop, HttpServerOptions options,
                                                       HttpHandler handler) {
  auto impl = std::make_shared<Impl>(loop);
  if (auto opened = impl->open(std::move(options), std::move(handler)); !opened) {
    return fail(opened.error());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { impl_->close(); }

Result<void> HttpServer::use(const HttpServerOptions& options) { return impl_->use(options); }

int HttpServer::port() const { return impl_->endpoint().port(); }

std::string HttpServer::address() const {
  const auto endpoint = impl_->endpoint();
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

std::size_t HttpServer::connections() const { return impl_->connections(); }

std::uint64_t HttpServer::refused() const { return impl_->rate().refused(); }

}  // namespace tocsin::net
