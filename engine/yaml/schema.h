// SPDX-License-Identifier: Apache-2.0
//
// What a document may contain, as its readers know it: a Mapping that is made with a Schema reads
// nothing and notes what it is asked for instead. So the schema that editors complete from, and the
// reference that people read, are the readers' own.
//
//   Schema schema;
//   describe_object(schema, job, read_job);     // The same read_job that reads files.
//
// Values; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "yaml/mapping.h"

namespace tocsin::yaml {

struct Schema {
  Shape shape = Shape::Object;
  bool required = false;
  std::vector<std::string> words;  // Of a text, or of texts: each is one of these.
  // Of an object: of each of these lists, it has exactly one key.
  std::vector<std::vector<std::string>> one_of;
  // Of an object, or of each object of a list. In the order in which they are asked for.
  std::vector<std::unique_ptr<Schema>> properties;

  std::string key;               // Empty at the root.
  Schema* parent = nullptr;      // Null at the root.
  const void* tag = nullptr;     // Who reads it.
  const Schema* same = nullptr;  // Of Above.

  // Null where there is none.
  Schema* find(std::string_view name) const;
  // Made where there is none.
  Schema& property(std::string_view name);
  // "scrape_configs.relabel_configs.action"; empty at the root.
  std::string path() const;
};

// Notes in `schema`, which becomes an object, what `reader` reads into `out`. Complaints of the
// reader about what it has not found are nobody's concern.
template <class T, class Reader>
void describe_object(Schema& schema, T& out, Reader reader) {
  Diagnostics ignored;
  Reporter report(ignored, "schema");
  Mapping mapping(schema, report);
  reader(mapping, out);
}

}  // namespace tocsin::yaml
