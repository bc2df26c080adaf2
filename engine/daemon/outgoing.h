// SPDX-License-Identifier: Apache-2.0
//
// From an alert to what receivers are sent. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/backend.h"
#include "daemon/link_templates.h"
#include "notify/notification.h"
#include "source/relabel.h"
#include "tocsin/alert.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

struct OutgoingContext {
  std::map<std::string, std::string>
      external_labels;  // Added where the alert has none of the name.
  std::string external_url;
  api::RuleOrigin origin;  // Told in the annotations `rule_file` and `rule_revision`.
  Timestamp decided_at;
  Timestamp valid_until;  // endsAt of alerts that fire.
  LinkTemplates links;    // Annotations, where the rule has none of the name.
};

// The alert's labels as receivers know them, before alert_relabel_configs.
Labels outgoing_labels(const Labels& labels,
                       const std::map<std::string, std::string>& external_labels);

// The configuration's links, filled in for an alert with these outgoing_labels(). Of the context,
// needs all but the origin and valid_until.
std::map<std::string, std::string> links_of(const alert::Alert& alert, const Labels& labels,
                                            const OutgoingContext& context);

// A blind alert says so in the annotation `blind`, and in front of its description.
notify::OutgoingAlert make_outgoing(const rule::Rule& rule, const alert::Alert& alert,
                                    const OutgoingContext& context);
// Of several alerts those that `relabeler` keeps, with the labels that it leaves them.
std::vector<notify::OutgoingAlert> make_outgoing(const rule::Rule& rule,
                                                 const std::vector<alert::Alert>& alerts,
                                                 const OutgoingContext& context,
                                                 const source::Relabeler& relabeler);

}  // namespace tocsin::daemon
