// SPDX-License-Identifier: Apache-2.0
#include "net/http_transfer.h"

#include <algorithm>
#include <cctype>
#include <mutex>

#include "base/packing.h"
#include "net/url.h"

namespace tocsin::net {
namespace {

constexpr long kMaxRedirects = 10;  // Go's limit, which is Prometheus'.
constexpr std::string_view kUserAgent = "tocsin";

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::Timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorCode::InvalidArgument;
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WEIRD_SERVER_REPLY:
      return ErrorCode::Parse;
    default:
      return ErrorCode::Unavailable;
  }
}

void append(CurlList& list, const std::string& text) {
  curl_slist* head = curl_slist_append(list.get(), text.c_str());
  static_cast<void>(list.release());
  list.reset(head);
}

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(const CurlUrl& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace

void init_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpTransfer::HttpTransfer(HttpRequest request, CurlEasy handle)
    : request_(std::move(request)), handle_(std::move(handle)) {
  set_up();
}

void HttpTransfer::set_up() {
  CURL* h = handle_.get();
  curl_easy_setopt(h, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, request_.mail ? "smtp,smtps" : "http,https");
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_ERRORBUFFER, message_.data());
  curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
  curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(h, CURLOPT_PROXY, request_.proxy_url.c_str());
  curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, request_.follow_redirects ? 1L : 0L);
  curl_easy_setopt(h, CURLOPT_MAXREDIRS, kMaxRedirects);
  // Unpacked in finish(), all at once: that takes a third of the time.
  if (request_.accept_gzip) curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(h, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  curl_easy_setopt(h, CURLOPT_HEADERDATA, this);
  if (request_.basic_auth) {
    curl_easy_setopt(h, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(h, CURLOPT_USERNAME, request_.basic_auth->username.c_str());
    curl_easy_setopt(h, CURLOPT_PASSWORD, request_.basic_auth->password.c_str());
  }
  if (request_.mail) {
    set_up_mail();
  } else {
    set_up_method();
    set_up_headers();
  }
  set_up_tls();
}

void HttpTransfer::set_up_mail() {
  CURL* h = handle_.get();
  append(recipients_, "<" + request_.mail->to + ">");
  curl_easy_setopt(h, CURLOPT_MAIL_FROM, ("<" + request_.mail->from + ">").c_str());
  curl_easy_setopt(h, CURLOPT_MAIL_RCPT, recipients_.get());
  curl_easy_setopt(h, CURLOPT_USE_SSL,
                   request_.mail->require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE);
  curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(h, CURLOPT_READFUNCTION, &HttpTransfer::on_read);
  curl_easy_setopt(h, CURLOPT_READDATA, this);
  curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  curl_easy_setopt(h, CURLOPT_FORBID_REUSE, 1L);
  // Also the time that a farewell may take, to which CURLOPT_TIMEOUT_MS does not apply.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(request_.timeout);
  curl_easy_setopt(h, CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(seconds.count()));
}

bool HttpTransfer::only_asks() const {
  return request_.method == "HEAD" || (request_.method == "GET" && request_.body.empty());
}

void HttpTransfer::set_up_method() {
  CURL* h = handle_.get();
  if (request_.method == "HEAD") curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
  if (only_asks()) return;
  // A redirect takes along what is sent, and whose it is; may_follow() says where to.
  curl_easy_setopt(h, CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_ALL));
  curl_easy_setopt(h, CURLOPT_UNRESTRICTED_AUTH, 1L);
  curl_easy_setopt(h, CURLOPT_POST, 1L);
  curl_easy_setopt(h, CURLOPT_POSTFIELDS, request_.body.data());
  curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  if (request_.method != "POST") {
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

void HttpTransfer::set_up_headers() {
  if (find_header(request_.headers, "User-Agent").empty()) {
    append(headers_, "User-Agent: " + std::string(kUserAgent));
  }
  // Without these, curl announces a form and waits for "100 Continue".
  if (find_header(request_.headers, "Content-Type").empty()) append(headers_, "Content-Type:");
  append(headers_, "Expect:");
  for (const auto& [name, value] : request_.headers) {
    append(headers_, value.empty() ? name + ";" : name + ": " + value);
  }
  curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

void HttpTransfer::set_up_tls() {
  CURL* h = handle_.get();
  const TlsOptions& tls = request_.tls;
  if (!tls.ca_file.empty()) curl_easy_setopt(h, CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.cert_file.empty()) curl_easy_setopt(h, CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) curl_easy_setopt(h, CURLOPT_SSLKEY, tls.key_file.c_str());
  if (tls.insecure_skip_verify) {
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!tls.server_name.empty()) set_up_server_name();
}

// curl takes the name to verify from the URL alone, so the URL gets the name, and the connection
// still goes to where the URL pointed.
void HttpTransfer::set_up_server_name() {
  const std::string scheme = request_.url.substr(0, request_.url.find(':'));
  auto url = parse_url(request_.mail ? "https" + request_.url.substr(scheme.size()) : request_.url);
  if (!url || url->scheme != "https") return;
  const std::string host_header = "Host: " + url->authority();
  const std::string port = url->port_or_default();
  append(connect_to_,
         request_.tls.server_name + ":" + port + ":" +
             (url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]") + ":" +
             port);
  append(headers_, host_header);
  url->host = request_.tls.server_name;
  if (request_.mail) url->scheme = scheme;
  request_.url = url->text();
  curl_easy_setopt(handle_.get(), CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle_.get(), CURLOPT_CONNECT_TO, connect_to_.get());
  curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  std::string& body = transfer.response_.body;
  if (body.size() + size * count > transfer.request_.max_body_bytes) {
    transfer.too_long_ = true;
    return 0;
  }
  if (body.empty() && transfer.response_.header("Content-Encoding").empty()) {
    body.reserve(std::min(transfer.request_.likely_body_bytes, transfer.request_.max_body_bytes));
  }
  body.append(data, size * count);
  return size * count;
}

std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::string_view line(data, size * count);
  Headers& headers = transfer.response_.headers;
  if (transfer.request_.mail) {
    if (line.starts_with('4') || line.starts_with('5')) transfer.response_.body = trim(line);
  } else if (line.substr(0, 5) == "HTTP/") {
    headers.clear();  // A redirect's or a "100 Continue"'s came before.
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    const auto& [name, value] = headers.back();
    if (equal_ignoring_case(name, "Location") && !transfer.may_follow(value)) return 0;
  }
  return size * count;
}

// What is sent, with its credentials, goes to the same host only, and not from https to http. A
// sign-in page elsewhere would take an alert and answer 200.
bool HttpTransfer::may_follow(const std::string& location) {
  long status = 0;
  const char* from = nullptr;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle_.get(), CURLINFO_EFFECTIVE_URL, &from);
  if (only_asks() || !request_.follow_redirects || status / 100 != 3) return true;
  const CurlUrl url(curl_url(), &curl_url_cleanup);
  curl_url_set(url.get(), CURLUPART_URL, from, 0);
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  const std::string host = part_of(url, CURLUPART_HOST);
  if (curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) return true;
  const std::string new_scheme = part_of(url, CURLUPART_SCHEME);
  const std::string new_host = part_of(url, CURLUPART_HOST);
  if (equal_ignoring_case(host, new_host) && (scheme == new_scheme || new_scheme == "https")) {
    return true;
  }
  // Not the whole address: its path may be a secret.
  refused_redirect_ = "redirected (HTTP status " + std::to_string(status) + ") to " + new_scheme +
                      "://" + new_host +
                      ": what is sent follows to the same host only, and not from https to http; " +
                      "if it belongs there, write that address into the configuration";
  return false;
}

std::size_t HttpTransfer::on_read(char* to, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t copied = transfer.request_.body.copy(to, size * count, transfer.read_);
  transfer.read_ += copied;
  return copied;
}

Error HttpTransfer::too_long() const {
  return {ErrorCode::Limit,
          "the body is longer than " + std::to_string(request_.max_body_bytes) + " bytes"};
}

Error HttpTransfer::error_of(CURLcode code) const {
  if (too_long_) return too_long();
  if (!refused_redirect_.empty()) return {ErrorCode::Unavailable, refused_redirect_};
  std::string text = message_[0] != '\0' ? message_.data() : curl_easy_strerror(code);
  text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  return {code_of(code), std::move(text)};
}

Result<void> HttpTransfer::unpack() {
  const std::string_view encoding = response_.header("Content-Encoding");
  std::string& body = response_.body;
  const auto is = [&](std::string_view name) { return equal_ignoring_case(encoding, name); };
  if (encoding.empty() || is("identity") || body.empty()) return {};
  if (!is("gzip") && !is("x-gzip")) {
    return fail(ErrorCode::Parse, "the body's Content-Encoding is " + std::string(encoding) +
                                      ", which was not asked for");
  }
  auto unpacked = gunzip(body, request_.max_body_bytes);
  if (!unpacked && unpacked.error().code == ErrorCode::Limit) return fail(too_long());
  if (!unpacked) return fail(unpacked.error());
  body = *std::move(unpacked);
  return {};
}

HttpResult HttpTransfer::finish(CURLcode code) {
  long status = 0;
  curl_off_t micros = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle_.get(), CURLINFO_TOTAL_TIME_T, &micros);
  // To libcurl a mail server's refusal is a failure; to us it is an answer.
  const bool refused = request_.mail && status >= 400;
  if (code != CURLE_OK && !refused) return fail(error_of(code));
  if (const auto unpacked = unpack(); !unpacked) return fail(unpacked.error());
  response_.status = static_cast<int>(status);
  response_.took = std::chrono::duration_cast<Duration>(std::chrono::microseconds(micros));
  return std::move(response_);
}

CurlEasy HttpTransfer::release() {
  curl_easy_reset(handle_.get());
  return std::move(handle_);
}

HttpResult fetch(const HttpRequest& request) {
  init_curl();
  HttpTransfer transfer(request, CurlEasy(curl_easy_init()));
  return transfer.finish(curl_easy_perform(transfer.handle()));
}

}  // namespace tocsin::net
