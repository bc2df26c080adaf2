// SPDX-License-Identifier: Apache-2.0
//
// One process' metrics: the series that it has, and how they are printed. Counts are kept as real
// numbers and printed rounded down, so that a rate of a third per second becomes whole numbers that
// never decrease; a histogram's buckets are kept cumulated, so that they always agree with its
// count. Which families there are is family.h. Not thread-safe; pure.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulate/distribution.h"
#include "simulate/family.h"
#include "tocsin/clock.h"

namespace tocsin::simulate {

// Labels as they are printed, without braces. Families whose series have the same ones share them.
using LabelText = std::shared_ptr<const std::string>;

// `a="x",b="y"`, in the order given; escapes are not needed for what a mesh calls its things.
std::string label_text(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);
// Joins two texts with a comma where both are not empty.
std::string label_text(std::string_view first, std::string_view second);
inline LabelText share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// A series of one page, or nothing: a family that the page's Linkerd version does not know has no
// series, and counting on nothing does nothing.
struct SeriesId {
  static constexpr std::uint16_t kNone = 0xffff;
  FamilyId family{};
  std::uint16_t index = kNone;

  bool valid() const { return index != kNone; }
};

class Page {
 public:
  enum class Owner : std::uint8_t { Proxy, Component };

  Page(Owner owner, LinkerdVersion version) : owner_(owner), version_(version) {}

  // What the following changes are dated with.
  void set_time(Timestamp now) { now_ = now; }

  // Finds or adds. Two texts are one, joined; the first may be shared between families.
  SeriesId series(FamilyId family, LabelText labels, std::string extra = {});

  void add(SeriesId id, double count);
  void set(SeriesId id, double value);
  void observe(SeriesId id, double count, const Distribution& distribution);
  // What add and set have made of it; a histogram's sum.
  double value(SeriesId id) const { return id.valid() ? at(id).value : 0; }

  // Forgets the series that were not used for ten minutes, where the family does so.
  void forget_idle();

  // The process was restarted. Every SeriesId is void.
  void clear();

  // Appends the page.
  void render(std::string& out) const;
  // How many sample lines render() would write.
  std::size_t lines() const;

 private:
  struct Series {
    LabelText labels;
    std::string extra;
    double value = 0;
    std::vector<double> cumulative;  // Of a histogram, +Inf last.
    Timestamp used;
    bool exists = false;
  };

  Series& at(SeriesId id) { return series_[static_cast<std::size_t>(id.family)][id.index]; }
  const Series& at(SeriesId id) const {
    return series_[static_cast<std::size_t>(id.family)][id.index];
  }
  bool knows(const Family& f) const;
  static bool is_visible(const Family& f, const Series& s);
  static void render_histogram(const Family& f, const Series& s, std::string& out);
  void render_family(const Family& f, std::string& out) const;

  Owner owner_;
  LinkerdVersion version_;
  Timestamp now_;
  std::array<std::vector<Series>, kFamilyCount> series_;
};

}  // namespace tocsin::simulate
