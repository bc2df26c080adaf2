// SPDX-License-Identifier: Apache-2.0
#include "notify/silence.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/utf8.h"
#include "tocsin/duration.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostMatchers = 100;
constexpr std::size_t kMostText = 8192;  // Bytes of a comment.

bool can_become(const Silence& before, const Silence& after, Timestamp now) {
  if (before.matchers != after.matchers) return false;
  switch (before.state_at(now)) {
    case SilenceState::Active:
      // Clients know seconds.
      return std::chrono::floor<std::chrono::seconds>(before.starts_at) ==
                 std::chrono::floor<std::chrono::seconds>(after.starts_at) &&
             after.ends_at >= now;
    case SilenceState::Pending:
      return after.starts_at >= now;
    case SilenceState::Expired:
      break;
  }
  return false;
}

void end(Silence& silence, Timestamp now) {
  silence.starts_at = std::min(silence.starts_at, now);
  silence.ends_at = now;
  silence.updated_at = now;
}

tl::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message));
}

// ---- JSON.

json::object to_json(const Matcher& matcher) {
  using Op = Matcher::Op;
  return {{"name", matcher.name()},
          {"value", matcher.value()},
          {"isRegex", matcher.op() == Op::Regex || matcher.op() == Op::NotRegex},
          {"isEqual", matcher.op() == Op::Equal || matcher.op() == Op::Regex}};
}

std::string text_at(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  return value && !value->is_null() ? json::value_to<std::string>(*value) : std::string();
}

bool flag_at(const json::object& in, std::string_view name, bool absent) {
  const json::value* value = in.if_contains(name);
  return value && !value->is_null() ? value->as_bool() : absent;
}

Result<Matcher> to_matcher(const json::object& in) {
  using Op = Matcher::Op;
  const bool regex = flag_at(in, "isRegex", false);
  const bool equal = flag_at(in, "isEqual", true);
  const Op op = regex ? (equal ? Op::Regex : Op::NotRegex) : (equal ? Op::Equal : Op::NotEqual);
  const std::string name = text_at(in, "name");
  if (!is_legacy_label_name(name)) return invalid("invalid label name " + quote(name));
  return Matcher::make(op, name, text_at(in, "value"));
}

Result<Timestamp> to_time(const json::object& in, std::string_view name) {
  const std::string text = text_at(in, name);
  if (text.empty()) return invalid(std::string(name) + " in body is required");
  const auto at = parse_time(text);
  if (!at) return invalid(std::string(name) + " in body must be of type date-time: " + quote(text));
  return *at;
}

// A wrong type throws.
Result<Silence> to_silence(const json::object& in) {
  Silence out;
  out.id = text_at(in, "id");
  out.created_by = well_formed(text_at(in, "createdBy"));
  out.comment = well_formed(text_at(in, "comment"));
  const auto starts_at = to_time(in, "startsAt");
  if (!starts_at) return fail(starts_at.error());
  const auto ends_at = to_time(in, "endsAt");
  if (!ends_at) return fail(ends_at.error());
  out.starts_at = *starts_at;
  out.ends_at = *ends_at;
  out.updated_at = parse_time(text_at(in, "updatedAt")).value_or(Timestamp{});
  const json::value* matchers = in.if_contains("matchers");
  if (!matchers) return invalid("matchers in body is required");
  for (const json::value& item : matchers->as_array()) {
    auto matcher = to_matcher(item.as_object());
    if (!matcher) return fail(matcher.error());
    out.matchers.push_back(std::move(*matcher));
  }
  return out;
}

}  // namespace

std::string_view name_of(SilenceState state) {
  static constexpr std::string_view kNames[] = {"pending", "active", "expired"};
  return kNames[static_cast<std::size_t>(state)];
}

SilenceState Silence::state_at(Timestamp now) const {
  if (now < starts_at) return SilenceState::Pending;
  return now < ends_at ? SilenceState::Active : SilenceState::Expired;
}

void SilenceBook::restore(Silence silence) {
  std::string id = silence.id;
  silences_.insert_or_assign(std::move(id), std::move(silence));
}

Result<void> SilenceBook::check(const Silence& silence, Timestamp now) const {
  if (silence.starts_at >= silence.ends_at) {
    return invalid("failed to create silence: start time must be before end time");
  }
  if (silence.ends_at < now) {
    return invalid("failed to create silence: end time can't be in the past");
  }
  if (silence.matchers.empty()) return invalid("silence invalid: at least one matcher required");
  if (silence.matchers.size() > kMostMatchers) return invalid("silence invalid: too many matchers");
  if (std::all_of(silence.matchers.begin(), silence.matchers.end(),
                  [](const Matcher& m) { return m.matches_empty(); })) {
    return invalid("silence invalid: at least one matcher must not match the empty string");
  }
  if (silence.comment.size() + silence.created_by.size() > kMostText) {
    return invalid("silence invalid: the comment is too long");
  }
  if (silences_.size() >= kMost) {
    return fail(ErrorCode::Limit, "there are " + std::to_string(kMost) + " silences already");
  }
  return {};
}

Result<std::vector<Silence>> SilenceBook::put(Silence silence, Timestamp now,
                                              const std::function<std::string()>& new_id) {
  if (auto sound = check(silence, now); !sound) return fail(sound.error());
  std::vector<Silence> changed;
  const Silence* before = find(silence.id);
  if (!before && !silence.id.empty()) return fail(ErrorCode::NotFound, "silence not found");
  silence.updated_at = now;
  if (!before || !can_become(*before, silence, now)) {
    if (before && before->state_at(now) != SilenceState::Expired) {
      changed.push_back(*expire(silence.id, now));
    }
    silence.id = new_id();
    while (find(silence.id)) silence.id = new_id();
    silence.starts_at = std::max(silence.starts_at, now);
  }
  silences_.insert_or_assign(silence.id, silence);
  changed.push_back(std::move(silence));
  return changed;
}

Result<Silence> SilenceBook::expire(const std::string& id, Timestamp now) {
  const auto it = silences_.find(id);
  if (it == silences_.end()) return fail(ErrorCode::NotFound, "silence " + id + " not found");
  if (it->second.state_at(now) == SilenceState::Expired) {
    return invalid("silence " + id + " already expired");
  }
  end(it->second, now);
  return it->second;
}

std::vector<std::string> SilenceBook::prune(Timestamp now) {
  std::vector<std::string> gone;
  std::erase_if(silences_, [&](const auto& entry) {
    const bool old = entry.second.ends_at + kKeptAfterEnd < now;
    if (old) gone.push_back(entry.first);
    return old;
  });
  return gone;
}

const Silence* SilenceBook::find(const std::string& id) const {
  const auto it = silences_.find(id);
  return it == silences_.end() ? nullptr : &it->second;
}

std::vector<Silence> SilenceBook::all(Timestamp now) const {
  std::vector<Silence> out;
  for (const auto& [id, silence] : silences_) out.push_back(silence);
  const auto rank = [now](const Silence& s) {
    static constexpr int kRanks[] = {1, 0, 2};
    return kRanks[static_cast<std::size_t>(s.state_at(now))];
  };
  std::stable_sort(out.begin(), out.end(), [&](const Silence& a, const Silence& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (rank(a) == 1) return a.starts_at < b.starts_at;
    return rank(a) == 0 ? a.ends_at < b.ends_at : a.ends_at > b.ends_at;
  });
  return out;
}

const Silence* SilenceBook::silence_for(const Labels& labels, Timestamp now) const {
  const Silence* found = nullptr;
  for (const auto& [id, silence] : silences_) {
    if (found && found->ends_at >= silence.ends_at) continue;
    if (silence.state_at(now) == SilenceState::Active && matches_all(silence.matchers, labels)) {
      found = &silence;
    }
  }
  return found;
}

bool SilenceBook::any_active(Timestamp now) const {
  return std::any_of(silences_.begin(), silences_.end(), [now](const auto& entry) {
    return entry.second.state_at(now) == SilenceState::Active;
  });
}

std::string silence_json(const Silence& silence, Timestamp now) {
  json::array matchers;
  for (const Matcher& matcher : silence.matchers) matchers.push_back(to_json(matcher));
  return json::serialize(json::object{{"id", silence.id},
                                      {"status", {{"state", name_of(silence.state_at(now))}}},
                                      {"updatedAt", format_rfc3339(silence.updated_at)},
                                      {"comment", silence.comment},
                                      {"createdBy", silence.created_by},
                                      {"startsAt", format_rfc3339(silence.starts_at)},
                                      {"endsAt", format_rfc3339(silence.ends_at)},
                                      {"matchers", std::move(matchers)}});
}

Result<Silence> parse_silence(std::string_view text) {
  try {
    return to_silence(json::parse(json::string_view(text.data(), text.size())).as_object());
  } catch (const std::exception& e) {
    return invalid(std::string("bad request body: ") + e.what());
  }
}

}  // namespace tocsin::notify
