// SPDX-License-Identifier: Apache-2.0
//
// FakeHttp is an HttpSender whose answers the test gives, when it likes.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "net/http_client.h"

namespace tocsin::testing {

class FakeHttp : public net::HttpSender {
 public:
  struct Sent {
    RequestId id = 0;
    net::HttpRequest request;
    net::HttpCallback done;
  };

  RequestId send(net::HttpRequest request, net::HttpCallback done) override {
    open_.push_back({++last_id_, std::move(request), std::move(done)});
    return last_id_;
  }
  void cancel(RequestId id) override {
    std::erase_if(open_, [id](const Sent& sent) { return sent.id == id; });
  }

  std::size_t open() const { return open_.size(); }
  const net::HttpRequest& first() const { return open_.front().request; }

  // Answers the oldest open request and returns what it was.
  net::HttpRequest answer(int status, net::Headers headers = {}, std::string body = "") {
    net::HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    response.body = std::move(body);
    return finish(std::move(response));
  }
  net::HttpRequest refuse(std::string why = "connection refused") {
    return finish(fail(ErrorCode::Unavailable, std::move(why)));
  }

 private:
  net::HttpRequest finish(net::HttpResult result) {
    Sent sent = std::move(open_.front());
    open_.pop_front();
    sent.done(std::move(result));
    return std::move(sent.request);
  }

  RequestId last_id_ = 0;
  std::deque<Sent> open_;
};

}  // namespace tocsin::testing
