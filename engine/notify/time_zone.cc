// SPDX-License-Identifier: Apache-2.0
#include "notify/time_zone.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace tocsin::notify {
namespace {

namespace chrono = std::chrono;

constexpr int kDay = 24 * 3600;

// ---- The rule of the footer.

// Reads a POSIX TZ text from its front; each fails by returning nothing.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // "CET", "<+0530>"
  bool name() {
    const bool bracketed = take('<');
    std::size_t length = 0;
    while (length < rest_.size() && is_name_char(rest_[length], bracketed)) ++length;
    rest_.remove_prefix(length);
    return length > 0 && (!bracketed || take('>'));
  }

  std::optional<int> number() {
    int value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && digits < 4 && std::isdigit(byte(rest_[digits])); ++digits) {
      value = value * 10 + (rest_[digits] - '0');
    }
    rest_.remove_prefix(digits);
    return digits > 0 ? std::optional(value) : std::nullopt;
  }

  // "[+-]hh[:mm[:ss]]", in seconds.
  std::optional<int> time() {
    const int sign = take('-') ? -1 : 1;
    if (sign > 0) take('+');
    const auto hours = number();
    if (!hours) return std::nullopt;
    int seconds = *hours * 3600;
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      const auto part = number();
      if (!part) return std::nullopt;
      seconds += *part * unit;
    }
    return sign * seconds;
  }

  std::optional<ZoneRule::Change> change() {
    using Kind = ZoneRule::Change::Kind;
    ZoneRule::Change out;
    if (!take(',')) return std::nullopt;
    const bool by_week = take('M');
    out.kind = by_week ? Kind::MonthWeekDay : take('J') ? Kind::DayWithoutLeap : Kind::Day;
    if (by_week) {
      if (!part_of(out.month, 1, 12) || !take('.') || !part_of(out.week, 1, 5) || !take('.')) {
        return std::nullopt;
      }
    }
    const bool from_one = out.kind == Kind::DayWithoutLeap;
    if (!part_of(out.day, from_one ? 1 : 0, by_week ? 6 : 365)) return std::nullopt;
    if (!take('/')) return out;
    const auto at = time();
    if (!at) return std::nullopt;
    out.seconds = *at;
    return out;
  }

 private:
  static unsigned char byte(char c) { return static_cast<unsigned char>(c); }
  static bool is_name_char(char c, bool bracketed) {
    return bracketed ? c != '>' : std::isalpha(byte(c)) != 0;
  }
  bool part_of(int& out, int least, int most) {
    const auto value = number();
    if (!value || *value < least || *value > most) return false;
    out = *value;
    return true;
  }

  std::string_view rest_;
};

// The first day of the month that the change can be on, in days since 1970.
std::int64_t day_by_week(const ZoneRule::Change& change, chrono::year year) {
  const auto month = chrono::month(static_cast<unsigned>(change.month));
  const auto weekday = chrono::weekday(static_cast<unsigned>(change.day));
  if (change.week == 5) {
    return chrono::sys_days(year / month / weekday[chrono::last]).time_since_epoch().count();
  }
  return chrono::sys_days(year / month / weekday[static_cast<unsigned>(change.week)])
      .time_since_epoch()
      .count();
}

// Local seconds since 1970 of the change in that year.
std::int64_t moment_of(const ZoneRule::Change& change, chrono::year year) {
  using Kind = ZoneRule::Change::Kind;
  std::int64_t day = 0;
  if (change.kind == Kind::MonthWeekDay) {
    day = day_by_week(change, year);
  } else {
    day = chrono::sys_days(year / chrono::January / 1).time_since_epoch().count() + change.day;
    if (change.kind == Kind::DayWithoutLeap) {
      day -= year.is_leap() && change.day > 59 ? 0 : 1;
    }
  }
  return day * kDay + change.seconds;
}

chrono::year year_of(std::int64_t seconds) {
  const auto days = chrono::floor<chrono::days>(chrono::sys_seconds(chrono::seconds(seconds)));
  return chrono::year_month_day(days).year();
}

// ---- The file.

struct Header {
  std::size_t counts[6]{};  // isutc, isstd, leap, time, type, char.

  std::size_t times() const { return counts[3]; }
  std::size_t types() const { return counts[4]; }
  std::size_t block_bytes(std::size_t time_bytes) const {
    return times() * (time_bytes + 1) + types() * 6 + counts[5] + counts[2] * (time_bytes + 4) +
           counts[1] + counts[0];
  }
};

constexpr std::size_t kHeaderBytes = 44;
constexpr std::size_t kMostCount = 100'000;  // No zone has changed its clocks so often.

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = static_cast<signed char>(bytes[0]) < 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

std::optional<Header> read_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif") || bytes[4] < '2') {
    return std::nullopt;
  }
  Header out;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::int64_t count = big_endian(bytes.substr(20 + 4 * i, 4));
    if (count < 0 || static_cast<std::size_t>(count) > kMostCount) return std::nullopt;
    out.counts[i] = static_cast<std::size_t>(count);
  }
  return out;
}

// Skips the block of 32-bit times, which is there for old readers.
std::optional<std::string_view> skip_old_block(std::string_view bytes) {
  const auto old = read_header(bytes);
  if (!old) return std::nullopt;
  const std::size_t skipped = kHeaderBytes + old->block_bytes(4);
  if (bytes.size() < skipped) return std::nullopt;
  return bytes.substr(skipped);
}

tl::unexpected<Error> not_tzif() { return fail(ErrorCode::Parse, "not a TZif file"); }

}  // namespace

Result<ZoneRule> parse_zone_rule(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::Parse, "not the rule of a time zone: " + std::string(text));
  };
  RuleReader reader(text);
  const auto standard = reader.name() ? reader.time() : std::nullopt;
  if (!standard) return bad();
  ZoneRule out;
  out.standard = out.summer = -*standard;  // POSIX counts to the west.
  if (reader.done()) return out;
  if (!reader.name()) return bad();
  out.summer = out.standard + 3600;
  if (const auto summer = reader.time()) out.summer = -*summer;
  const auto to_summer = reader.change();
  const auto to_standard = to_summer ? reader.change() : std::nullopt;
  if (!to_standard || !reader.done()) return bad();
  out.to_summer = *to_summer;
  out.to_standard = *to_standard;
  return out;
}

int ZoneRule::offset_at(std::int64_t seconds) const {
  if (summer == standard) return standard;
  const chrono::year year = year_of(seconds + standard);
  const std::int64_t begin = moment_of(to_summer, year) - standard;
  const std::int64_t end = moment_of(to_standard, year) - summer;
  // On the southern half of the Earth summer lies around the new year.
  const bool is_summer =
      begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
  return is_summer ? summer : standard;
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  const auto rest = skip_old_block(bytes);
  const auto header = rest ? read_header(*rest) : std::nullopt;
  if (!header || rest->size() < kHeaderBytes + header->block_bytes(8) + 2 || header->types() == 0) {
    return not_tzif();
  }
  const std::string_view times = rest->substr(kHeaderBytes);
  const std::string_view indexes = times.substr(8 * header->times());
  const std::string_view types = indexes.substr(header->times());
  const auto offset_of_type = [&](std::size_t type) {
    return static_cast<int>(big_endian(types.substr(6 * type, 4)));
  };
  TimeZone out;
  out.first_offset_ = offset_of_type(0);
  for (std::size_t i = 0; i < header->times(); ++i) {
    const auto type = static_cast<unsigned char>(indexes[i]);
    if (type >= header->types()) return not_tzif();
    out.changes_.push_back(big_endian(times.substr(8 * i, 8)));
    out.offsets_.push_back(offset_of_type(type));
  }
  if (!std::is_sorted(out.changes_.begin(), out.changes_.end())) return not_tzif();
  std::string_view footer = rest->substr(kHeaderBytes + header->block_bytes(8) + 1);
  footer = footer.substr(0, footer.find('\n'));
  if (footer.empty()) return out;
  const auto rule = parse_zone_rule(footer);
  if (!rule) return fail(rule.error());
  out.has_rule_ = true;
  out.rule_ = *rule;
  return out;
}

int TimeZone::offset_at(Timestamp at) const {
  const std::int64_t seconds = chrono::floor<chrono::seconds>(at.time_since_epoch()).count();
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), seconds);
  if (next == changes_.end() && has_rule_) return rule_.offset_at(seconds);
  if (next == changes_.begin()) return first_offset_;
  return offsets_[static_cast<std::size_t>(next - changes_.begin()) - 1];
}

}  // namespace tocsin::notify
