// SPDX-License-Identifier: Apache-2.0
#include "daemon/file_watch.h"

#include <sys/stat.h>

namespace tocsin::daemon {

std::string fingerprint_files(const std::vector<std::string>& paths) {
  std::string out;
  for (const std::string& path : paths) {
    struct stat info {};
    out += path + "|";
    if (::stat(path.c_str(), &info) == 0) {
      out += std::to_string(info.st_ino) + "|" + std::to_string(info.st_size) + "|" +
             std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
    }
    out += "\n";
  }
  return out;
}

}  // namespace tocsin::daemon
