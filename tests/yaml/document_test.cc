// SPDX-License-Identifier: Apache-2.0
#include "yaml/document.h"

#include <doctest/doctest.h>

namespace tocsin::yaml {
namespace {

// The text of the file that Place covers, so that a table can say what a place means.
std::string underlined(const Node& node, std::string_view part) {
  const std::size_t offset = node.text().find(part);
  const Place place = node.place_of(offset, part.size());
  const std::string line = node.diagnostic_at(place).snippet;
  return line.substr(static_cast<std::size_t>(place.column) - 1,
                     static_cast<std::size_t>(place.length));
}

TEST_CASE("a node knows its kind, its text and its place") {
  Diagnostics diagnostics;
  const Document document =
      Document::parse("f.yaml", "a: 1\nb: [x, \"2\"]\nc: {d: e}\nf:\n", diagnostics);
  REQUIRE(diagnostics.empty());
  const Node root = document.root();
  CHECK(root.get("a").text() == "1");
  CHECK_FALSE(root.get("a").was_quoted());
  CHECK(root.get("b").items().size() == 2);
  CHECK(root.get("b").items()[1].was_quoted());
  CHECK(root.get("b").items()[1].place().text() == "f.yaml:2:8");
  CHECK(root.get("b").items()[1].place().length == 3);
  CHECK(root.get("c").get("d").text() == "e");
  CHECK(root.get("f").is_null());
  CHECK(root.get("absent").is_null());
}

TEST_CASE("what cannot begin a document is an error, once") {
  for (const char* const text : {"groups: []\n--- ,\n", "--- ,", ",", "---\n---\n--- , a\n---\n"}) {
    CAPTURE(text);
    Diagnostics diagnostics;
    const auto documents = Document::parse_all("f.yaml", text, diagnostics);
    CHECK(documents.size() < 5);
    CHECK(diagnostics.text().find("no document can begin like this") != std::string::npos);
  }
  Diagnostics diagnostics;
  CHECK(Document::parse_all("f.yaml", "---\n---\n---\na: b\n---\n", diagnostics).size() == 4);
  CHECK(diagnostics.empty());
}

TEST_CASE("what is no UTF-8 is an error, with its place, and no part of what is said") {
  for (const bool all : {false, true}) {
    Diagnostics diagnostics;
    const std::string text = "a: b\ngroups: [{name: \"g\xe4\"}]\n";
    if (all) {
      CHECK(Document::parse_all("f.yaml", text, diagnostics).empty());
    } else {
      CHECK(Document::parse("f.yaml", text, diagnostics).root().is_null());
    }
    REQUIRE(diagnostics.count(Severity::Error) == 1);
    CHECK(diagnostics.all()[0].place.text() == "f.yaml:2:19");
    CHECK(diagnostics.text().find('\xe4') == std::string::npos);
  }
  Diagnostics diagnostics;
  CHECK(Document::parse("f.yaml", "\xef\xbb\xbf\"a\": \"gr\u00fcn\"", diagnostics)
            .root()
            .is_mapping());
  CHECK(diagnostics.empty());
}

TEST_CASE("JSON is YAML") {
  Diagnostics diagnostics;
  const Document document = Document::parse(
      "sd.json", "[\n  {\"targets\": [\"h:1\"], \"labels\": {\"a\": null}}\n]", diagnostics);
  REQUIRE(diagnostics.empty());
  const Node first = document.root().items().at(0);
  CHECK(first.get("targets").items().at(0).text() == "h:1");
  CHECK(first.get("labels").get("a").is_null());
}

TEST_CASE("a place inside a scalar is found however the scalar is written") {
  const struct {
    const char* style;
    const char* text;
  } cases[] = {
      {"plain", "expr: rate(x[5m]) > bad\n"},
      {"plain, folded over lines", "expr: rate(x[5m])\n  >\n  bad\n"},
      {"double quoted", "expr: \"rate(x{a=\\\"b\\\"}[5m]) > bad\"\n"},
      {"single quoted", "expr: 'rate(x{a=''b''}[5m]) > bad'\n"},
      {"literal block", "expr: |\n    rate(x[5m])\n      > bad\n"},
      {"folded block", "expr: >-\n    rate(x[5m])\n    > bad\n"},
      {"behind an anchor", "expr: &e rate(x[5m]) > bad\n"},
      {"CRLF", "expr: |\r\n  rate(x)\r\n  > bad\r\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.style);
    Diagnostics diagnostics;
    const Document document = Document::parse("f", c.text, diagnostics);
    REQUIRE(diagnostics.empty());
    CHECK(underlined(document.root().get("expr"), "bad") == "bad");
    CHECK(underlined(document.root().get("expr"), "rate") == "rate");
  }
}

TEST_CASE("aliases and merge keys bring what they refer to") {
  Diagnostics diagnostics;
  const Document document = Document::parse("f",
                                            "base: &base {a: 1, b: 2}\n"
                                            "own:\n  <<: *base\n  b: 3\n"
                                            "same: *base\n",
                                            diagnostics);
  REQUIRE(diagnostics.empty());
  CHECK(document.root().get("own").get("a").text() == "1");
  CHECK(document.root().get("own").get("b").text() == "3");
  CHECK(document.root().get("same").get("b").text() == "2");
}

TEST_CASE("a document that cannot be read is null, and the reason has a place") {
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"a: [1, 2\nb: 3\n",
       "f.yaml:2:2: error: end of sequence flow not found [yaml/syntax]\n    b: 3\n     ^\n"},
      {"a: *nowhere\n",
       "f.yaml:1:4: error: the referenced anchor is not defined [yaml/syntax]\n"
       "    a: *nowhere\n       ^\n"},
      {"a: &a [*a]\n",
       "f.yaml:1:8: error: an alias to what contains it [yaml/syntax]\n"
       "    a: &a [*a]\n           ^\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    Diagnostics diagnostics;
    const Document document = Document::parse("f.yaml", c.text, diagnostics);
    CHECK(document.root().is_null());
    CHECK(diagnostics.text() == c.expected);
  }
}

TEST_CASE("a tab in the indentation is explained") {
  Diagnostics diagnostics;
  Document::parse("f", "a:\n\tb: 1\n", diagnostics);
  CHECK(diagnostics.text().find("hint: YAML is indented with spaces") != std::string::npos);
}

TEST_CASE("nesting without end is refused") {
  Diagnostics diagnostics;
  Document::parse("f", std::string(5000, '['), diagnostics);
  CHECK(diagnostics.has_errors());
}

TEST_CASE("a second document is said not to be read") {
  Diagnostics diagnostics;
  const Document document = Document::parse("f", "a: 1\n---\na: 2\n", diagnostics);
  CHECK(document.root().get("a").text() == "1");
  CHECK(diagnostics.count(Severity::Warning) == 1);
  CHECK(diagnostics.all()[0].place.line == 3);
}

TEST_CASE("an empty file is null") {
  Diagnostics diagnostics;
  CHECK(Document::parse("f", "# nothing\n", diagnostics).root().is_null());
  CHECK(diagnostics.empty());
}

}  // namespace
}  // namespace tocsin::yaml
