// SPDX-License-Identifier: Apache-2.0
//
// The PEM files of `certificates:`, read again every so often: when does each end? A trust anchor
// and a webhook's certificate have no metric in Linkerd, so Tocsin makes the series itself:
//
//   tocsin_certificate_not_after_timestamp_seconds{name="trust-anchor",kind="trust-anchor"}
//
// A bundle may hold several certificates. The one that lasts longest counts: as long as one anchor
// is good the mesh can renew.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"
#include "tocsin/promql.h"
#include "tocsin/result.h"

namespace tocsin::daemon {

inline constexpr std::string_view kCertificateSeries =
    "tocsin_certificate_not_after_timestamp_seconds";

// When the last of the PEM blocks in `pem` ends. Fails with Parse when there is none, or one that
// is no certificate.
Result<Timestamp> last_not_after(const std::string& pem);

// One element for each file that can be read; what is wrong with the others goes to `problems`.
promql::Vector read_certificates(const std::vector<CertificateFile>& files, Timestamp at,
                                 std::vector<std::string>& problems);

}  // namespace tocsin::daemon
