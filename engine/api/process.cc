// SPDX-License-Identifier: Apache-2.0
#include "api/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace tocsin::api {
namespace {

// Places of the fields of /proc/self/stat behind the command's closing parenthesis (proc(5) counts
// them from 1, and `state`, the first one here, is number 3).
constexpr std::size_t kUserTicks = 14 - 3;
constexpr std::size_t kSystemTicks = 15 - 3;
constexpr std::size_t kStartTicks = 22 - 3;
constexpr std::size_t kVirtualBytes = 23 - 3;
constexpr std::size_t kResidentPages = 24 - 3;

std::string read_all(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The command may hold spaces and parentheses; the last one ends it.
std::vector<double> stat_fields() {
  const std::string text = read_all("/proc/self/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  std::string state;
  rest >> state;
  std::vector<double> fields = {0};  // The state is no number.
  double value = 0;
  while (rest >> value) fields.push_back(value);
  return fields;
}

// When the machine was started, in seconds since 1970.
std::optional<double> boot_seconds() {
  std::istringstream lines(read_all("/proc/stat"));
  std::string word;
  while (lines >> word) {
    double value = 0;
    if (word == "btime" && lines >> value) return value;
  }
  return std::nullopt;
}

std::optional<double> open_files() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  return static_cast<double>(std::distance(begin(files), end(files))) - 1;  // Not this one.
}

std::optional<double> max_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage out;
  out.open_files = open_files();
  out.max_files = max_files();
  const std::vector<double> fields = stat_fields();
  if (fields.size() <= kResidentPages) return out;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  out.cpu_seconds = (fields[kUserTicks] + fields[kSystemTicks]) / ticks;
  out.virtual_bytes = fields[kVirtualBytes];
  out.resident_bytes = fields[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (const auto boot = boot_seconds()) out.start_seconds = *boot + fields[kStartTicks] / ticks;
  return out;
}

}  // namespace tocsin::api
