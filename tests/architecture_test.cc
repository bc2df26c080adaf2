// SPDX-License-Identifier: Apache-2.0
//
// Holds the tree against its own plan: who includes whom, what pure layers may not do, how long
// files may get, that every test is built and every layer described.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = TOCSIN_SOURCE_DIR;
constexpr std::size_t kMaxLines = 500;

struct Layer {
  bool pure = false;
  std::set<std::string> depends;
  std::set<std::string> public_headers;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

// What CMake wrote: "name|pure or edge|depends|public headers".
std::map<std::string, Layer> read_layers() {
  std::map<std::string, Layer> out;
  std::ifstream in(TOCSIN_LAYERS_FILE);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> fields;
    std::stringstream row(line);
    for (std::string field; std::getline(row, field, '|');) fields.push_back(field);
    if (fields.size() < 2) continue;
    fields.resize(4);
    const auto depends = split(fields[2], ',');
    const auto headers = split(fields[3], ',');
    out[fields[0]] = {
        fields[1] == "pure", {depends.begin(), depends.end()}, {headers.begin(), headers.end()}};
  }
  return out;
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<fs::path> files_below(const fs::path& folder, const std::set<std::string>& extensions) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && extensions.count(entry.path().extension().string()) > 0) {
      out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<fs::path> code_below(const fs::path& folder) {
  return files_below(folder, {".cc", ".h"});
}

// The layer that a quoted include belongs to; empty for anything else.
std::string layer_of(const std::string& include, const std::map<std::string, Layer>& layers) {
  const std::string folder = include.substr(0, include.find('/'));
  if (folder != "tocsin") return layers.count(folder) > 0 ? folder : "";
  for (const auto& [name, layer] : layers) {
    if (layer.public_headers.count(include.substr(7)) > 0) return name;
  }
  return "no layer has the header " + include;
}

// A layer and everything below it.
std::set<std::string> reachable(const std::string& from,
                                const std::map<std::string, Layer>& layers) {
  std::set<std::string> out{from};
  for (const std::string& next : layers.at(from).depends) {
    const auto below = reachable(next, layers);
    out.insert(below.begin(), below.end());
  }
  return out;
}

TEST_CASE("a layer includes only what it declares") {
  const auto layers = read_layers();
  REQUIRE(layers.size() > 10);
  const std::regex include("#include \"([^\"]+)\"");
  for (const auto& [name, layer] : layers) {
    const auto allowed = reachable(name, layers);
    for (const fs::path& file : code_below(kRoot / "engine" / name)) {
      const std::string text = slurp(file);
      for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
        const std::string target = layer_of((*it)[1], layers);
        CAPTURE(file.string());
        CAPTURE((*it)[1].str());
        CHECK((target.empty() || allowed.count(target) > 0));
      }
    }
  }
}

TEST_CASE("every public header belongs to a layer") {
  const auto layers = read_layers();
  for (const fs::path& header : code_below(kRoot / "include/tocsin")) {
    CAPTURE(header.string());
    CHECK(layers.count(layer_of("tocsin/" + header.filename().string(), layers)) == 1);
  }
}

TEST_CASE("pure layers know no clock, thread, socket, file or log") {
  const std::vector<std::string> forbidden{"<thread>",  "<fstream>",  "<filesystem>", "boost/",
                                           "curl/",     "base/log.h", "base/file.h",  "spdlog",
                                           "sleep_for", "std::async("};
  for (const auto& [name, layer] : read_layers()) {
    if (!layer.pure) continue;
    for (const fs::path& file : code_below(kRoot / "engine" / name)) {
      const std::string text = slurp(file);
      for (const std::string& word : forbidden) {
        CAPTURE(file.string());
        CAPTURE(word);
        CHECK(text.find(word) == std::string::npos);
      }
    }
  }
}

TEST_CASE("only base/clock.cc asks the machine for the time, and nobody sleeps") {
  const std::vector<std::string> forbidden{"system_clock::now", "steady_clock::now",
                                           "time(nullptr)", "sleep_for", "random_device"};
  for (const char* folder : {"engine", "tests"}) {
    for (const fs::path& file : code_below(kRoot / folder)) {
      if (file.filename() == "clock.cc" || file.filename() == "architecture_test.cc") continue;
      const std::string text = slurp(file);
      for (const std::string& word : forbidden) {
        CAPTURE(file.string());
        CAPTURE(word);
        CHECK(text.find(word) == std::string::npos);
      }
    }
  }
}

TEST_CASE("files stay readable") {
  for (const char* folder : {"engine", "include", "tests"}) {
    for (const fs::path& file : code_below(kRoot / folder)) {
      const std::string text = slurp(file);
      const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
      CAPTURE(file.string());
      CHECK(lines <= (std::string(folder) == "tests" ? kMaxLines + 100 : kMaxLines));
      CHECK(text.starts_with("// SPDX-License-Identifier: Apache-2.0\n"));
    }
  }
}

TEST_CASE("every test file is built") {
  std::string lists;
  for (const fs::path& list : files_below(kRoot / "tests", {".txt", ".cmake"}))
    lists += slurp(list);
  for (const fs::path& file : code_below(kRoot / "tests")) {
    const std::string name = file.filename().string();
    if (!name.ends_with("_test.cc")) continue;
    CAPTURE(name);
    CHECK(lists.find(name) != std::string::npos);
  }
}

TEST_CASE("every layer has a row in engine/README.md") {
  const std::string readme = slurp(kRoot / "engine/README.md");
  for (const auto& [name, layer] : read_layers()) {
    CAPTURE(name);
    CHECK(readme.find("| " + name + " |") != std::string::npos);
  }
}

}  // namespace
