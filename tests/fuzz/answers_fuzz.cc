// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are what somebody answers whom Tocsin has asked. The first byte says which status; up
// to the first newline stands a Retry-After header, then the body. It is read as an answer of each
// endpoint of a query API, and of each kind of receiver.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/http_client.h"
#include "notify/channel_kinds.h"
#include "source/remote_query.h"

namespace {

using namespace tocsin;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);
constexpr std::array kStatuses = {200, 204, 301, 400, 408, 422, 429, 500, 503, 550, 999};

void ask_receivers(const net::HttpResponse& response) {
  for (const auto& kind : notify::channel_kinds()) (void)kind.judge(response);
  const auto pause = notify::asked_pause(response, kNow);
  if (pause && (pause->count() < 0 || *pause > std::chrono::hours(1))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t end = std::min(text.find('\n'), text.size());
  net::HttpResponse response{.status = kStatuses.at(data[0] % kStatuses.size()),
                             .headers = {{"Retry-After", text.substr(0, end)}},
                             .body = text.substr(std::min(end + 1, text.size()))};
  ask_receivers(response);
  (void)source::read_answer(response);
  (void)source::read_series(response);
  (void)source::read_texts(response);
  return 0;
}
