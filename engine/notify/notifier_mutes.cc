// SPDX-License-Identifier: Apache-2.0
//
// Notifier's part about who is not told.
#include <array>
#include <cstdio>

#include "base/hash.h"
#include "base/log.h"
#include "notify/notifier.h"
#include "notify/route.h"

namespace tocsin::notify {

void Notifier::restore_silence(const std::string& id, const std::string& content) {
  auto silence = parse_silence(content);
  if (silence && silence->id == id) return muting_.silences.restore(std::move(*silence));
  log::error("a silence cannot be read and is left out", {{"id", id}});
  parts_.outbox->remove_silence(id);
}

void Notifier::save(const Silence& silence, std::function<void()> written) {
  if (!parts_.outbox) return written();
  parts_.outbox->put_silence(silence.id, silence_json(silence, parts_.clock.now()),
                             std::move(written));
}

void Notifier::put_silence(Silence silence, SilenceCallback done) {
  auto changed = muting_.silences.put(std::move(silence), parts_.clock.now(),
                                      [this] { return new_silence_id(); });
  if (!changed) return done(fail(changed.error()));
  const Silence& last = changed->back();
  std::string matchers;
  for (const Matcher& m : last.matchers) matchers += (matchers.empty() ? "" : ",") + m.text();
  log::info("a silence was set", {{"id", last.id}, {"by", last.created_by}, {"of", matchers}});
  for (std::size_t i = 0; i + 1 < changed->size(); ++i) save((*changed)[i], [] {});
  save(last, [done = std::move(done), id = last.id] { done(id); });
}

void Notifier::expire_silence(const std::string& id, SilenceCallback done) {
  const auto ended = muting_.silences.expire(id, parts_.clock.now());
  if (!ended) return done(fail(ended.error()));
  log::info("a silence was ended", {{"id", id}});
  save(*ended, [done = std::move(done), id] { done(id); });
}

void Notifier::prune_silences() {
  for (const std::string& id : muting_.silences.prune(parts_.clock.now())) {
    if (parts_.outbox) parts_.outbox->remove_silence(id);
  }
}

// A UUID of version 4, another one at every call.
std::string Notifier::new_silence_id() {
  const std::string seed = std::to_string(parts_.jitter()) + "/" +
                           std::to_string(to_millis(parts_.clock.now())) + "/" +
                           std::to_string(++silence_ids_);
  const std::uint64_t high = (hash_bytes(seed) & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (hash_bytes(seed + "/") >> 2) | 1ULL << 63;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08llx-%04llx-%04llx-%04llx-%012llx",
                static_cast<unsigned long long>(high >> 32),
                static_cast<unsigned long long>(high >> 16 & 0xffff),
                static_cast<unsigned long long>(high & 0xffff),
                static_cast<unsigned long long>(low >> 48),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text.data();
}

std::optional<Mute> Notifier::mute_of(const Labels& labels) const {
  const Timestamp now = parts_.clock.now();
  if (auto mute = muting_.mute_of(labels, now)) return mute;
  if (!config_.route) return std::nullopt;
  std::optional<Mute> out;
  for (const Destination& destination : destinations_of(*config_.route, labels)) {
    auto interval = muting_.muted_route(*destination.route, now);
    if (!interval) return std::nullopt;
    out = Mute{MuteReason::TimeInterval, std::move(*interval), {}, {}};
  }
  return out;
}

}  // namespace tocsin::notify
