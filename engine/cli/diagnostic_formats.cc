// SPDX-License-Identifier: Apache-2.0
#include "cli/diagnostic_formats.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <vector>

#include "base/replaced.h"

namespace tocsin::cli {
namespace {

std::string_view name_of(Severity severity) {
  return severity == Severity::Error ? "error" : "warning";
}

// Of a workflow command's text, and of its properties.
std::string github_text(std::string_view text) {
  return replaced(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}});
}
std::string github_property(std::string_view text) {
  return replaced(github_text(text), {{':', "%3A"}, {',', "%2C"}});
}

std::string xml(std::string_view text) {
  return replaced(
      text,
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\n', "&#10;"}, {'\r', ""}});
}

// The message with what to do.
std::string sentence(const Diagnostic& d) {
  std::string out = d.message;
  if (!d.hint.empty()) out += "; " + d.hint;
  if (!d.context.empty()) out += " (in " + d.context + ")";
  return out;
}

}  // namespace

std::string as_json(const Diagnostics& diagnostics) {
  boost::json::array out;
  for (const Diagnostic& d : diagnostics.all()) {
    out.push_back({{"severity", name_of(d.severity)},
                   {"code", d.code},
                   {"file", d.place.file},
                   {"line", d.place.line},
                   {"column", d.place.column},
                   {"length", d.place.length},
                   {"message", d.message},
                   {"context", d.context},
                   {"hint", d.hint}});
  }
  return boost::json::serialize(out) + "\n";
}

std::string as_github(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics.all()) {
    out += "::" + std::string(name_of(d.severity)) + " file=" + github_property(d.place.file);
    if (d.place.line > 0) {
      out += ",line=" + std::to_string(d.place.line) + ",col=" + std::to_string(d.place.column);
    }
    out += ",title=" + github_property(d.code) + "::" + github_text(sentence(d)) + "\n";
  }
  return out;
}

std::string as_checkstyle(const Diagnostics& diagnostics) {
  std::map<std::string, std::string> by_file;
  for (const Diagnostic& d : diagnostics.all()) {
    by_file[d.place.file] += "    <error line=\"" + std::to_string(d.place.line) + "\" column=\"" +
                             std::to_string(d.place.column) + "\" severity=\"" +
                             std::string(name_of(d.severity)) + "\" source=\"" + xml(d.code) +
                             "\" message=\"" + xml(sentence(d)) + "\"/>\n";
  }
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n";
  for (const auto& [file, errors] : by_file) {
    out += "  <file name=\"" + xml(file) + "\">\n" + errors + "  </file>\n";
  }
  return out + "</checkstyle>\n";
}

}  // namespace tocsin::cli
