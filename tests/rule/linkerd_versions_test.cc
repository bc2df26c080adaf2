// SPDX-License-Identifier: Apache-2.0
#include "rule/linkerd_versions.h"

#include <doctest/doctest.h>

#include "rule/rule_files.h"

namespace tocsin::rule {
namespace {

TEST_CASE("a metric of another version of Linkerd is found where the version is known") {
  const auto complaints = [](const std::string& expr, int minor) {
    std::string out;
    const Diagnostics all = check_versions(load_alert("expr: '" + expr + "'").rules, minor);
    for (const Diagnostic& d : all.all()) out += d.message;
    return out;
  };
  CHECK(complaints("issuer_cert_ttl_seconds < 3600", 17) ==
        "'issuer_cert_ttl_seconds' exists only since Linkerd 2.18: with Linkerd 2.17 this never "
        "matches");
  CHECK(complaints("issuer_cert_ttl_seconds < 3600", 18).empty());
  CHECK(
      complaints("identity_cert_expiration_timestamp_seconds - time() < 3600", 16) ==
      "'identity_cert_expiration_timestamp_seconds' is gone since Linkerd 2.16: with Linkerd 2.16 "
      "this never matches");
  CHECK(complaints("identity_cert_expiration_timestamp_seconds - time() < 3600", 15).empty());
  CHECK(complaints("(control_identity_cert_expiration_timestamp_seconds or "
                   "identity_cert_expiration_timestamp_seconds) - time() < 3600",
                   20)
            .empty());
  CHECK(complaints("up == 0", 2).empty());
}

TEST_CASE("versions are read as people and releases write them") {
  CHECK(linkerd_minor("2.16") == 16);
  CHECK(linkerd_minor("stable-2.14.10") == 14);
  CHECK(linkerd_minor("v2.9") == 9);
  CHECK(linkerd_minor("enterprise-2.18.1") == 18);
  CHECK_FALSE(linkerd_minor("two"));
  CHECK_FALSE(linkerd_minor(""));
}

TEST_CASE("an edge release counts as the stable version that it led to") {
  CHECK(linkerd_minor("edge-24.11.8") == 17);
  CHECK(linkerd_minor("edge-24.12.1") == 18);
  CHECK(linkerd_minor("edge-25.2.1") == 18);  // The first with issuer_cert_ttl_seconds.
  CHECK(linkerd_minor("edge-25.4.1") == 18);
  CHECK(linkerd_minor("edge-25.6.3") == 19);
  CHECK(linkerd_minor("edge-26.5.2") == 20);
  CHECK(linkerd_minor("edge-26.8.3") == 20);
  CHECK(linkerd_minor("edge-19.1.1") == 9);
  for (const char* none : {"edge-", "edge-25.4", "edge-25.13.1", "edge-25.0.1", "edge-2.18.1",
                           "edge-25.4.1x", "edge-25.4.", "edge-25.4.1.1"}) {
    CAPTURE(std::string(none));
    CHECK_FALSE(linkerd_minor(none));
  }
}

}  // namespace
}  // namespace tocsin::rule
