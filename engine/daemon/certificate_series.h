// SPDX-License-Identifier: Apache-2.0
//
// CertificateSeries writes the series of the watched certificates into the store, each time that it
// is told to look. What is wrong with a file is logged when it changes.
//
// Loop thread only; reads small files.
#pragma once

#include <string>
#include <vector>

#include "daemon/certificate_watch.h"
#include "daemon/series_writer.h"

namespace tocsin::daemon {

class CertificateSeries {
 public:
  // `writer` must outlive this.
  explicit CertificateSeries(SeriesWriter& writer) : writer_(writer) {}

  void look(const std::vector<CertificateFile>& files, Timestamp now);

 private:
  SeriesWriter& writer_;
  SeriesWriter::Handle series_;
  std::vector<std::string> problems_;
};

}  // namespace tocsin::daemon
