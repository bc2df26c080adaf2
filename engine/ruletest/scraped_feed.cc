// SPDX-License-Identifier: Apache-2.0
#include "ruletest/scraped_feed.h"

namespace tocsin::ruletest {

Result<void> ScrapedFeed::begin(store::Store& store, Timestamp from) {
  store_ = &store;
  scraped_.clear();
  while (next_ < from) next_ += interval_;
  return {};
}

void ScrapedFeed::advance(Timestamp now) {
  for (; next_ <= now; next_ += interval_) scrape(next_);
}

std::vector<source::TargetStatus> ScrapedFeed::targets() const {
  std::vector<source::TargetStatus> out;
  for (const auto& [url, scraped] : scraped_) out.push_back(scraped.status);
  return out;
}

void ScrapedFeed::scrape(Timestamp at) {
  pages_->advance(at);
  for (const PageSource::Target& target : pages_->targets()) {
    Scraped& scraped = of(target);
    scraped.last = at;
    source::Attempt attempt{at, 0.001, fail(ErrorCode::Unavailable, "connection refused")};
    if (auto body = pages_->page(target)) {
      attempt.page = source::FetchedPage{std::move(*body), "text/plain"};
    }
    const source::ScrapeReport report = scraped.store->accept(attempt, rules_);
    scraped.status.health = report.error.empty() ? source::Health::Up : source::Health::Down;
    scraped.status.last_error = report.error;
    scraped.status.metrics = report.metrics;
  }
  std::erase_if(scraped_, [&](auto& entry) {
    if (entry.second.last == at) return false;
    entry.second.store->end(at);
    return true;
  });
}

ScrapedFeed::Scraped& ScrapedFeed::of(const PageSource::Target& target) {
  Scraped& scraped = scraped_[target.url];
  if (scraped.store) return scraped;
  scraped.store = std::make_unique<source::TargetStore>(*store_, target.labels, interval_);
  scraped.status.target.job = target.labels.get("job");
  scraped.status.target.labels = target.labels;
  scraped.status.target.url = target.url;
  return scraped;
}

}  // namespace tocsin::ruletest
