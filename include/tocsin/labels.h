// SPDX-License-Identifier: Apache-2.0
//
// Labels is the identity of a series or of an alert: names to values, sorted by name, no name
// twice, no empty value (in Prometheus' model an empty value is the absence of the label). The
// metric's name is the label `__name__`.
//
// A value that is never changed once it is made: copies share one allocation, and copying, hashing
// and comparing copies cost next to nothing. Views that it hands out live as long as any copy.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

inline constexpr std::string_view kMetricName = "__name__";

struct LabelView {
  std::string_view name;
  std::string_view value;

  bool operator==(const LabelView&) const = default;
};

class Labels {
 public:
  class Iterator;

  Labels() = default;
  Labels(const Labels& other) : packed_(other.packed_) { retain(); }
  Labels(Labels&& other) noexcept : packed_(std::exchange(other.packed_, nullptr)) {}
  Labels& operator=(Labels other) noexcept {
    std::swap(packed_, other.packed_);
    return *this;
  }
  ~Labels() { release(); }
  // In any order; later duplicates win, empty values are left out.
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);
  explicit Labels(std::vector<std::pair<std::string, std::string>> pairs);

  // The value of `name`, or an empty view: absent and empty are the same thing.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return !get(name).empty(); }
  std::string_view metric_name() const { return get(kMetricName); }

  bool empty() const { return packed_ == nullptr; }
  std::size_t size() const;
  Iterator begin() const;
  Iterator end() const;

  // Copies, changed. with() with an empty value removes.
  Labels with(std::string_view name, std::string_view value) const;
  Labels without(std::string_view name) const { return with(name, {}); }
  Labels keep_only(const std::vector<std::string>& names) const;
  Labels drop(const std::vector<std::string>& names) const;
  // Those of both; where both have a label, that of `other`.
  Labels joined(const Labels& other) const;
  // Replaces `out` with a key of keep_only(names) or drop(names), without making them: keys are the
  // same exactly if these are.
  void key_of_kept(const std::vector<std::string>& names, std::string& out) const;
  void key_of_rest(const std::vector<std::string>& names, std::string& out) const;

  // `metric{a="b",c="d"}`, `{a="b"}`, `{}`; the form that PromQL reads.
  std::string text() const;

  // The same in every process (FNV-1a, as Prometheus' fingerprints).
  std::uint64_t hash() const;
  // Known already, and good for hash tables of this process only.
  std::size_t quick_hash() const { return packed_ ? packed_->hash : 0; }
  std::size_t byte_size() const { return packed_ ? sizeof(Packed) + packed_->size : 0; }

  bool operator==(const Labels& other) const {
    return packed_ == other.packed_ || (quick_hash() == other.quick_hash() && same_bytes(other));
  }
  // By name, then value, label by label; the order of Prometheus' label sets.
  std::strong_ordering operator<=>(const Labels& other) const;

 private:
  friend class LabelsBuilder;

  // Shared by copies. The bytes stand behind it: for each label length, name, length, value, where
  // lengths are varints.
  struct Packed {
    mutable std::atomic<std::uint32_t> owners;
    std::uint32_t size;
    std::size_t hash;

    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  };

  static Labels pack(std::string_view bytes);
  // Replaces `out` with the bytes of the labels whose name `keeps` takes.
  template <class Keeps>
  void filter(Keeps keeps, std::string& out) const;
  Labels pack_filtered(const std::string& filtered) const;

  void retain() const {
    if (packed_) packed_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  void release() const;
  bool same_bytes(const Labels& other) const;
  std::string_view bytes() const;

  const Packed* packed_ = nullptr;  // Null: no labels.
};

class Labels::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = LabelView;
  using difference_type = std::ptrdiff_t;
  using pointer = const LabelView*;
  using reference = const LabelView&;

  explicit Iterator(const char* at, const char* end) : next_(at), end_(end) { read(); }
  reference operator*() const { return current_; }
  pointer operator->() const { return &current_; }
  Iterator& operator++() {
    read();
    return *this;
  }
  bool operator==(const Iterator& other) const { return at_ == other.at_; }

 private:
  void read();

  const char* at_ = nullptr;
  const char* next_;
  const char* end_;
  LabelView current_;
};

// Collects changes and makes Labels once. For relabelling and parsers. A view that it hands out is
// good until the next change.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base);

  // An empty value removes the label. Names that come in order are the fastest.
  LabelsBuilder& set(std::string_view name, std::string_view value);
  LabelsBuilder& remove(std::string_view name) { return set(name, {}); }
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return !get(name).empty(); }
  std::vector<std::pair<std::string, std::string>> pairs() const;
  void clear();

  Labels build() const;

 private:
  // Where a label's texts stand in text_.
  struct Piece {
    std::uint32_t name = 0;
    std::uint32_t name_size = 0;
    std::uint32_t value = 0;
    std::uint32_t value_size = 0;
  };

  std::string_view name_of(const Piece& piece) const;
  std::string_view value_of(const Piece& piece) const;
  // The first piece whose name is not before `name`.
  std::vector<Piece>::const_iterator find(std::string_view name) const;
  std::uint32_t keep(std::string_view text);

  std::string text_;           // Grows; what was replaced stays in it.
  std::vector<Piece> pieces_;  // Sorted by name.
};

// [a-zA-Z_][a-zA-Z0-9_]*
bool is_legacy_label_name(std::string_view name);
// [a-zA-Z_:][a-zA-Z0-9_:]*
bool is_legacy_metric_name(std::string_view name);
bool is_valid_utf8(std::string_view text);

// `text` in double quotes, escaped as Go's strconv.Quote does for the text that occurs in labels.
std::string quote(std::string_view text);

}  // namespace tocsin

template <>
struct std::hash<tocsin::Labels> {
  std::size_t operator()(const tocsin::Labels& labels) const noexcept {
    return labels.quick_hash();
  }
};
