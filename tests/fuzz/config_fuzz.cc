// SPDX-License-Identifier: Apache-2.0
//
// Any bytes are a tocsin.yaml, or a document of file_sd. No file is touched: the reader only names
// those that are to be read.
#include <cstdint>
#include <string_view>

#include "daemon/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = tocsin::daemon::read_config("/etc/tocsin/tocsin.yaml", text);
  (void)loaded.diagnostics.text();
  (void)tocsin::daemon::parse_target_groups(text);
  return 0;
}
