// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/http_transfer.h"

namespace tocsin::net {
namespace {

// Kept connections: more than a mesh has proxies, and below a usual limit of open files.
constexpr long kMaxConnections = 4096;
constexpr int kLongestPollMs = 1000;
constexpr std::size_t kSpareHandles = 64;
// Set in the ids of mails.
constexpr HttpSender::RequestId kMailBit = HttpSender::RequestId{1} << 63;

using RequestId = HttpSender::RequestId;

// What the caller waits for. Lives on the home thread.
using Waiting = std::unordered_map<RequestId, HttpCallback>;

}  // namespace

class HttpClient::Impl {
 public:
  // Ids are counted from `first_id` on.
  Impl(Executor& home, RequestId first_id)
      : home_(home), waiting_(std::make_shared<Waiting>()), last_id_(first_id) {
    init_curl();
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnections);
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [id, transfer] : running_) curl_multi_remove_handle(multi_, transfer->handle());
    running_.clear();
    spare_.clear();
    curl_multi_cleanup(multi_);
  }

  RequestId send(HttpRequest request, HttpCallback done) {
    const RequestId id = ++last_id_;
    waiting_->emplace(id, std::move(done));
    {
      const std::lock_guard lock(mutex_);
      to_start_.emplace_back(id, std::move(request));
    }
    curl_multi_wakeup(multi_);
    return id;
  }

  void cancel(RequestId id) {
    if (waiting_->erase(id) == 0) return;
    {
      const std::lock_guard lock(mutex_);
      to_cancel_.push_back(id);
    }
    curl_multi_wakeup(multi_);
  }

 private:
  // The client's own thread from here on.
  void run() {
    while (take_orders()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      finish_transfers();
      curl_multi_poll(multi_, nullptr, 0, kLongestPollMs, nullptr);
    }
  }

  // False when it is time to stop.
  bool take_orders() {
    std::vector<std::pair<RequestId, HttpRequest>> to_start;
    std::vector<RequestId> to_cancel;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      to_start.swap(to_start_);
      to_cancel.swap(to_cancel_);
    }
    for (auto& [id, request] : to_start) start(id, std::move(request));
    for (const RequestId id : to_cancel) {
      const auto it = running_.find(id);
      if (it != running_.end()) remove(it);
    }
    return true;
  }

  void start(RequestId id, HttpRequest request) {
    CurlEasy handle;
    if (spare_.empty()) {
      handle.reset(curl_easy_init());
    } else {
      handle = std::move(spare_.back());
      spare_.pop_back();
    }
    auto transfer = std::make_unique<HttpTransfer>(std::move(request), std::move(handle));
    ids_.emplace(transfer->handle(), id);
    curl_multi_add_handle(multi_, transfer->handle());
    running_.emplace(id, std::move(transfer));
  }

  void finish_transfers() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto it = running_.find(ids_.at(message->easy_handle));
      deliver(it->first, it->second->finish(code));
      remove(it);
    }
  }

  using Running = std::unordered_map<RequestId, std::unique_ptr<HttpTransfer>>;

  void remove(Running::iterator it) {
    curl_multi_remove_handle(multi_, it->second->handle());
    ids_.erase(it->second->handle());
    CurlEasy handle = it->second->release();
    if (spare_.size() < kSpareHandles) spare_.push_back(std::move(handle));
    running_.erase(it);
  }

  void deliver(RequestId id, HttpResult result) {
    auto box = std::make_shared<HttpResult>(std::move(result));
    home_.post([weak = std::weak_ptr<Waiting>(waiting_), id, box] {
      const auto waiting = weak.lock();
      if (!waiting) return;
      auto node = waiting->extract(id);
      if (!node.empty()) node.mapped()(std::move(*box));
    });
  }

  Executor& home_;
  std::shared_ptr<Waiting> waiting_;  // Home thread only.
  RequestId last_id_;                 // Home thread only.
  CURLM* multi_ = nullptr;
  std::mutex mutex_;
  bool stopping_ = false;                                    // Guarded by mutex_.
  std::vector<std::pair<RequestId, HttpRequest>> to_start_;  // Guarded by mutex_.
  std::vector<RequestId> to_cancel_;                         // Guarded by mutex_.
  Running running_;  // The client's thread, as the rest below.
  std::unordered_map<CURL*, RequestId> ids_;
  std::vector<CurlEasy> spare_;
  std::thread thread_;
};

HttpClient::HttpClient(Executor& home) : home_(home), impl_(std::make_unique<Impl>(home, 0)) {}
HttpClient::~HttpClient() = default;

HttpSender::RequestId HttpClient::send(HttpRequest request, HttpCallback done) {
  if (!request.mail) return impl_->send(std::move(request), std::move(done));
  if (!mail_) mail_ = std::make_unique<Impl>(home_, kMailBit);
  return mail_->send(std::move(request), std::move(done));
}

void HttpClient::cancel(RequestId id) {
  if ((id & kMailBit) == 0) {
    impl_->cancel(id);
  } else if (mail_) {
    mail_->cancel(id);
  }
}

}  // namespace tocsin::net
