// SPDX-License-Identifier: Apache-2.0
//
// ScrapedFeed scrapes pages every `interval` of a virtual time, on the very path of the daemon, as
// fast as they can be made: a simulated day takes minutes. Pure. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ruletest/feed.h"
#include "ruletest/page_source.h"
#include "source/target_store.h"

namespace tocsin::ruletest {

class ScrapedFeed : public Feed {
 public:
  ScrapedFeed(std::unique_ptr<PageSource> pages, std::shared_ptr<const source::SampleRules> rules,
              Timestamp start, Duration interval)
      : pages_(std::move(pages)), rules_(std::move(rules)), next_(start), interval_(interval) {}

  Result<void> begin(store::Store& store, Timestamp from) override;
  void advance(Timestamp now) override;
  std::vector<source::TargetStatus> targets() const override;

 private:
  struct Scraped {
    std::unique_ptr<source::TargetStore> store;
    source::TargetStatus status;
    Timestamp last{};
  };

  void scrape(Timestamp at);
  Scraped& of(const PageSource::Target& target);

  const std::unique_ptr<PageSource> pages_;
  const std::shared_ptr<const source::SampleRules> rules_;
  Timestamp next_;
  const Duration interval_;
  store::Store* store_ = nullptr;
  std::map<std::string, Scraped> scraped_;  // By url.
};

}  // namespace tocsin::ruletest
