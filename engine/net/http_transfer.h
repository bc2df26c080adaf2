// SPDX-License-Identifier: Apache-2.0
//
// One request on its way, as libcurl wants it. For the .cc files of this layer; one thread.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>

#include "net/http_client.h"

namespace tocsin::net {

// Must run before the first handle is made; repeating it costs nothing.
void init_curl();

struct CurlEasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;

struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

// Must not move while the transfer runs: libcurl holds pointers into it.
class HttpTransfer {
 public:
  HttpTransfer(HttpRequest request, CurlEasy handle);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  CURL* handle() const { return handle_.get(); }

  // What came of it, once libcurl said `code`.
  HttpResult finish(CURLcode code);

  // The handle, for the next request.
  CurlEasy release();

 private:
  void set_up();
  // Whether nothing is sent but the question.
  bool only_asks() const;
  void set_up_method();
  void set_up_mail();
  void set_up_headers();
  void set_up_tls();
  void set_up_server_name();
  static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* self);
  // Takes the coding away that the body came in.
  Result<void> unpack();
  Error too_long() const;
  Error error_of(CURLcode code) const;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  bool may_follow(const std::string& location);

  HttpRequest request_;
  CurlEasy handle_;
  CurlList headers_;
  CurlList connect_to_;
  CurlList recipients_;
  std::size_t read_ = 0;  // Of a mail's body.
  std::array<char, CURL_ERROR_SIZE> message_{};
  HttpResponse response_;
  bool too_long_ = false;
  std::string refused_redirect_;  // Where to, and why not.
};

}  // namespace tocsin::net
