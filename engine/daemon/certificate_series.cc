// SPDX-License-Identifier: Apache-2.0
#include "daemon/certificate_series.h"

#include "base/log.h"

namespace tocsin::daemon {
namespace {

// Instant selectors look back five minutes.
constexpr Duration kHistory = std::chrono::minutes(6);

}  // namespace

void CertificateSeries::look(const std::vector<CertificateFile>& files, Timestamp now) {
  if (files.empty()) return;
  std::vector<std::string> problems;
  auto found = read_certificates(files, now, problems);
  if (problems != problems_) {
    for (const std::string& problem : problems) log::warn("certificate", {{"error", problem}});
    problems_ = problems;
  }
  if (!series_) series_ = writer_.open(kHistory);
  writer_.write(series_, now, std::move(found), [] {});
}

}  // namespace tocsin::daemon
