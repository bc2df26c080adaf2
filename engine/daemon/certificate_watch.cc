// SPDX-License-Identifier: Apache-2.0
#include "daemon/certificate_watch.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>

#include "base/file.h"

namespace tocsin::daemon {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertPtr = std::unique_ptr<X509, decltype(&X509_free)>;

Timestamp not_after(const X509& certificate) {
  std::tm parts{};
  ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts);
  const std::chrono::year_month_day date{
      std::chrono::year(parts.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
      std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  return std::chrono::sys_days(date) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

}  // namespace

Result<Timestamp> last_not_after(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  std::optional<Timestamp> last;
  for (;;) {
    const CertPtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (!certificate) break;
    last = std::max(last.value_or(Timestamp::min()), not_after(*certificate));
  }
  const bool clean_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!last) return fail(ErrorCode::Parse, "no certificate in it");
  if (!clean_end) return fail(ErrorCode::Parse, "a damaged certificate in it");
  return *last;
}

promql::Vector read_certificates(const std::vector<CertificateFile>& files, Timestamp at,
                                 std::vector<std::string>& problems) {
  promql::Vector out;
  for (const CertificateFile& file : files) {
    const auto pem = read_file(file.path);
    const auto end = pem ? last_not_after(*pem) : fail(pem.error());
    if (!end) {
      const std::string& why = end.error().message;
      problems.push_back(why.starts_with(file.path) ? why : file.path + ": " + why);
      continue;
    }
    out.push_back(
        {Labels{{kMetricName, kCertificateSeries}, {"name", file.name}, {"kind", file.kind}},
         {at, to_seconds(*end)}});
  }
  return out;
}

}  // namespace tocsin::daemon
