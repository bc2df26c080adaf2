// SPDX-License-Identifier: Apache-2.0
//
// Reads the fields of a YAML mapping into a struct, strictly: what is missing, of the wrong type,
// written twice or not known is reported with its place, and reading goes on, so that a person sees
// all of their mistakes at once. One function per object:
//
//   void read_tls(Mapping& m, TlsConfig& tls) {
//     m.read("ca_file", tls.ca_file);
//     m.read("insecure_skip_verify", tls.insecure_skip_verify);
//   }
//   void read_job(Mapping& m, Job& job) {
//     m.require("job_name", job.name);
//     m.read("scrape_interval", job.interval);        // Duration, or std::optional of anything
//     m.choice("scheme", job.scheme, {{"http", Scheme::Http}, {"https", Scheme::Https}});
//     m.read("tls_config", job.tls, read_tls);        // T, std::optional<T> or std::vector<T>
//     if (job.timeout > job.interval) m.error("scrape_timeout", "is longer than the interval");
//   }
//   Reporter report(diagnostics, "config");
//   read_object(document.root(), report, job, read_job);
//
// A key whose value is null counts as absent, as in Prometheus. Not thread-safe; short-lived.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/diagnostics.h"
#include "yaml/document.h"

namespace tocsin::yaml {

// Where complaints about a document go, with the context that they share.
class Reporter {
 public:
  // Codes are "area/what": "config/unknown-key", "rule/unknown-key".
  Reporter(Diagnostics& out, std::string area) : out_(out), area_(std::move(area)) {}

  void error(const Node& node, std::string_view code, std::string message, std::string hint = {});
  void warning(const Node& node, std::string_view code, std::string message, std::string hint = {});
  // For a place that is not a whole node, or a severity decided elsewhere; the context is added.
  void add(Diagnostic diagnostic);

  // Number of errors so far: "did this object read well" is a comparison of two counts.
  std::size_t error_count() const { return errors_; }
  std::string code(std::string_view what) const { return area_ + "/" + std::string(what); }

  // Names what is being read ("alert 'X'") for as long as it lives.
  class Context {
   public:
    Context(Reporter& report, std::string what) : report_(report) {
      report_.contexts_.push_back(std::move(what));
    }
    ~Context() { report_.contexts_.pop_back(); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

   private:
    Reporter& report_;
  };

 private:
  Diagnostics& out_;
  std::string area_;
  std::size_t errors_ = 0;
  std::vector<std::string> contexts_;
};

// Scalars and collections of scalars. `name` is what the message calls the value; false, and a
// report, when it does not fit. Overload it for a type of your own to make Mapping::read take it.
using StringMap = std::map<std::string, std::string>;
bool convert(const Node& node, std::string_view name, Reporter& report, std::string& out);
bool convert(const Node& node, std::string_view name, Reporter& report, bool& out);
bool convert(const Node& node, std::string_view name, Reporter& report, std::int64_t& out);
bool convert(const Node& node, std::string_view name, Reporter& report, double& out);
bool convert(const Node& node, std::string_view name, Reporter& report, Duration& out);
bool convert(const Node& node, std::string_view name, Reporter& report, StringMap& out);
// Where a list is expected, a single scalar is an error; write [a].
bool convert(const Node& node, std::string_view name, Reporter& report,
             std::vector<std::string>& out);
template <class T>
bool convert(const Node& node, std::string_view name, Reporter& report, std::optional<T>& out) {
  T value{};
  if (!convert(node, name, report, value)) return false;
  out = std::move(value);
  return true;
}

// What a value may be, for schema.h. Scalar: a text, a number or a word, as its reader has it.
enum class Shape {
  Any,
  Scalar,
  Text,
  Boolean,
  Integer,
  Number,
  Duration,
  Texts,
  TextOrTexts,
  TextMap,
  Object,
  Objects,
  Above  // The same as an object that this one is in.
};
template <class T>
constexpr Shape shape_of(const T*) {
  return Shape::Scalar;
}
constexpr Shape shape_of(const std::string*) { return Shape::Text; }
constexpr Shape shape_of(const bool*) { return Shape::Boolean; }
constexpr Shape shape_of(const std::int64_t*) { return Shape::Integer; }
constexpr Shape shape_of(const double*) { return Shape::Number; }
constexpr Shape shape_of(const Duration*) { return Shape::Duration; }
constexpr Shape shape_of(const StringMap*) { return Shape::TextMap; }
constexpr Shape shape_of(const std::vector<std::string>*) { return Shape::Texts; }
template <class T>
constexpr Shape shape_of(const std::optional<T>*) {
  return shape_of(static_cast<const T*>(nullptr));
}

struct Schema;  // schema.h

class Mapping {
 public:
  // Reports when `node` is not a mapping (ok() is false and every read finds nothing then) and
  // when a key occurs twice. `name` is what messages call it.
  Mapping(const Node& node, Reporter& report, std::string name = "this");
  // Reads nothing, and notes in `schema` what it is asked for: every read succeeds, nothing is
  // there.
  Mapping(Schema& schema, Reporter& report) : report_(report), schema_(&schema) {}

  bool ok() const { return schema_ || node_.is_mapping(); }
  const Node& node() const { return node_; }
  Reporter& report() { return report_; }

  // Whether `key` has a value that is not null; marks it as known.
  bool has(std::string_view key) { return !schema_ && !find(key).is_null(); }
  // The value of `key`, null where absent; marks it as known.
  Node find(std::string_view key);

  // Leaves `out` as it is where the key is absent or wrong; true when it was set.
  template <class T>
  bool read(std::string_view key, T& out) {
    if (schema_) return note(key, shape_of(&out));
    const Node value = find(key);
    return !value.is_null() && convert(value, key, report_, out);
  }
  template <class T, class Reader>
  bool read(std::string_view key, T& out, Reader reader);
  // The same for a list of objects: one element per item.
  template <class T, class Reader>
  bool read(std::string_view key, std::vector<T>& out, Reader reader);

  // As read(), and the absence of the key is an error.
  template <class T, class... Reader>
  bool require(std::string_view key, T& out, Reader... reader) {
    if (schema_) return read(key, out, reader...) && note_required(key);
    if (!has(key)) {
      missing(key);
      return false;
    }
    return read(key, out, reader...);
  }

  // One of a few words.
  template <class E>
  bool choice(std::string_view key, E& out,
              const std::vector<std::pair<std::string_view, E>>& choices);

  // For a key whose value is not read in one of these ways: what it may be; of texts, which ones.
  void declare(std::string_view key, Shape shape, std::vector<std::string> words = {}) {
    if (schema_) note(key, shape, std::move(words));
  }
  // Exactly one of these keys must be there. Whoever reads the document says so to it.
  void declare_one_of(std::vector<std::string> keys);
  // The same of a list of objects that somebody else reads: `describe(Mapping&)`.
  template <class Describe>
  void declare_objects(std::string_view key, Describe describe) {
    if (schema_) describe_child(key, Shape::Objects, &kTag<Describe>, describe);
  }

  // A complaint about the value of `key`, or about the mapping where the key is absent.
  void error(std::string_view key, std::string message, std::string hint = {});
  // A complaint about the mapping as a whole.
  void error_here(std::string message, std::string hint = {});

  // Reports the keys that nobody asked for. read(…, reader) and read_object() call it.
  void finish();

 private:
  // An address for each type.
  template <class T>
  static inline const char kTag = 0;

  // Of schema_. They return true, as reading does.
  bool note(std::string_view key, Shape shape, std::vector<std::string> words = {});
  bool note_required(std::string_view key);
  // The place of an object below; null where one that it is in is of the same kind.
  Schema* note_object(std::string_view key, Shape shape, const void* tag);
  template <class Describe>
  bool describe_child(std::string_view key, Shape shape, const void* tag, Describe describe) {
    if (Schema* child = note_object(key, shape, tag)) {
      Mapping below(*child, report_);
      describe(below);
    }
    return true;
  }

  void missing(std::string_view key);
  std::optional<std::size_t> choose(std::string_view key, const std::vector<std::string>& words);

  Node node_;
  Reporter& report_;
  std::string name_;
  std::vector<Node::Entry> entries_;
  std::vector<std::string> known_;
  Schema* schema_ = nullptr;  // Null: a document is read.
};

template <class T, class Reader>
void read_object(const Node& node, Reporter& report, T& out, Reader reader,
                 std::string name = "this") {
  Mapping mapping(node, report, std::move(name));
  if (!mapping.ok()) return;
  reader(mapping, out);
  mapping.finish();
}

namespace internal {
template <class T, class Reader>
void read_into(const Node& node, Reporter& report, T& out, Reader reader, std::string name) {
  read_object(node, report, out, reader, std::move(name));
}
template <class T, class Reader>
void read_into(const Node& node, Reporter& report, std::optional<T>& out, Reader reader,
               std::string name) {
  read_object(node, report, out.emplace(), reader, std::move(name));
}
template <class T, class Reader>
void describe_into(Mapping& mapping, T& out, Reader reader) {
  reader(mapping, out);
}
template <class T, class Reader>
void describe_into(Mapping& mapping, std::optional<T>& out, Reader reader) {
  reader(mapping, out.emplace());
}
}  // namespace internal

template <class T, class Reader>
bool Mapping::read(std::string_view key, T& out, Reader reader) {
  if (schema_) {
    return describe_child(key, Shape::Object, &kTag<std::pair<T, Reader>>,
                          [&](Mapping& below) { internal::describe_into(below, out, reader); });
  }
  const Node value = find(key);
  if (value.is_null()) return false;
  internal::read_into(value, report_, out, reader, "'" + std::string(key) + "'");
  return true;
}

template <class T, class Reader>
bool Mapping::read(std::string_view key, std::vector<T>& out, Reader reader) {
  if (schema_) {
    T item{};
    return describe_child(key, Shape::Objects, &kTag<std::pair<T, Reader>>,
                          [&](Mapping& below) { reader(below, item); });
  }
  const Node value = find(key);
  if (value.is_null()) return false;
  if (!value.is_sequence()) {
    error(key, "'" + std::string(key) + "' must be a list, is " + std::string(value.kind_text()));
    return false;
  }
  for (const Node& item : value.items()) {
    read_object(item, report_, out.emplace_back(), reader, "an item of '" + std::string(key) + "'");
  }
  return true;
}

template <class E>
bool Mapping::choice(std::string_view key, E& out,
                     const std::vector<std::pair<std::string_view, E>>& choices) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.emplace_back(word);
  if (schema_) return note(key, Shape::Text, std::move(words));
  const std::optional<std::size_t> chosen = choose(key, words);
  if (chosen) out = choices[*chosen].second;
  return chosen.has_value();
}

}  // namespace tocsin::yaml
