// SPDX-License-Identifier: Apache-2.0
//
// Labels is the identity of a series or of an alert: names to values, sorted by name, no name
// twice, no empty value (in Prometheus' model an empty value is the absence of the label). The
// metric's name is the label `__name__`.
//
// A value that is never changed once it is made: copies share one allocation, and copying, hashing
// and comparing copies cost next to nothing. Views that it hands out live as long as any copy.
// Series that have most of their labels in common can share those, too (sharing()).
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
  Labels(const Labels& other) : packed_(other.packed_) { retain(packed_); }
  Labels(Labels&& other) noexcept : packed_(std::exchange(other.packed_, nullptr)) {}
  Labels& operator=(Labels other) noexcept {
    std::swap(packed_, other.packed_);
    return *this;
  }
  ~Labels() { release(packed_); }
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
  // The same labels, which take less memory: those of `base` are not kept once more, but together
  // with it. Itself, where they are not all among these. `base` must share nothing itself.
  Labels sharing(const Labels& base) const;
  // joined(own).sharing(*this), faster, where none of `own` is among these. These must share
  // nothing themselves.
  Labels extended(const Labels& own) const;
  // Replaces `out` with a key of keep_only(names) or drop(names), without making them: keys are the
  // same exactly if these are. Whether all labels are in it.
  bool key_of_kept(const std::vector<std::string>& names, std::string& out) const;
  bool key_of_rest(const std::vector<std::string>& names, std::string& out) const;

  // `metric{a="b",c="d"}`, `{a="b"}`, `{}`; the form that PromQL reads.
  std::string text() const;

  // The same in every process (FNV-1a, as Prometheus' fingerprints).
  std::uint64_t hash() const;
  // Known already, and good for hash tables of this process only.
  std::size_t quick_hash() const { return packed_ ? packed_->hash : 0; }
  // What it takes, and its part of what it shares.
  std::size_t byte_size() const;

  bool operator==(const Labels& other) const {
    return packed_ == other.packed_ || (quick_hash() == other.quick_hash() && same_bytes(other));
  }
  // By name, then value, label by label; the order of Prometheus' label sets.
  std::strong_ordering operator<=>(const Labels& other) const;

 private:
  friend class LabelsBuilder;

  // Shared by copies. The bytes stand behind it: for each label length, name, length, value, where
  // lengths are varints. With a base, each label is preceded by how many of the base's bytes come
  // after it.
  struct Packed {
    mutable std::atomic<std::uint32_t> owners;
    std::uint32_t size;
    std::size_t hash;    // The sum of the labels' hashes, wherever they stand.
    const Packed* base;  // Its labels are among these, too; null: all labels stand here.

    std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };

  static Labels pack(std::string_view bytes);
  static Labels pack(std::string_view bytes, std::size_t hash, const Packed* base);
  static void retain(const Packed* packed) {
    if (packed) packed->owners.fetch_add(1, std::memory_order_relaxed);
  }
  static void release(const Packed* packed);
  // Replaces `out` with the bytes of the labels whose name `keeps` takes; whether it takes all.
  template <class Keeps>
  bool filter(Keeps keeps, std::string& out) const;

  bool same_bytes(const Labels& other) const;
  // How long the bytes of all labels are together.
  std::size_t length() const;

  const Packed* packed_ = nullptr;  // Null: no labels.
};

class Labels::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = LabelView;
  using difference_type = std::ptrdiff_t;
  using pointer = const LabelView*;
  using reference = const LabelView&;

  Iterator() = default;  // The end.
  explicit Iterator(const Packed* packed);
  reference operator*() const { return current_; }
  pointer operator->() const { return &current_; }
  Iterator& operator++() {
    read();
    return *this;
  }
  bool operator==(const Iterator& other) const { return raw_.data() == other.raw_.data(); }
  bool is_end() const { return raw_.empty(); }

 private:
  friend class Labels;

  void read();
  void read_place();

  std::string_view raw_;  // The bytes of the current label; null at the end.
  LabelView current_;
  std::string_view own_;     // What is left of its own bytes,
  std::string_view shared_;  // of those of its base,
  std::size_t place_ = 0;    // and of these once it is the turn of the next own label.
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
