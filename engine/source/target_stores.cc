// SPDX-License-Identifier: Apache-2.0
#include "source/target_stores.h"

namespace tocsin::source {

TargetStores::~TargetStores() {
  for (const auto& [labels, place] : places_) {
    if (place.removal) parts_.scheduler.cancel(*place.removal);
  }
}

std::shared_ptr<TargetStore> TargetStores::obtain(const Labels& labels, Duration interval) {
  Place& place = places_[labels];
  if (place.in_use) return nullptr;
  place.in_use = true;
  if (place.removal) parts_.scheduler.cancel(*place.removal);
  place.removal.reset();
  if (place.store) {
    place.store->set_interval(interval);
  } else {
    place.store = std::make_shared<TargetStore>(parts_.store, labels, interval);
  }
  return place.store;
}

void TargetStores::retire(const Labels& labels) {
  Place& place = places_[labels];
  place.in_use = false;
  parts_.workers.post([store = place.store, now = parts_.clock.now()] { store->end(now); });
  place.removal =
      parts_.scheduler.after(place.store->history(), [this, labels] { remove(labels); });
}

void TargetStores::remove(const Labels& labels) {
  const auto it = places_.find(labels);
  parts_.workers.post([store = it->second.store] { store->remove(); });
  places_.erase(it);
}

}  // namespace tocsin::source
