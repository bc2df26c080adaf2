// SPDX-License-Identifier: Apache-2.0
//
// Certificates. The value is the number of seconds left of the one nearest to its end.
//
// A leaf lives 24 hours and is renewed when 30% of its life is left, so its seconds say little and
// the share of its life that is left says how many renewals were missed. Its metrics were renamed
// in Linkerd 2.16; the time of the last renewal is exported since 2.15. The issuer's rest is known
// to the identity component since 2.18; of everything else only the PEM files know, which Tocsin
// watches and exports.
#include <cmath>

#include "rule/compile.h"
#include "rule/notation.h"
#include "tocsin/labels.h"

namespace tocsin::rule {
namespace {

constexpr double kRenewedAt = 0.3;          // Of what is left at each renewal.
constexpr double kSlack = 0.93;             // Between the due moment and "missed".
constexpr double kDefaultLifetime = 86420;  // 24 hours and the skew.
constexpr std::string_view kWatched = "tocsin_certificate_not_after_timestamp_seconds";

std::string either_name(std::string_view metric, const std::string& matchers) {
  const std::string braces = matchers.empty() ? "" : "{" + matchers + "}";
  return "(control_" + std::string(metric) + braces + " or " + std::string(metric) + braces + ")";
}

// Of the share of its life that a leaf has left when `missed` renewals were missed: 0.279, 0.084.
double share_left(int missed) {
  return std::round(std::pow(kRenewedAt, missed) * kSlack * 1000) / 1000;
}

std::string leaf_matchers(const Condition& c) {
  std::string out;
  for (const auto& [label, expression] : c.where) {
    out += (out.empty() ? "" : ",") + label + "=~" + quote(expression);
  }
  return out;
}

Compiled compile_leaf(const Condition& c) {
  const std::string matchers = leaf_matchers(c);
  const std::string expires =
      either_name("identity_cert_expiration_timestamp_seconds", matchers) + " > 0";
  const std::string refreshed = either_name("identity_cert_refresh_timestamp_seconds", matchers);
  const std::string left = "((" + expires + ") - time())";
  Compiled out;
  out.labels = kinds_with("");
  out.labels.insert(out.labels.begin(), "namespace");
  const std::string least = "min by (" + comma_list(out.labels) + ") ";
  out.value = least + "(" + left + ")";
  if (c.missed_refreshes == 0) {
    out.expr = compared(out.value, c);
    return out;
  }
  const std::string life = "((" + expires + ") - " + refreshed + " or 0 * (" + expires + ") + " +
                           number_text(kDefaultLifetime) + ")";
  out.expr = least + "(" + left + " and " + left + " / " + life + " < " +
             number_text(share_left(c.missed_refreshes)) + ")";
  return out;
}

std::string watched(std::string_view kind) {
  return "min by (name, kind) (" + std::string(kWatched) + "{kind=" + quote(kind) + "}) - time()";
}

// Identity knows what it really loaded; the file answers where identity is not scraped.
std::string issuer() {
  return R"(label_replace(label_replace(min(issuer_cert_ttl_seconds), "kind", "issuer", "", ""),)"
         R"( "name", "issuer", "", "") or ()" +
         watched("issuer") + " unless on () issuer_cert_ttl_seconds)";
}

}  // namespace

Compiled compile_certificate(const Condition& c) {
  if (c.certificate == CertificateKind::Leaf) return compile_leaf(c);
  Compiled out;
  out.labels = {"kind", "name"};
  out.value = c.certificate == CertificateKind::Issuer ? issuer() : watched(name_of(c.certificate));
  out.expr = compared(out.value, c);
  return out;
}

}  // namespace tocsin::rule
