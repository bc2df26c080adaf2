// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <limits>

#include "api/html_writer.h"
#include "api/json_writer.h"
#include "base/utf8.h"

namespace tocsin::api {
namespace {

TEST_CASE("times are seconds, with three decimals where they are not whole") {
  CHECK(seconds_text(from_millis(1'435'781'451'781)) == "1435781451.781");
  CHECK(seconds_text(from_millis(1'435'781'451'050)) == "1435781451.050");
  CHECK(seconds_text(from_millis(1'435'781'451'000)) == "1435781451");
  CHECK(seconds_text(from_millis(0)) == "0");
  CHECK(seconds_text(from_millis(-1)) == "-0.001");
  CHECK(seconds_text(from_millis(-1500)) == "-1.500");
}

TEST_CASE("JSON strings hold any text, and only well-formed UTF-8") {
  const std::pair<std::string, std::string> cases[] = {
      {"", R"j("")j"},
      {"plain ü €", R"j("plain ü €")j"},
      {"a\"b\\c\n\r\t\x1f", R"j("a\"b\\c\n\r\t\u001f")j"},
      {"bad \xff\xc3", "\"bad \xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"</script>", R"j("</script>")j"},
  };
  for (const auto& [text, json] : cases) {
    std::string out;
    JsonWriter(out).text(text);
    CHECK(out == json);
  }
}

TEST_CASE("JSON has commas where they belong, and no infinity") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("a").begin_array().number(1).number(0.25).end_array();
  json.key("b").begin_object().end_object().key("c").boolean(true).key("d").null();
  json.key("e").number(std::numeric_limits<double>::infinity()).end_object();
  CHECK(out == R"j({"a":[1,0.25],"b":{},"c":true,"d":null,"e":null})j");
}

TEST_CASE("text is made well-formed, character by character") {
  CHECK(well_formed("ok ü € \xF0\x9F\x94\x94") == "ok ü € \xF0\x9F\x94\x94");
  CHECK(well_formed("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");  // Overlong.
  CHECK(well_formed("\xED\xA0\x80").size() == 9);                // A surrogate.
  CHECK(well_formed("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");  // Cut off.
  CHECK(well_formed("a\x80z") == "a\xEF\xBF\xBDz");
}

TEST_CASE("text is cut between characters") {
  CHECK(clip("short", 5) == "short");
  CHECK(clip("longer", 4) == "long…");
  CHECK(clip("aü", 2) == "a…");
}

TEST_CASE("markup in a text stays text") {
  CHECK(HtmlWriter().raw("<b title=\"").text("\"><script>'&").raw("\">").take() ==
        "<b title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">");
}

}  // namespace
}  // namespace tocsin::api
