// SPDX-License-Identifier: Apache-2.0
#include "alert/template.h"

#include <doctest/doctest.h>

namespace tocsin::alert {
namespace {

TemplateData sample_data() {
  TemplateData data;
  data.labels = Labels{{"__name__", "m"}, {"deployment", "web"}, {"instance", "10.0.0.1:4191"}};
  data.external_labels = {{"cluster", "prod"}};
  data.external_url = "https://tocsin.example.org/t";
  data.value = 0.0234;
  data.query = [](std::string_view expr) -> Result<promql::Vector> {
    if (expr == "none") return promql::Vector{};
    return promql::Vector{{Labels{{"a", "y"}}, {{}, 2}}, {Labels{{"a", "x"}}, {{}, 1}}};
  };
  return data;
}

std::string expand(std::string_view text) {
  const auto parsed = Template::parse(text);
  if (!parsed) return "parse error: " + parsed.error().message;
  return parsed->expand(sample_data());
}

TEST_CASE("templates are expanded as Go and Prometheus expand them") {
  const struct {
    const char* text;
    const char* expanded;
  } cases[] = {
      {"plain", "plain"},
      {"{{ $labels.deployment }} at {{ $value }}", "web at 0.0234"},
      {"{{ .Labels.deployment }} {{ .Value }} {{ .ExternalLabels.cluster }}", "web 0.0234 prod"},
      {"[{{ $labels.nope }}]", "[]"},
      {"{{ $externalLabels.cluster }} {{ $externalURL }}", "prod https://tocsin.example.org/t"},
      {"{{ $value | humanizePercentage }}", "2.34%"},
      {"{{ humanize 1234567.0 }} {{ humanize 0.00012 }} {{ humanize 0.0 }}", "1.235M 120u 0"},
      {"{{ humanize1024 1048576.0 }}", "1Mi"},
      {"{{ humanizeDuration 3725 }} {{ humanizeDuration 0.1 }} {{ humanizeDuration 90061 }}",
       "1h 2m 5s 100ms 1d 1h 1m 1s"},
      {"{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"},
      {"{{ printf \"%.2f|%5d|%-4s|%q|%v\" 1.005 42 \"ab\" \"c\" true }}",
       "1.00|   42|ab  |\"c\"|true"},
      {"{{ if gt $value 0.01 }}high{{ else }}low{{ end }}", "high"},
      {"{{ if eq $labels.deployment \"api\" \"web\" }}yes{{ end }}", "yes"},
      {"{{ if false }}a{{ else if true }}b{{ else }}c{{ end }}", "b"},
      {"{{ with $labels.nope }}x{{ else }}none{{ end }}", "none"},
      {"{{ range query \"m\" }}{{ .Labels.a }}={{ .Value }} {{ end }}", "y=2 x=1 "},
      {"{{ range $i, $s := query \"m\" | sortByLabel \"a\" }}{{ $i }}{{ $s.Labels.a }}{{ end }}",
       "0x1y"},
      {"{{ query \"m\" | first | value }} {{ query \"m\" | first | label \"a\" }}", "2 y"},
      {"{{ range query \"none\" }}x{{ else }}nothing{{ end }}", "nothing"},
      {"{{ $x := 1 }}{{ range query \"m\" }}{{ $x = .Value }}{{ end }}{{ $x }}", "1"},
      {"a {{- \" b \" -}} c", "a b c"},
      {"{{/* a remark */}}x", "x"},
      {"{{ define \"t\" }}<{{ .arg0 }}>{{ end }}{{ template \"t\" (args \"v\" 2) }}", "<v>"},
      {"{{ \"abc\" | toUpper | printf \"%s!\" }} {{ title \"ab cd\" }}", "ABC! Ab Cd"},
      {"{{ reReplaceAll \"(.*):\\\\d+\" \"$1\" $labels.instance }}", "10.0.0.1"},
      {"{{ stripPort $labels.instance }} {{ stripDomain \"web.shop.svc:80\" }}", "10.0.0.1 web:80"},
      {"{{ match \"a.*\" \"xabc\" }} {{ len \"abc\" }} {{ slice \"abcdef\" 1 3 }}", "true 3 bc"},
      {"{{ and 1 0 }} {{ or 0 \"x\" }} {{ not true }}", "0 x false"},
      {"{{ index $labels \"deployment\" }}", "web"},
      {"{{ pathPrefix }} {{ graphLink \"up == 0\" }}", "/t /graph?g0.expr=up+%3D%3D+0&g0.tab=0"},
      {"{{ parseDuration \"1h30m\" }} {{ 1.5e3 }} {{ (printf \"%d\" 3) }}", "5400 1500 3"},
      {"{{ `raw}}` }}", "raw}}"},
      {"{{ html \"<a>\" }}", "&lt;a&gt;"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    CHECK(expand(c.text) == c.expanded);
  }
}

TEST_CASE("what goes wrong while expanding stands in the text") {
  CHECK(expand("{{ query \"none\" | first }}") ==
        "<error expanding template: error calling first: first() called on vector with no "
        "elements>");
  CHECK(expand("{{ $value.nope }}").starts_with("<error expanding template: can't evaluate field"));
  CHECK(expand("{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}")
            .starts_with("<error expanding template: templates call each other"));
}

TEST_CASE("which labels of its alert a template asks for is known when it is loaded") {
  using Names = std::set<std::string>;
  const struct {
    const char* text;
    Names labels;
  } cases[] = {
      {"{{ $labels.a }} {{ .Labels.b }} {{ $.Labels.c }}", {"a", "b", "c"}},
      {"{{ if $labels.a }}{{ .Labels.b }}{{ else }}{{ $labels.c }}{{ end }}", {"a", "b", "c"}},
      {"{{ or $labels.a (printf \"%s\" $labels.b) | toUpper }}", {"a", "b"}},
      {"{{ index $labels \"a\" }}{{ index .Labels \"b\" }}", {"a", "b"}},
      {"{{ with $labels }}{{ .a }}{{ end }}", {"a"}},
      {"{{ with $l := $labels }}{{ $l.a }}{{ end }}{{ $x := .Labels }}{{ $x.b }}", {"a", "b"}},
      {"{{ with $labels.a }}{{ .Labels.b }}{{ $labels.c }}{{ end }}", {"a", "c"}},
      {"{{ range query \"up\" }}{{ .Labels.a }}{{ $labels.b }}{{ end }}", {"b"}},
      {"{{ with query \"up\" }}{{ (. | first).Labels.a }}{{ end }}", {}},
      {"{{ range $k, $v := $labels }}{{ $k }}{{ $v }}{{ end }}", {}},
      {"{{ define \"t\" }}{{ .a }}{{ template \"t\" . }}{{ end }}{{ template \"t\" $labels }}",
       {"a"}},
      {"$labels.a {{ \"$labels.b\" }}{{ `.Labels.c` }}{{/* $labels.d */}}", {}},
      {"{{ $labels.a", {}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    CHECK(read_template(c.text).labels == c.labels);
  }
}

TEST_CASE("what is wrong with a template is known when it is loaded") {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"{{ $labels.a", "unclosed action"},
      {"{{ nope 1 }}", "function \"nope\" not defined"},
      {"{{ $nope }}", "undefined variable \"$nope\""},
      {"{{ if true }}x", "unexpected EOF"},
      {"{{ end }}", "unexpected {{end}}"},
      {"{{ }}", "missing value for command"},
      {"{{ \"a }}", "unclosed action"},
      {"{{ (1 }}", "unclosed left paren"},
      {"{{ range $x := query \"m\" }}{{ end }}{{ $x }}", "undefined variable \"$x\""},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    CHECK(read_template(c.text).problem == std::optional<std::string>(c.problem));
  }
  CHECK_FALSE(read_template("{{ $labels.a | toUpper }}").problem.has_value());
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "{{ if true }}";
  CHECK(read_template(deep).problem.has_value());
}

}  // namespace
}  // namespace tocsin::alert
