// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are a body of remote write: as they stand, and as what a sender has compressed. Twice
// each, so that the second finds the series of the first.
#include <snappy.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "source/write_receiver.h"
#include "support/samples_of.h"

namespace {

using namespace tocsin;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);

void accept(source::WriteReceiver& receiver, std::string_view body) {
  const auto report = receiver.accept(body, kNow);
  const auto again = receiver.accept(body, kNow + std::chrono::seconds(15));
  if (report.has_value() != again.has_value()) std::abort();
  if (report) (void)report->text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto filter =
      std::make_shared<const source::KeepFilter>(testing::needs_of(R"({__name__=~"[a-m].*"})"));
  store::Store store;
  source::WriteReceiver receiver(store);
  receiver.use(filter);
  std::string packed;
  snappy::Compress(reinterpret_cast<const char*>(data), size, &packed);
  accept(receiver, packed);
  accept(receiver, {reinterpret_cast<const char*>(data), size});
  return 0;
}
