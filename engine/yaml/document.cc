// SPDX-License-Identifier: Apache-2.0
#include "yaml/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"

namespace tocsin::yaml {
namespace {

// Nesting deeper than this is an attack, not a configuration.
constexpr std::size_t kMaxDepth = 100;

struct NodeData {
  Kind kind = Kind::Null;
  bool quoted = false;
  std::size_t offset = 0;  // Of its first byte in the file.
  std::string text;
  std::vector<std::uint32_t> children;  // Items; or key, value, key, value.
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

struct Tree {
  std::string file;
  std::string source;
  std::vector<std::size_t> lines;  // Offset of the first byte of each line.
  std::vector<NodeData> nodes;     // The root is the first.

  explicit Tree(std::string file_name, std::string_view text)
      : file(std::move(file_name)), source(text) {
    lines.push_back(0);
    for (std::size_t i = 0; i < source.size(); ++i) {
      if (source[i] == '\n') lines.push_back(i + 1);
    }
  }

  Place place_at(std::size_t offset, std::size_t length) const {
    const auto next = std::upper_bound(lines.begin(), lines.end(), offset);
    const auto line = static_cast<std::size_t>(next - lines.begin());
    return {file, static_cast<int>(line), static_cast<int>(offset - lines[line - 1]) + 1,
            std::max(1, static_cast<int>(length))};
  }

  std::string line_text(int line) const {
    if (line < 1 || static_cast<std::size_t>(line) > lines.size()) return {};
    const std::size_t begin = lines[static_cast<std::size_t>(line) - 1];
    std::size_t end = source.find('\n', begin);
    if (end == std::string::npos) end = source.size();
    if (end > begin && source[end - 1] == '\r') --end;
    return source.substr(begin, end - begin);
  }
};

namespace {

// Collects yaml-cpp's events into a Tree. An alias becomes a second reference to the same node.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Tree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, {.kind = Kind::Null});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::uint32_t index = anchors_.at(anchor);
    if (std::find(open_.begin(), open_.end(), index) != open_.end()) {
      throw YAML::ParserException(mark, "an alias to what contains it");
    }
    attach(index);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(mark, anchor, {.kind = Kind::Scalar, .quoted = tag != "?", .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, add(mark, anchor, {.kind = Kind::Sequence}));
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, add(mark, anchor, {.kind = Kind::Mapping}));
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  std::uint32_t add(const YAML::Mark& mark, YAML::anchor_t anchor, NodeData data) {
    data.offset = std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), tree_.source.size());
    const auto index = static_cast<std::uint32_t>(tree_.nodes.size());
    tree_.nodes.push_back(std::move(data));
    if (anchor != 0) anchors_[anchor] = index;
    attach(index);
    return index;
  }
  void attach(std::uint32_t index) {
    if (!open_.empty()) tree_.nodes[open_.back()].children.push_back(index);
  }
  void open(const YAML::Mark& mark, std::uint32_t index) {
    if (open_.size() >= kMaxDepth) throw YAML::ParserException(mark, "nested too deeply");
    open_.push_back(index);
  }

  Tree& tree_;
  std::vector<std::uint32_t> open_;
  std::unordered_map<YAML::anchor_t, std::uint32_t> anchors_;
};

enum class Style { Plain, Single, Double, Block };

struct ScalarStart {
  Style style = Style::Plain;
  std::size_t begin = 0;  // Where the value begins: behind the quote or the block's header.
};

// Looks behind anchors and tags (`&name`, `!tag`) for how a scalar was written.
ScalarStart scalar_start(std::string_view source, std::size_t at) {
  while (at < source.size() && (source[at] == '&' || source[at] == '!')) {
    while (at < source.size() && !is_blank(source[at])) ++at;
    while (at < source.size() && is_blank(source[at])) ++at;
  }
  if (at >= source.size()) return {Style::Plain, at};
  switch (source[at]) {
    case '"':
      return {Style::Double, at + 1};
    case '\'':
      return {Style::Single, at + 1};
    case '|':
    case '>':
      return {Style::Block, std::min(source.find('\n', at), source.size())};
    default:
      return {Style::Plain, at};
  }
}

// Walks a scalar's value and the source it was written in side by side.
class Alignment {
 public:
  Alignment(std::string_view source, ScalarStart start, std::string_view value)
      : source_(source), style_(start.style), at_(start.begin), value_(value) {}

  // The source offset of value byte `wanted`; npos when the two do not go together.
  std::size_t locate(std::size_t wanted) {
    if (style_ == Style::Block) skip_blanks();
    for (std::size_t i = 0; i < wanted && i < value_.size();) {
      if (is_blank(value_[i])) {
        while (i < wanted && i < value_.size() && is_blank(value_[i])) ++i;
        skip_blanks();
        continue;
      }
      if (!step(value_[i])) return std::string_view::npos;
      ++i;
    }
    return std::min(at_, source_.size());
  }

 private:
  void skip_blanks() {
    while (at_ < source_.size() && is_blank(source_[at_])) ++at_;
  }
  bool step(char c) {
    if (at_ >= source_.size()) return false;
    if (style_ == Style::Double && source_[at_] == '\\') {
      at_ += 2;
      return true;
    }
    if (source_[at_] != c) return false;
    at_ += style_ == Style::Single && c == '\'' ? 2 : 1;
    return true;
  }

  std::string_view source_;
  Style style_;
  std::size_t at_;
  std::string_view value_;
};

const std::string kNoText;

std::size_t first_line_length(const Tree& tree, const NodeData& data) {
  if (data.kind != Kind::Scalar) return 1;
  const ScalarStart start = scalar_start(tree.source, data.offset);
  if (start.style == Style::Block) return 1;
  const std::size_t quotes = start.style == Style::Plain ? 0 : 2;
  const std::size_t end = std::min(tree.source.find('\n', data.offset), tree.source.size());
  return std::min(start.begin - data.offset + data.text.size() + (quotes > 0 ? 1 : 0),
                  end - data.offset);
}

Diagnostic syntax_error(const Tree& tree, std::size_t offset, const std::string& message) {
  Diagnostic d{.code = "yaml/syntax", .message = message};
  d.place = tree.place_at(std::min(offset, tree.source.size()), 1);
  d.snippet = tree.line_text(d.place.line);
  if (d.snippet.find('\t') < d.snippet.find_first_not_of(" \t")) {
    d.hint = "YAML is indented with spaces, never with tabs";
  }
  return d;
}

Diagnostic syntax_error(const Tree& tree, const YAML::Exception& error) {
  const bool known = !error.mark.is_null();
  const auto offset = static_cast<std::size_t>(known ? std::max(error.mark.pos, 0) : 0);
  return syntax_error(tree, offset, error.msg);
}

// Names and messages go to people and to programs that read UTF-8.
bool is_text(const Tree& tree, Diagnostics& diagnostics) {
  const std::string text = well_formed(tree.source);
  if (text == tree.source) return true;
  const auto place =
      std::mismatch(tree.source.begin(), tree.source.end(), text.begin(), text.end());
  const auto offset = static_cast<std::size_t>(place.first - tree.source.begin());
  Diagnostic d = syntax_error(tree, offset, "this is no UTF-8");
  d.snippet = well_formed(d.snippet);
  d.hint = "save the file as UTF-8";
  diagnostics.add(std::move(d));
  return false;
}

void warn_of_second_document(const Tree& tree, YAML::Parser& parser, Diagnostics& diagnostics) {
  Tree rest(tree.file, tree.source);
  TreeBuilder builder(rest);
  if (!parser.HandleNextDocument(builder) || rest.nodes.empty()) return;
  Diagnostic d{.severity = Severity::Warning,
               .code = "yaml/second-document",
               .message = "only the first document of a file is read",
               .hint = "put it into a file of its own"};
  d.place = rest.place_at(rest.nodes.front().offset, 1);
  d.snippet = rest.line_text(d.place.line);
  diagnostics.add(std::move(d));
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

}  // namespace

Document Document::parse(std::string file, std::string_view text, Diagnostics& diagnostics) {
  text = without_byte_order_mark(text);
  auto tree = std::make_shared<Tree>(std::move(file), text);
  if (!is_text(*tree, diagnostics)) {
    tree->nodes.emplace_back();
    return Document(std::move(tree));
  }
  try {
    std::istringstream stream(tree->source);
    YAML::Parser parser(stream);
    TreeBuilder builder(*tree);
    parser.HandleNextDocument(builder);
    warn_of_second_document(*tree, parser, diagnostics);
  } catch (const YAML::Exception& error) {
    diagnostics.add(syntax_error(*tree, error));
    tree->nodes.clear();
  }
  if (tree->nodes.empty()) tree->nodes.emplace_back();
  return Document(std::move(tree));
}

std::vector<Document> Document::parse_all(std::string file, std::string_view text,
                                          Diagnostics& diagnostics) {
  text = without_byte_order_mark(text);
  std::vector<Document> out;
  if (!is_text(Tree(file, text), diagnostics)) return out;
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  std::optional<std::size_t> last;  // Where the document before stands.
  for (bool more = true; more;) {
    auto tree = std::make_shared<Tree>(file, text);
    try {
      TreeBuilder builder(*tree);
      more = parser.HandleNextDocument(builder);
    } catch (const YAML::Exception& error) {
      diagnostics.add(syntax_error(*tree, error));
      break;
    }
    if (tree->nodes.empty()) continue;
    // At what cannot begin a document, yaml-cpp finds an empty one, and then another, for ever.
    const std::size_t offset = tree->nodes.front().offset;
    if (last == offset) {
      diagnostics.add(syntax_error(*tree, offset, "no document can begin like this"));
      break;
    }
    last = offset;
    out.push_back(Document(std::move(tree)));
  }
  return out;
}

Node Document::root() const { return Node(tree_.get(), 0); }

Kind Node::kind() const { return tree_ == nullptr ? Kind::Null : tree_->nodes[index_].kind; }

std::string_view Node::kind_text() const {
  switch (kind()) {
    case Kind::Null:
      return "nothing";
    case Kind::Scalar:
      return "a text";
    case Kind::Sequence:
      return "a list";
    case Kind::Mapping:
      return "a mapping";
  }
  return {};
}

const std::string& Node::text() const {
  return tree_ == nullptr ? kNoText : tree_->nodes[index_].text;
}

bool Node::was_quoted() const { return tree_ != nullptr && tree_->nodes[index_].quoted; }

std::vector<Node> Node::items() const {
  std::vector<Node> out;
  if (!is_sequence()) return out;
  for (const std::uint32_t child : tree_->nodes[index_].children) out.push_back({tree_, child});
  return out;
}

std::vector<Node::Entry> Node::entries() const {
  std::vector<Entry> out;
  if (!is_mapping()) return out;
  std::vector<Node> merged;
  const auto& children = tree_->nodes[index_].children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    const Node key(tree_, children[i]);
    const Node value(tree_, children[i + 1]);
    if (key.text() != "<<" || key.was_quoted() || value.is_scalar()) {
      out.push_back({key, value});
    } else if (value.is_sequence()) {
      for (const Node& item : value.items()) merged.push_back(item);
    } else {
      merged.push_back(value);
    }
  }
  for (const Node& base : merged) {
    for (const Entry& entry : base.entries()) {
      const bool present = std::any_of(out.begin(), out.end(), [&](const Entry& own) {
        return own.key.text() == entry.key.text();
      });
      if (!present) out.push_back(entry);
    }
  }
  return out;
}

Node Node::get(std::string_view key) const {
  for (const Entry& entry : entries()) {
    if (entry.key.text() == key) return entry.value;
  }
  return {};
}

Place Node::place() const {
  if (tree_ == nullptr) return {};
  const NodeData& data = tree_->nodes[index_];
  return tree_->place_at(data.offset, first_line_length(*tree_, data));
}

Place Node::place_of(std::size_t offset, std::size_t length) const {
  if (!is_scalar()) return place();
  const NodeData& data = tree_->nodes[index_];
  const ScalarStart start = scalar_start(tree_->source, data.offset);
  const std::size_t at = Alignment(tree_->source, start, data.text).locate(offset);
  if (at == std::string::npos) return place();
  const std::size_t line_end = std::min(tree_->source.find('\n', at), tree_->source.size());
  return tree_->place_at(at, std::min(length, line_end - at));
}

Diagnostic Node::diagnostic() const { return diagnostic_at(place()); }

Diagnostic Node::diagnostic_at(const Place& place) const {
  Diagnostic d;
  d.place = place;
  if (tree_ != nullptr) d.snippet = tree_->line_text(place.line);
  return d;
}

}  // namespace tocsin::yaml
