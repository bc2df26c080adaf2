// SPDX-License-Identifier: Apache-2.0
//
// A web without a network: an HttpSender that answers by URL. A URL that nobody named
// cannot be reached. Answers arrive through the executor, like the real ones.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "net/http_client.h"

namespace tocsin::testing {

class FakeWeb : public net::HttpSender {
 public:
  using Answer = std::function<net::HttpResult(const net::HttpRequest&)>;

  explicit FakeWeb(net::Executor& home) : home_(home) {}

  // Requests whose URL starts with `prefix` are answered by `answer`; the longest prefix decides.
  void on(const std::string& prefix, Answer answer) { answers_[prefix] = std::move(answer); }
  void on_page(const std::string& prefix, const std::string& body) {
    on(prefix, [body](const net::HttpRequest&) { return page(body); });
  }
  void forget(const std::string& prefix) { answers_.erase(prefix); }

  static net::HttpResponse page(const std::string& body) {
    return {.status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = body};
  }

  RequestId send(net::HttpRequest request, net::HttpCallback done) override {
    const RequestId id = ++last_id_;
    requests.push_back(request);
    if (silent.contains(request.url)) return id;
    home_.post([this, id, result = answer(request), done = std::move(done)] {
      if (!cancelled_.contains(id)) done(result);
    });
    return id;
  }
  void cancel(RequestId id) override { cancelled_.insert(id); }

  std::vector<net::HttpRequest> requests;  // All that were sent.
  std::set<std::string> silent;            // URLs that never answer.

 private:
  net::HttpResult answer(const net::HttpRequest& request) const {
    const Answer* best = nullptr;
    std::size_t length = 0;
    for (const auto& [prefix, candidate] : answers_) {
      if (!request.url.starts_with(prefix) || prefix.size() < length) continue;
      best = &candidate;
      length = prefix.size();
    }
    if (best == nullptr) return fail(ErrorCode::Unavailable, "connection refused");
    return (*best)(request);
  }

  net::Executor& home_;
  std::map<std::string, Answer> answers_;
  std::set<RequestId> cancelled_;
  RequestId last_id_ = 0;
};

}  // namespace tocsin::testing
