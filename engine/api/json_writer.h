// SPDX-License-Identifier: Apache-2.0
//
// JsonWriter appends JSON to a string as it goes, without building a tree first: the answer to a
// query can have millions of samples. Numbers and times have the form that Prometheus gives them.
// It writes what it is told; that brackets match is the caller's business. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tocsin/labels.h"
#include "tocsin/sample.h"

namespace tocsin::api {

class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& text(std::string_view value);
  // Not a number and infinities, which JSON does not have, become null.
  JsonWriter& number(double value);
  JsonWriter& integer(std::uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // Text that is JSON already.
  JsonWriter& raw(std::string_view json);

  JsonWriter& labels(const Labels& labels);
  JsonWriter& texts(const std::map<std::string, std::string>& texts);
  // [1435781451.781,"1"]
  JsonWriter& sample(const Sample& sample);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void quote(std::string_view text);

  std::string& out_;
  bool needs_comma_ = false;
};

// Seconds, with three decimals where they are not whole: 1435781451, 1435781451.050.
std::string seconds_text(Timestamp at);

// A sample's value as Prometheus' API prints it: as format_value, with an exponent below 1e-6 and
// from 1e21 on.
std::string sample_text(double value);

// RFC 3339; an absent moment is Go's zero time, as in Prometheus' API.
std::string moment_text(const std::optional<Timestamp>& at);

}  // namespace tocsin::api
