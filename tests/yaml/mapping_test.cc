// SPDX-License-Identifier: Apache-2.0
#include "yaml/mapping.h"

#include <doctest/doctest.h>

namespace tocsin::yaml {
namespace {

enum class Scheme { Http, Https };

struct Tls {
  std::string ca_file;
  bool insecure = false;
};

struct Job {
  std::string name;
  Scheme scheme = Scheme::Http;
  Duration interval = std::chrono::minutes(1);
  std::optional<Duration> timeout;
  std::int64_t limit = 0;
  double ratio = 0;
  std::optional<Tls> tls;
  std::vector<Tls> more;
  StringMap labels;
  std::vector<std::string> targets;
};

void read_tls(Mapping& m, Tls& tls) {
  m.read("ca_file", tls.ca_file);
  m.read("insecure", tls.insecure);
}

void read_job(Mapping& m, Job& job) {
  m.require("name", job.name);
  const Reporter::Context context(m.report(), "job '" + job.name + "'");
  m.choice("scheme", job.scheme, {{"http", Scheme::Http}, {"https", Scheme::Https}});
  m.read("interval", job.interval);
  m.read("timeout", job.timeout);
  m.read("limit", job.limit);
  m.read("ratio", job.ratio);
  m.read("tls", job.tls, read_tls);
  m.read("more", job.more, read_tls);
  m.read("labels", job.labels);
  m.read("targets", job.targets);
}

struct Outcome {
  Job job;
  std::string text;
};

Outcome read(std::string_view text) {
  Outcome out;
  Diagnostics diagnostics;
  const Document document = Document::parse("f", text, diagnostics);
  Reporter report(diagnostics, "config");
  read_object(document.root(), report, out.job, read_job, "a job");
  out.text = diagnostics.text();
  return out;
}

TEST_CASE("an object is read into a struct") {
  const Outcome out = read(
      "name: a\nscheme: https\ninterval: 30s\ntimeout: 1m30s\nlimit: 7\nratio: 0.5\n"
      "tls: {ca_file: x, insecure: yes}\nmore: [{ca_file: y}, {}]\n"
      "labels: {team: web, zone: 1}\ntargets: ['h:1', h2]\n");
  CHECK(out.text.empty());
  CHECK(out.job.scheme == Scheme::Https);
  CHECK(out.job.interval == std::chrono::seconds(30));
  CHECK(out.job.timeout == std::chrono::seconds(90));
  CHECK(out.job.limit == 7);
  CHECK(out.job.ratio == 0.5);
  CHECK(out.job.tls.value().insecure);
  CHECK(out.job.more.size() == 2);
  CHECK(out.job.labels == StringMap{{"team", "web"}, {"zone", "1"}});
  CHECK(out.job.targets == std::vector<std::string>{"h:1", "h2"});
}

TEST_CASE("what is absent or null keeps its default") {
  const Outcome out = read("name: a\ninterval:\ntls: ~\n");
  CHECK(out.text.empty());
  CHECK(out.job.interval == std::chrono::minutes(1));
  CHECK_FALSE(out.job.tls.has_value());
}

TEST_CASE("every mistake is reported at its place") {
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"{}", "f:1:1: error: 'name' is missing [config/missing-key]\n    {}\n    ^\n"},
      {"[a]", "f:1:1: error: a job must be a mapping, is a list [config/type]\n    [a]\n    ^\n"},
      {"name: a\nintervall: 5m",
       "f:2:1: error: unknown key 'intervall' [config/unknown-key]\n    intervall: 5m\n"
       "    ^^^^^^^^^\n  hint: did you mean 'interval'?\n"},
      {"name: a\nname: b",
       "f:2:1: error: 'name' is written twice [config/duplicate-key]\n    name: b\n    ^^^^\n"},
      {"name: a\ninterval: 5 minutes",
       "f:2:11: error: 'interval' must be a duration, is '5 minutes' [config/type]\n"
       "    interval: 5 minutes\n              ^^^^^^^^^\n  in job 'a'\n"
       "  hint: write it like 30s, 5m or 1h30m: whole numbers with a unit\n"},
      {"name: a\nscheme: htps",
       "f:2:9: error: 'scheme' must be http or https, is 'htps' [config/invalid]\n"
       "    scheme: htps\n            ^^^^\n  in job 'a'\n  hint: did you mean 'https'?\n"},
      {"name: a\nlimit: '7'",
       "f:2:8: error: 'limit' must be a whole number, is '7' [config/type]\n"
       "    limit: '7'\n           ^^^\n  in job 'a'\n"},
      {"name: a\ntargets: h:1",
       "f:2:10: error: 'targets' must be a list, is 'h:1' [config/type]\n"
       "    targets: h:1\n             ^^^\n  in job 'a'\n  hint: write [h:1]\n"},
      {"name: a\nmore: {}",
       "f:2:7: error: 'more' must be a list, is a mapping [config/invalid]\n"
       "    more: {}\n          ^\n  in job 'a'\n"},
      {"name: a\ntls: {ca_fil: x}",
       "f:2:7: error: unknown key 'ca_fil' [config/unknown-key]\n"
       "    tls: {ca_fil: x}\n          ^^^^^^\n  in job 'a'\n  hint: did you mean 'ca_file'?\n"},
      {"name: a\nlabels: {a: [1]}",
       "f:2:13: error: 'a' must be a text, is a list [config/type]\n"
       "    labels: {a: [1]}\n                ^\n  in job 'a'\n"},
      {"name: a\ntls: {insecure: maybe}",
       "f:2:17: error: 'insecure' must be true or false, is 'maybe' [config/type]\n"
       "    tls: {insecure: maybe}\n                    ^^^^^\n  in job 'a'\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(read(c.text).text == c.expected);
  }
}

TEST_CASE("all mistakes of a file are reported together") {
  const Outcome out = read("name: [a]\nlimit: x\nratio: y\nwhat: 1\n");
  CHECK(out.text.find("'name' must be a text") != std::string::npos);
  CHECK(out.text.find("'limit' must be") != std::string::npos);
  CHECK(out.text.find("'ratio' must be") != std::string::npos);
  CHECK(out.text.find("unknown key 'what'") != std::string::npos);
}

}  // namespace
}  // namespace tocsin::yaml
