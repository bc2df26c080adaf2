// SPDX-License-Identifier: Apache-2.0
//
// A YAML document as a tree whose every node knows where it stands in the file. JSON is YAML, so
// JSON files are read with it too. It says nothing about what the document should contain; that is
// mapping.h. Immutable once parsed, any thread; yaml-cpp's types stay in document.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/diagnostics.h"

namespace tocsin::yaml {

enum class Kind : std::uint8_t { Null, Scalar, Sequence, Mapping };

struct Tree;  // The parsed file; document.cc.

// A handle on one node; cheap to copy, valid as long as its Document (or a copy of it) lives.
// A default-made one is null and stands nowhere.
class Node {
 public:
  struct Entry;

  Node() = default;

  Kind kind() const;
  bool is_null() const { return kind() == Kind::Null; }
  bool is_scalar() const { return kind() == Kind::Scalar; }
  bool is_sequence() const { return kind() == Kind::Sequence; }
  bool is_mapping() const { return kind() == Kind::Mapping; }
  // "a mapping", "a list", "a text", "nothing".
  std::string_view kind_text() const;

  // The scalar's value; empty for other kinds.
  const std::string& text() const;
  // Whether the scalar was written in quotes or as a block: never a number or a boolean then.
  bool was_quoted() const;

  // The members of a sequence, the entries of a mapping in the order of the file, duplicates
  // included. A merge key (`<<: *base`) is replaced by the entries that it brings.
  std::vector<Node> items() const;
  std::vector<Entry> entries() const;
  // The value of `key` in a mapping; null where it is absent.
  Node get(std::string_view key) const;

  // Where it stands. The length is that of the scalar on its first line, or one.
  Place place() const;
  // Where the bytes [offset, offset + length) of the scalar's value stand, through quotes, escapes,
  // folding and block indentation.
  Place place_of(std::size_t offset, std::size_t length) const;
  // A diagnostic about this node, with its place and the line of the file. The code and the
  // message are the caller's to fill in.
  Diagnostic diagnostic() const;
  Diagnostic diagnostic_at(const Place& place) const;

 private:
  friend class Document;
  Node(const Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}

  const Tree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

struct Node::Entry {
  Node key;
  Node value;
};

class Document {
 public:
  // Parses the first document of `text`; syntax errors become diagnostics, and the document is
  // then null. A second document is a warning and is not read.
  static Document parse(std::string file, std::string_view text, Diagnostics& diagnostics);

  // All documents of `text`: those between `---`. Null ones are left out; a syntax error ends it.
  static std::vector<Document> parse_all(std::string file, std::string_view text,
                                         Diagnostics& diagnostics);

  Node root() const;

 private:
  explicit Document(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const Tree> tree_;
};

}  // namespace tocsin::yaml
