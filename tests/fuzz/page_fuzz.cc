// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are pages of one target, one behind the other: the first byte says how they are to be
// read, 0xff stands between two, and a lone one comes twice. So a page meets what its forerunners
// have left in the cache; what it says must not depend on that.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "source/target_store.h"
#include "support/samples_of.h"

namespace {

using namespace tocsin;
using source::ScrapeReport;

constexpr std::size_t kMostPages = 4;
constexpr Duration kInterval = std::chrono::seconds(10);
constexpr Timestamp kStart = from_millis(1'795'369'320'000);

// The bits of the first byte.
enum Flag : unsigned {
  kHonorLabels = 1,
  kOwnTime = 2,
  kLimits = 4,
  kRelabel = 8,
  kAll = 16,
  kOpen = 32
};

std::shared_ptr<const source::SampleRules> rules_of(unsigned flags) {
  auto rules = std::make_shared<source::SampleRules>();
  rules->honor_labels = (flags & kHonorLabels) != 0;
  rules->honor_timestamps = (flags & kOwnTime) == 0;
  if ((flags & kLimits) != 0) {
    rules->limits = {.samples = 8, .labels = 5, .label_name_length = 20, .label_value_length = 20};
  }
  if ((flags & kRelabel) != 0) {
    const std::vector<source::RelabelConfig> configs{
        {.source_labels = {"x"}, .regex = "(.)1(.*)", .target_label = "y", .replacement = "$2"},
        {.source_labels = {"__name__"}, .regex = "drop.*", .action = source::RelabelAction::Drop}};
    rules->relabel = source::Relabeler::compile(configs).value_or(source::Relabeler());
  }
  rules->filter = std::make_shared<const source::KeepFilter>(testing::needs_of(
      (flags & kAll) != 0 ? R"({__name__=~".*"})" : R"(a + b{x="1"} + up + h_bucket)"));
  return rules;
}

std::vector<std::string_view> split(std::string_view bytes) {
  std::vector<std::string_view> pages;
  while (pages.size() + 1 < kMostPages) {
    const std::size_t end = bytes.find('\xff');
    pages.push_back(bytes.substr(0, end));
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  if (pages.size() == 1) pages.push_back(pages.front());
  return pages;
}

class Scraped {
 public:
  explicit Scraped(unsigned flags) : flags_(flags), rules_(rules_of(flags)) {}

  ScrapeReport accept(std::string_view page, Timestamp at) {
    const char* type = (flags_ & kOpen) != 0 ? "application/openmetrics-text" : "text/plain";
    return target_.accept({at, 0.5, source::FetchedPage{std::string(page), type}}, rules_);
  }
  std::vector<std::string> values(Timestamp at) const {
    return testing::values_at(store_, R"({__name__=~".+"})", at);
  }

 private:
  unsigned flags_;
  std::shared_ptr<const source::SampleRules> rules_;
  store::Store store_;
  source::TargetStore target_{store_, Labels{{"instance", "i"}, {"job", "j"}}, kInterval};
};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned flags = data[0];
  const auto pages = split({reinterpret_cast<const char*>(data) + 1, size - 1});
  Scraped seasoned(flags);
  Timestamp at = kStart;
  ScrapeReport report;
  for (const std::string_view page : pages) report = seasoned.accept(page, at += kInterval);
  Scraped fresh(flags);
  const ScrapeReport first = fresh.accept(pages.back(), at);
  require(report.error == first.error, "another error");
  require(report.scraped == first.scraped, "another number of lines");
  // Samples with times of their own are of several pages.
  if ((flags & kOwnTime) != 0) require(seasoned.values(at) == fresh.values(at), "other values");
  return 0;
}
