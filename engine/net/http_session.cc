// SPDX-License-Identifier: Apache-2.0
#include "net/http_session.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "base/packing.h"

namespace tocsin::net {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using ErrorOf = boost::system::error_code;
namespace {

constexpr std::size_t kGzipFrom = 1024;
constexpr std::string_view kForm = "application/x-www-form-urlencoded";
// How much a client may send ahead while its last request is being answered.
constexpr std::size_t kReadAhead = 4096;
constexpr auto kFarewell = std::chrono::seconds(2);

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool accepts_gzip(std::string_view accept_encoding) {
  const std::size_t at = accept_encoding.find("gzip");
  return at != std::string_view::npos && accept_encoding.substr(at, 8) != "gzip;q=0";
}

using ParsedRequest = http::request<http::string_body>;

HttpServerRequest make_request(ParsedRequest&& parsed, std::string remote) {
  HttpServerRequest out;
  out.method = std::string(view(parsed.method_string()));
  out.target = std::string(view(parsed.target()));
  for (const auto& field : parsed) {
    out.headers.emplace_back(view(field.name_string()), view(field.value()));
  }
  out.body = std::move(parsed.body());
  out.remote = std::move(remote);
  const std::size_t question = std::min(out.target.find('?'), out.target.size());
  out.path = url_decode(out.target.substr(0, question));
  if (out.header("Content-Type").substr(0, kForm.size()) == kForm) {
    out.params = parse_params(out.body);
  }
  if (question < out.target.size()) {
    for (auto& param : parse_params(std::string_view(out.target).substr(question + 1))) {
      out.params.push_back(std::move(param));
    }
  }
  return out;
}

template <class Stream>
constexpr bool kIsTls = !std::is_same_v<Stream, tcp::socket>;

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(std::shared_ptr<ServerShared> shared, tcp::socket socket)
      : shared_(std::move(shared)),
        stream_(make_stream(*shared_, std::move(socket))),
        timer_(stream_.get_executor()),
        tls_era_(shared_->tls_era),
        id_(++shared_->last_session) {
    ErrorOf ignored;
    const auto remote = this->socket().remote_endpoint(ignored);
    address_ = address_of(this->socket());
    remote_ = address_ + ":" + std::to_string(remote.port());
    this->socket().set_option(tcp::no_delay(true), ignored);
  }

  void start() {
    shared_->sessions.emplace(id_, [self = this->shared_from_this()] { self->close(); });
    ++shared_->sessions_by_address[address_];
    if constexpr (kIsTls<Stream>) {
      set_deadline(shared_->options.header_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](const ErrorOf& error) {
                                if (error) return self->close();
                                self->read_request();
                              });
    } else {
      read_request();
    }
  }

 private:
  // An answer that is still owed. Destroyed without one, it sends a 500. May outlive the session,
  // the server and the loop.
  struct Owed {
    std::weak_ptr<Session> session;
    HttpServerRequest request;
    std::atomic<bool> sent = false;

    void send(HttpServerResponse response) {
      const auto open_session = session.lock();
      if (sent.exchange(true) || !open_session) return;
      pack(response);
      auto box = std::make_shared<HttpServerResponse>(std::move(response));
      asio::dispatch(open_session->stream_.get_executor(),
                     [open_session, box] { open_session->write(std::move(*box)); });
    }

    // Compresses in the caller's thread, which may be a worker.
    void pack(HttpServerResponse& response) const {
      if (response.body.size() < kGzipFrom || !accepts_gzip(request.header("Accept-Encoding"))) {
        return;
      }
      response.body = gzip(response.body);
      response.headers.emplace_back("Content-Encoding", "gzip");
    }

    ~Owed() {
      if (!sent) send({500, "text/plain; charset=utf-8", "the request was dropped\n", {}});
    }
  };

  static Stream make_stream(ServerShared& shared, tcp::socket socket) {
    if constexpr (kIsTls<Stream>) {
      return Stream(std::move(socket), *shared.tls);
    } else {
      return socket;
    }
  }

  tcp::socket& socket() {
    if constexpr (kIsTls<Stream>) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  void close() {
    const auto self = this->shared_from_this();
    if (shared_->sessions.erase(id_) > 0) shared_->leave(address_);
    if (gone_) *gone_ = true;
    timer_.cancel();
    ErrorOf ignored;
    socket().shutdown(tcp::socket::shutdown_both, ignored);
    socket().close(ignored);
  }

  // Closes the connection unless called again within `limit`.
  void set_deadline(Duration limit) {
    timer_.expires_after(limit);
    timer_.async_wait([weak = this->weak_from_this()](const ErrorOf& error) {
      const auto self = weak.lock();
      if (self && !error) self->close();
    });
  }

  void read_request() {
    parser_.emplace();
    parser_->body_limit(shared_->options.max_body_bytes);
    parser_->header_limit(static_cast<std::uint32_t>(shared_->options.max_header_bytes));
    if (buffer_.size() > 0) return read_rest();
    // Nothing of the request is here yet: a kept connection may be idle for a while.
    set_deadline(shared_->options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(kReadAhead),
                            [self = this->shared_from_this()](const ErrorOf& error, std::size_t n) {
                              if (error) return self->close();
                              self->buffer_.commit(n);
                              self->read_rest();
                            });
  }

  void read_rest() {
    set_deadline(shared_->options.header_timeout);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](const ErrorOf& error, std::size_t) {
                              self->on_header(error);
                            });
  }

  // Who may not ask does not get rid of a body either.
  void on_header(const ErrorOf& error) {
    if (error) return refuse(error);
    if (tls_era_ != shared_->tls_era) return close();  // Nobody knows whose it is, by the new one.
    keep_alive_ = parser_->get().keep_alive();
    version_ = parser_->get().version();
    is_head_ = parser_->get().method() == http::verb::head;
    if (!shared_->may_ask(address_, view(parser_->get().target()))) return slow_down();
    const auto gate = shared_->gate;  // What it lets in may change the users.
    if (!gate) return read_body();
    timer_.cancel();
    gate->check(
        address_, view(parser_->get()[http::field::authorization]),
        [self = this->shared_from_this()](UserGate::Verdict verdict) { self->admit(verdict); });
  }

  void slow_down() {
    keep_alive_ = keep_alive_ && parser_->is_done();
    write({429, "text/plain; charset=utf-8", "too many requests\n", {{"Retry-After", "1"}}});
  }

  void admit(UserGate::Verdict verdict) {
    if (verdict == UserGate::Verdict::Welcome) return read_body();
    keep_alive_ = keep_alive_ && parser_->is_done();
    if (verdict == UserGate::Verdict::Unknown) {
      return write({401,
                    "text/plain; charset=utf-8",
                    "who are you?\n",
                    {{"WWW-Authenticate", "Basic realm=\"tocsin\""}}});
    }
    keep_alive_ = false;
    write(
        {429, "text/plain; charset=utf-8", "too many passwords at once\n", {{"Retry-After", "1"}}});
  }

  void read_body() {
    set_deadline(shared_->options.header_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](const ErrorOf& error, std::size_t) {
                       self->on_request(error);
                     });
  }

  void on_request(const ErrorOf& error) {
    if (error) return refuse(error);
    auto owed = std::make_shared<Owed>();
    owed->session = this->shared_from_this();
    owed->request = make_request(parser_->release(), remote_);
    gone_ = std::make_shared<std::atomic<bool>>(false);
    owed->request.gone = gone_;
    timer_.cancel();
    answered_ = false;
    watch();
    if (!shared_->handler) return close();
    shared_->handler(owed->request,
                     [owed](HttpServerResponse response) { owed->send(std::move(response)); });
  }

  // A request that cannot be read: what the client can still be told, then the end.
  void refuse(const ErrorOf& error) {
    const bool too_long = error == http::error::body_limit;
    const bool bad = error.category() == http::make_error_code(http::error::bad_method).category();
    if (error == http::error::end_of_stream || error == http::error::partial_message || !bad) {
      return close();
    }
    keep_alive_ = false;
    is_head_ = false;
    version_ = 11;
    write({too_long                             ? 413
           : error == http::error::header_limit ? 431
                                                : 400,
           "text/plain; charset=utf-8",
           error.message() + "\n",
           {}});
  }

  // Reads on while the answer is being made: the only way to see that the client went away. What
  // arrives is the next request's beginning.
  void watch() {
    if (buffer_.size() >= kReadAhead) return;
    watching_ = true;
    stream_.async_read_some(buffer_.prepare(kReadAhead),
                            [self = this->shared_from_this()](const ErrorOf& error, std::size_t n) {
                              self->watching_ = false;
                              if (error) return self->close();
                              self->buffer_.commit(n);
                              if (self->answered_) self->read_request();
                            });
  }

  void write(HttpServerResponse answer) {
    if (!socket().is_open()) return;
    response_.emplace(static_cast<http::status>(answer.status), version_);
    response_->set(http::field::content_type, answer.content_type);
    for (const auto& [name, value] : answer.headers) response_->set(name, value);
    response_->keep_alive(keep_alive_);
    response_->content_length(answer.body.size());
    if (!is_head_) response_->body() = std::move(answer.body);
    serializer_.emplace(*response_);
    if (is_head_) serializer_->split(true);
    set_deadline(shared_->options.write_timeout);
    auto done = [self = this->shared_from_this()](const ErrorOf& error, std::size_t) {
      self->on_written(error);
    };
    if (is_head_) {
      http::async_write_header(stream_, *serializer_, std::move(done));
    } else {
      http::async_write(stream_, *serializer_, std::move(done));
    }
  }

  // Before a request has been read, closing would take the answer away from a client that still
  // sends: the system resets such connections. So the rest is heard for a while, and forgotten.
  void hang_up() {
    ErrorOf ignored;
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    set_deadline(kFarewell);
    forget();
  }

  void forget() {
    buffer_.clear();
    socket().async_read_some(buffer_.prepare(kReadAhead),
                             [self = this->shared_from_this()](const ErrorOf& error, std::size_t) {
                               error ? self->close() : self->forget();
                             });
  }

  void on_written(const ErrorOf& error) {
    gone_.reset();
    if (error) return close();
    if (!keep_alive_) return parser_->is_done() ? close() : hang_up();
    answered_ = true;
    if (watching_) {
      set_deadline(shared_->options.idle_timeout);
    } else {
      read_request();
    }
  }

  std::shared_ptr<ServerShared> shared_;
  Stream stream_;
  asio::steady_timer timer_;
  std::uint64_t tls_era_;
  std::uint64_t id_;
  std::string address_;  // Of the client.
  std::string remote_;   // With its port.
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::shared_ptr<std::atomic<bool>> gone_;  // Of the request that is being answered.
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool watching_ = false;
  bool answered_ = true;
  unsigned version_ = 11;
};

}  // namespace

bool ServerShared::has_room_for(const std::string& address) const {
  const auto it = sessions_by_address.find(address);
  return sessions.size() < options.max_connections &&
         (it == sessions_by_address.end() || it->second < options.max_connections_of_address);
}

void ServerShared::leave(const std::string& address) {
  const auto it = sessions_by_address.find(address);
  if (--it->second == 0) sessions_by_address.erase(it);
}

bool ServerShared::may_ask(const std::string& address, std::string_view target) {
  const auto& free = options.unlimited_paths;
  const std::string_view path = target.substr(0, target.find('?'));
  if (std::find(free.begin(), free.end(), path) != free.end()) return true;
  return rate.pass(address, clock.ticks());
}

std::string address_of(const tcp::socket& socket) {
  ErrorOf error;
  const auto remote = socket.remote_endpoint(error);
  return error ? std::string() : remote.address().to_string();
}

void start_session(const std::shared_ptr<ServerShared>& shared, tcp::socket socket) {
  using TlsStream = asio::ssl::stream<tcp::socket>;
  if (shared->tls) {
    std::make_shared<Session<TlsStream>>(shared, std::move(socket))->start();
  } else {
    std::make_shared<Session<tcp::socket>>(shared, std::move(socket))->start();
  }
}

}  // namespace tocsin::net
