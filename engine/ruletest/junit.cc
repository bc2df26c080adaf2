// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string_view>

#include "ruletest/rule_test.h"

namespace tocsin::ruletest {
namespace {

// Text of an element or an attribute. What XML cannot say at all becomes a question mark.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += is_control ? '?' : c;
    }
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escaped(value) + "\"";
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", seconds);
  return text;
}

std::string failure_element(const std::string& what, const std::string& detail) {
  return "      <failure" + attribute("message", what) + ">" + escaped(detail) + "</failure>\n";
}

std::string case_element(const std::string& file, const CaseResult& one) {
  std::string out = "    <testcase" + attribute("name", one.name) + attribute("classname", file) +
                    attribute("file", file) + attribute("line", std::to_string(one.line)) +
                    attribute("time", seconds_text(one.seconds)) + ">\n";
  for (const Failure& failure : one.failures) {
    out += failure_element("line " + std::to_string(failure.line) + ": " + failure.what,
                           failure.detail);
  }
  return out + "    </testcase>\n";
}

std::string suite_element(const FileResult& file) {
  std::size_t failed = file.problem.empty() ? 0 : 1;
  double seconds = 0;
  for (const CaseResult& one : file.cases) {
    failed += one.failures.empty() ? 0 : 1;
    seconds += one.seconds;
  }
  const std::size_t tests = file.cases.size() + (file.problem.empty() ? 0 : 1);
  std::string out = "  <testsuite" + attribute("name", file.path) +
                    attribute("tests", std::to_string(tests)) +
                    attribute("failures", std::to_string(failed)) +
                    attribute("time", seconds_text(seconds)) + ">\n";
  if (!file.problem.empty()) {
    out += "    <testcase" + attribute("name", "the file can be read") +
           attribute("classname", file.path) + ">\n" +
           failure_element("the file or its rules cannot be read", file.problem) +
           "    </testcase>\n";
  }
  for (const CaseResult& one : file.cases) out += case_element(file.path, one);
  return out + "  </testsuite>\n";
}

}  // namespace

std::string junit_xml(const std::vector<FileResult>& results) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FileResult& file : results) out += suite_element(file);
  return out + "</testsuites>\n";
}

}  // namespace tocsin::ruletest
